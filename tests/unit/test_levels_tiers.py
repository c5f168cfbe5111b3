"""Laws of tiers."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.levels.reward import AssetPart
from services.levels.tiers import domain
from services.levels.tiers.domain import GrowthEntry, Ladder, Standing, Tier

ZONE = "Asia/Shanghai"
START = datetime(2026, 1, 1, tzinfo=UTC)


def tier(code: str, growth: int, **more: Any) -> Tier:
    terms: dict[str, Any] = {"keep": growth // 2, "validity_days": 30 if growth else 0, **more}
    return Tier(code, code, code, growth, **terms)


LADDER = Ladder(1, START, (tier("base", 0), tier("silver", 100), tier("gold", 300)))


def entry(seq: int, balance: int, *, days: float = 1) -> GrowthEntry:
    return GrowthEntry(1, 7, seq, balance, START + timedelta(days=days), f"points:{seq}")


def after(*entries: GrowthEntry, ladders: tuple[Ladder, ...] = (LADDER,)) -> tuple[Standing, list[domain.Change]]:
    standing, changes = Standing(1, 7), []
    for one in entries:
        standing, more = domain.apply_growth(standing, ladders, one, ZONE)
        changes += more
    return standing, changes


@pytest.mark.parametrize(
    ("growth", "code"),
    [(-5, "base"), (0, "base"), (99, "base"), (100, "silver"), (299, "silver"), (300, "gold"), (10**15, "gold")],
)
def test_the_threshold_itself_is_enough(growth: int, code: str) -> None:
    assert LADDER.earned(growth).code == code


def test_growth_before_any_ladder_is_kept_and_placed_later() -> None:
    standing, changes = after(entry(1, 500), ladders=())
    assert (standing.tier, standing.growth, changes) == (None, 500, [])
    placed, promoted = domain.advance(standing, [LADDER], START + timedelta(days=2), ZONE)
    assert (placed.tier, placed.ladder_version) == ("gold", 1)
    assert [(one.from_tier, one.to_tier, one.cause) for one in promoted] == [("base", "gold", "ladder:1")]


def test_a_new_member_begins_on_the_first_tier_without_a_window() -> None:
    standing = domain.enrol(1, 7, [LADDER], START)
    assert (standing.tier, standing.window_ends_at, standing.ladder_version) == ("base", None, 1)
    assert domain.enrol(1, 7, [], START).tier is None


def test_a_window_counts_whole_business_days_with_the_day_of_the_change_as_first() -> None:
    standing, _ = after(entry(1, 100))
    assert standing.window_ends_at == datetime(2026, 1, 31, 16, tzinfo=UTC)


def test_at_the_instant_a_window_ends_it_has_ended() -> None:
    standing, _ = after(entry(1, 100), entry(2, 0))
    ends_at = standing.window_ends_at
    assert ends_at is not None
    assert domain.advance(standing, [LADDER], ends_at - timedelta(microseconds=1), ZONE) == (standing, [])
    assert domain.advance(standing, [LADDER], ends_at, ZONE)[0].tier == "base"


def test_an_entry_at_the_windows_end_comes_after_it() -> None:
    standing, _ = after(entry(1, 100), entry(2, 0))
    ends_at = standing.window_ends_at
    assert ends_at is not None
    late, changes = domain.apply_growth(standing, [LADDER], GrowthEntry(1, 7, 3, 100, ends_at, "points:3"), ZONE)
    assert [change.kind for change in changes] == ["demoted", "promoted"]
    assert late.since == ends_at


def test_the_first_tier_has_nothing_to_lose() -> None:
    standing, _ = after(entry(1, 100), entry(2, 0))
    down, changes = domain.advance(standing, [LADDER], START + timedelta(days=4000), ZONE)
    assert ([change.kind for change in changes], down.tier, down.window_ends_at) == (["demoted"], "base", None)


def test_many_ended_windows_cost_a_step_each() -> None:
    standing, _ = after(entry(1, 300), entry(2, 0))
    down, changes = domain.advance(standing, [LADDER], START + timedelta(days=100), ZONE)
    assert [change.to_tier for change in changes] == ["silver", "base"]
    assert changes[1].at - changes[0].at == timedelta(days=30)
    assert down.changes == 3


def test_a_renewal_keeps_since_and_begins_a_new_window() -> None:
    standing, _ = after(entry(1, 300), entry(2, 150))
    renewed, changes = domain.advance(standing, [LADDER], START + timedelta(days=32), ZONE)
    assert [change.kind for change in changes] == ["renewed"]
    assert renewed.since == standing.since
    assert renewed.window_ends_at == datetime(2026, 3, 2, 16, tzinfo=UTC)


def test_a_ladder_that_makes_a_tier_the_first_ends_its_window_and_the_other_way_round() -> None:
    standing, _ = after(entry(1, 100), entry(2, 0))
    only = Ladder(2, START + timedelta(days=2), (tier("silver", 0), tier("gold", 300)))
    free, changes = domain.advance(standing, [LADDER, only], START + timedelta(days=3), ZONE)
    assert (free.tier, free.window_ends_at, changes) == ("silver", None, [])
    again = Ladder(3, START + timedelta(days=4), (tier("base", 0), tier("silver", 100)))
    bound, _ = domain.advance(free, [LADDER, only, again], START + timedelta(days=5), ZONE)
    assert bound.window_ends_at == datetime(2026, 2, 3, 16, tzinfo=UTC)


def test_an_ended_window_is_judged_by_the_ladder_of_its_time() -> None:
    standing, _ = after(entry(1, 100), entry(2, 60))
    harder = Ladder(2, START + timedelta(days=60), (tier("base", 0), tier("silver", 100, keep=100)))
    _, changes = domain.advance(standing, [LADDER, harder], START + timedelta(days=65), ZONE)
    assert [(one.kind, one.ladder_version) for one in changes] == [("renewed", 1), ("demoted", 2)]


def test_a_promotion_owes_every_rewarded_tier_it_passes() -> None:
    rewarded = Ladder(
        1, START, (tier("base", 0), tier("silver", 100, reward=(AssetPart("points", 1),)), tier("gold", 300))
    )
    _, (change,) = after(entry(1, 300), ladders=(rewarded,))
    assert [one.code for one in domain.rungs_climbed(change, rewarded)] == ["silver", "gold"]
    assert domain.reward_due(change, rewarded)
    assert not domain.reward_due(change, LADDER)


def test_the_next_tier_ends_at_the_top() -> None:
    above = domain.next_tier("silver", LADDER)
    assert above is not None
    assert above.code == "gold"
    assert domain.next_tier("gold", LADDER) is None
