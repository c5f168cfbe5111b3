"""Tiers for any history: never down mid-window, one step at a time, and the same however time is cut."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.levels.tiers import domain
from services.levels.tiers.domain import Change, GrowthEntry, Ladder, Standing, Tier

ZONE = "Europe/Berlin"
START = datetime(2026, 1, 1, tzinfo=UTC)


@st.composite
def ladders(draw: st.DrawFn) -> list[Ladder]:
    made = []
    for version in range(1, draw(st.integers(1, 3)) + 1):
        steps = draw(st.lists(st.integers(1, 60), min_size=3, max_size=3))
        tiers = [Tier("t0", "", "", 0, 0, 0)]
        for place, step in enumerate(steps, start=1):
            growth = tiers[-1].growth + step
            keep, days = draw(st.integers(0, growth)), draw(st.integers(1, 40))
            tiers.append(Tier(f"t{place}", "", "", growth, keep, days))
        since = START + timedelta(days=draw(st.integers(0, 30)) + 40 * (version - 1))
        domain.check_ladder(tiers)
        made.append(Ladder(version, since, tuple(tiers)))
    return made


@st.composite
def histories(draw: st.DrawFn) -> list[GrowthEntry]:
    at, entries = START, []
    for seq in range(1, draw(st.integers(1, 12)) + 1):
        at += timedelta(hours=draw(st.integers(0, 600)))
        entries.append(GrowthEntry(1, 7, seq, draw(st.integers(-5, 200)), at, f"points:{seq}"))
    return entries


def fold(ladders: list[Ladder], entries: list[GrowthEntry], ticks: list[datetime]) -> tuple[Standing, list[Change]]:
    """Apply entries, letting the clock tick at any instants in between."""
    standing, changes = Standing(1, 7), []
    ticks = sorted(ticks)
    for entry in entries:
        while ticks and ticks[0] < entry.at:
            standing, more = domain.advance(standing, ladders, ticks.pop(0), ZONE)
            changes += more
        standing, more = domain.apply_growth(standing, ladders, entry, ZONE)
        changes += more
    standing, more = domain.advance(standing, ladders, START + timedelta(days=400), ZONE)
    return standing, changes + more


@given(ladders(), histories(), st.lists(st.integers(0, 300 * 24)))
def test_when_the_job_runs_makes_no_difference(
    ladders: list[Ladder], entries: list[GrowthEntry], hours: list[int]
) -> None:
    ticks = [START + timedelta(hours=hour) for hour in hours]
    assert fold(ladders, entries, ticks) == fold(ladders, entries, [])


@given(ladders(), histories())
def test_replaying_any_entry_changes_nothing(ladders: list[Ladder], entries: list[GrowthEntry]) -> None:
    twice = [entry for place in range(len(entries)) for entry in entries[max(place - 2, 0) : place + 1]]
    once, changes = fold(ladders, entries, [])
    assert once.growth == entries[-1].balance
    replayed = Standing(1, 7)
    seen: list[Change] = []
    for entry in twice:
        replayed, more = domain.apply_growth(replayed, ladders, entry, ZONE)
        seen += more
    replayed, more = domain.advance(replayed, ladders, START + timedelta(days=400), ZONE)
    assert (replayed, seen + more) == (once, changes)


@given(ladders(), histories())
def test_nobody_falls_inside_a_window_nor_more_than_a_step(ladders: list[Ladder], entries: list[GrowthEntry]) -> None:
    standing = Standing(1, 7)
    for entry in entries:
        before = standing
        standing, changes = domain.apply_growth(standing, ladders, entry, ZONE)
        rank = before.tier and int(before.tier[1:])
        ends_at = before.window_ends_at
        for change in changes:
            low, high = int(change.from_tier[1:]), int(change.to_tier[1:])
            assert low == (rank or 0)
            if change.kind == "demoted":
                assert high == low - 1
                assert ends_at is None or change.at >= ends_at
            elif change.kind == "promoted":
                assert high > low
            rank = high
        if standing.tier:
            ladder = domain.in_force(standing, ladders)
            assert ladder is not None
            assert ladder.rank(standing.tier) >= ladder.rank(ladder.earned(standing.growth).code)


@given(ladders(), histories(), st.integers(0, 11), st.integers(1, 100))
def test_while_no_window_ends_more_growth_never_means_a_lower_tier(
    ladders: list[Ladder], entries: list[GrowthEntry], place: int, more: int
) -> None:
    terms = tuple(replace(tier, validity_days=1000) for tier in ladders[0].tiers)
    ladder = replace(ladders[0], tiers=terms)
    richer = [replace(one, balance=one.balance + (more if spot >= place else 0)) for spot, one in enumerate(entries)]
    poor, rich = fold([ladder], entries, [])[0], fold([ladder], richer, [])[0]
    assert poor.tier is not None
    assert rich.tier is not None
    assert ladder.rank(rich.tier) >= ladder.rank(poor.tier)
