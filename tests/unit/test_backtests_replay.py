"""Recorded events run again in memory: caps, budgets and refunds as in real life, cut into slices as one likes."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.points.backtests import replay as replays
from services.points.backtests.domain import TooMuchToRemember
from services.points.backtests.memory import packed, unpack
from services.points.backtests.replay import begin, play, triggers
from services.points.backtests.sides import Recorded, Replay, Side
from services.points.rules.decisions import Decision, Facts, PublishedRule
from services.points.rules.domain import RuleSet
from services.points.rules.panel import Panel
from services.points.rules.rule import Cap, Frequency, Rule, Times

NOON = datetime(2026, 5, 3, 4, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def rule(code: str = "order", formula: str = "data.paid_fen / 100", **given: Any) -> PublishedRule:
    """A point a yuan, unless told."""
    defaults: dict[str, Any] = {"trigger": "order.paid", "condition": "true", "asset": "points"}
    return PublishedRule(code, 1, 1, Rule("Rule", "规则", formula=formula, **{**defaults, **given}))


def compare(live: list[PublishedRule], candidate: list[PublishedRule], since: datetime = NOON - 30 * DAY) -> Replay:
    """A replay of both sets in Shanghai."""
    sides = [Side(RuleSet(rules), {}) for rules in (live, candidate)]
    return begin(*sides, program_id=1, time_zone="Asia/Shanghai", since=since)


def paid(order: str, fen: int, at: datetime = NOON, member: int = 7, **given: Any) -> Recorded:
    """A payment."""
    data = {"order_id": order, "paid_fen": fen}
    return Recorded(at, "shop", f"paid-{order}", "order.paid", member, data, **given)


def refunded(order: str, fen: int, at: datetime = NOON, member: int = 7, name: str = "r1") -> Recorded:
    """A refund."""
    data = {"order_id": order, "refund_id": name, "refunded_fen": fen}
    return Recorded(at, "shop", f"refund-{order}-{name}", "order.refunded", member, data)


def cost(side: Side, code: str = "order") -> int:
    """What the rule gave, net of refunds."""
    figures = side.figures[code]
    return figures.awarded - figures.taken_back


def run(live: PublishedRule, candidate: PublishedRule, *events: Recorded) -> tuple[int, int]:
    """The cost of both sets."""
    replay = compare([live], [candidate])
    play(replay, events, {})
    return cost(replay.live), cost(replay.candidate)


def test_a_doubled_rate_costs_double() -> None:
    assert run(rule(), rule(formula="data.paid_fen / 50"), paid("A", 1000), paid("B", 350)) == (13, 27)


def test_a_refund_takes_back_its_share_of_what_each_set_gave() -> None:
    events = [paid("A", 1000), refunded("A", 300, NOON + DAY), refunded("A", 300, NOON + DAY)]
    assert run(rule(), rule(formula="data.paid_fen / 50"), *events) == (7, 14)


def test_a_refund_that_came_before_its_payment_counts_when_the_payment_comes() -> None:
    assert run(rule(), rule(), refunded("A", 300, NOON - DAY), paid("A", 1000)) == (7, 7)


def test_parts_of_a_refund_sum_to_the_whole() -> None:
    events = [refunded("A", 333, NOON + DAY * n, name=f"r{n}") for n in range(3)]
    assert run(rule(), rule(), paid("A", 999), *events) == (0, 0)


def test_a_confirmation_is_taken_back_with_its_order() -> None:
    confirmed = Recorded(NOON + DAY, "shop", "c", "order.confirmed", 7, {"order_id": "A"})
    bonus = rule("bonus", "50", trigger="order.confirmed")
    replay = compare([bonus], [bonus])
    assert triggers(replay) == ["order.confirmed", "order.paid", "order.refunded"]
    play(replay, [paid("A", 1000), confirmed, refunded("A", 500, NOON + 2 * DAY)], {})
    assert cost(replay.live, "bonus") == 25


def test_a_payment_that_did_not_count_awards_nothing() -> None:
    assert run(rule(), rule(), paid("A", 1000), paid("A", 1000, counted=False)) == (10, 10)


def test_a_members_cap_bites_per_window_and_is_freed_by_refunds() -> None:
    capped = rule(caps=(Cap("day", "member", 15),))
    events = [
        paid("A", 1000),
        paid("B", 1000, NOON + timedelta(minutes=1)),
        paid("C", 1000, NOON + timedelta(minutes=2), member=8),
        refunded("A", 1000, NOON + timedelta(minutes=3)),
        paid("D", 1000, NOON + timedelta(minutes=4)),
        paid("E", 1000, NOON + DAY),
    ]
    replay = compare([rule()], [capped])
    play(replay, events, {})
    # 10, then 5 of 10, 10 of another member, −10, 10, and the next day 10.
    assert cost(replay.candidate) == 35
    assert replay.candidate.figures["order"].cut == {"member_day": 1}
    assert replay.candidate.figures["order"].withheld == 5
    assert replay.live.figures["order"].cut == {}


def test_a_rules_own_cap_and_its_budget_bind_all_members_together() -> None:
    events = [paid(f"A{n}", 1000, NOON + timedelta(minutes=n), member=n) for n in range(1, 5)]
    replay = compare([rule(caps=(Cap("week", "rule", 25),))], [rule(budget=12)])
    play(replay, events, {})
    assert cost(replay.live) == 25
    assert replay.live.figures["order"].cut == {"rule_week": 2}
    assert cost(replay.candidate) == 12
    assert replay.candidate.figures["order"].cut == {"budget": 3}
    assert replay.candidate.figures["order"].budget_spent_at == (NOON + timedelta(minutes=2)).isoformat()


def test_a_cap_per_event_binds_each_by_itself() -> None:
    assert run(rule(), rule(caps=(Cap("event", "member", 4),)), paid("A", 1000), paid("B", 300)) == (13, 7)


def test_events_before_the_counted_time_fill_caps_and_are_not_counted() -> None:
    monthly = rule(caps=(Cap("month", "member", 15),))
    replay = compare([monthly], [monthly], since=NOON)
    play(replay, [paid("A", 1000, NOON - DAY), paid("B", 1000)], {})
    assert cost(replay.live) == 5
    assert replay.members == {(7, "points"): [5, 5]}


def test_what_was_paid_before_the_counted_time_is_not_taken_back_in_it() -> None:
    replay = compare([rule()], [rule()], since=NOON)
    play(replay, [paid("A", 1000, NOON - DAY), refunded("A", 1000)], {})
    assert replay.members == {}
    assert replay.live.figures == {}


def test_an_event_is_asked_about_once_for_both_sets(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    decide = Panel.decide

    def counting(panel: Panel, facts: Facts, **more: Any) -> list[Decision]:
        asked.append(len(panel.rules))
        return decide(panel, facts, **more)

    monkeypatch.setattr(Panel, "decide", counting)
    review = rule("review", "5", trigger="review.posted")
    replay = compare([rule(), review], [rule(formula="1"), review])
    posted = Recorded(NOON, "shop", "p1", "review.posted", 7, {})
    play(replay, [paid("A", 1000), posted], {})
    assert asked == [2, 1]
    assert replay.members == {(7, "points"): [15, 6]}


def test_multipliers_and_groups_stay_within_their_set() -> None:
    double = PublishedRule(
        "double", 1, 1, Rule("M", "倍", "order.paid", "true", None, "points", kind="multiplier", factor="2")
    )
    first, then = rule("a", "10", group="g", priority=1), rule("b", "30", group="g")
    sides = Side(RuleSet([first, then]), {"g": "first"}), Side(RuleSet([first, then, double]), {"g": "highest"})
    replay = begin(*sides, program_id=1, time_zone="Asia/Shanghai", since=NOON)
    play(replay, [paid("A", 1000)], {})
    assert replay.members == {(7, "points"): [10, 60]}


def test_a_replay_goes_on_from_its_memory_as_if_it_had_never_stopped() -> None:
    rules = [rule(caps=(Cap("day", "member", 25), Cap("month", "rule", 90)), budget=80)]
    events = [paid(f"A{n}", 100 * n, NOON + n * timedelta(hours=5), member=n % 3 + 1) for n in range(12)]
    events += [refunded(f"A{n}", 50 * n, NOON + n * timedelta(hours=5) + DAY, member=n % 3 + 1) for n in range(12)]
    events.sort(key=lambda event: (event.time, event.source, event.id))
    whole = compare([rule()], rules)
    play(whole, events, {})
    whole.note_recorded("2026-05-03", "order", "points", 1, 10)
    members: dict[tuple[int, str], list[int]] = {}
    memory = packed(compare([rule()], rules))
    for event in events:
        sliced = compare([rule()], rules)
        unpack(sliced, memory)
        play(sliced, [event], {})
        for key, (now, then) in sliced.members.items():
            known = members.setdefault(key, [0, 0])
            known[0] += now
            known[1] += then
        memory = packed(sliced)
    unpack(sliced, memory)
    sliced.note_recorded("2026-05-03", "order", "points", 1, 10)
    assert packed(sliced) == packed(whole)
    assert members == whole.members


def test_windows_that_are_over_are_forgotten() -> None:
    capped = rule(caps=(Cap("day", "member", 15), Cap("month", "member", 500)))
    replay = compare([capped], [capped])
    play(replay, [paid("A", 1000)], {})
    assert set(replay.live.used) == {"2026-05-03", "2026-05"}
    play(replay, [paid("B", 1000, NOON + DAY)], {})
    assert set(replay.live.used) == {"2026-05-04", "2026-05"}


def test_a_run_that_would_remember_too_much_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replays, "MOST_REMEMBERED", 4)
    capped = rule(caps=(Cap("total", "member", 500),))
    replay = compare([capped], [capped])
    play(replay, [paid("A", 1000)], {})
    with pytest.raises(TooMuchToRemember):
        play(replay, [paid("B", 1000, member=8)], {})


HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("frequency", "given", "cut"),
    [
        (Frequency((Times("day", 1),)), [10, 0, 0, 10, 0], "member_times_day"),
        (Frequency((Times("total", 2),)), [10, 10, 0, 0, 10], "member_times_total"),
        (Frequency(cooldown_hours=2), [10, 0, 10, 10, 0], "member_cooldown"),
    ],
)
def test_times_and_cool_downs_bind_as_in_real_life(frequency: Frequency, given: list[int], cut: str) -> None:
    limited = rule(formula="10", frequency=frequency)
    replay = compare([limited], [limited])
    found = []
    instants = [NOON, NOON + HOUR, NOON + 2 * HOUR, NOON + DAY, NOON + DAY + HOUR]
    for number, at in enumerate(instants):
        before = replay.live.figures["order"].awarded if number else 0
        if number == 4:
            play(replay, [refunded("0", 100, at)], {})
        memory = packed(replay)
        replay = compare([limited], [limited])
        unpack(replay, memory)
        play(replay, [paid(str(number), 100, at)], {})
        found.append(replay.live.figures["order"].awarded - before)
    assert found == given
    assert replay.live.figures["order"].cut[cut] == given.count(0)


def test_a_refund_of_the_last_award_ends_its_cool_down() -> None:
    limited = rule(formula="10", frequency=Frequency((Times("day", 2),), 24))
    events = [paid("A", 100), refunded("A", 60, NOON + HOUR), refunded("A", 40, NOON + 2 * HOUR, name="r2")]
    assert run(limited, limited, *events, paid("B", 100, NOON + 3 * HOUR)) == (10, 10)
    assert run(limited, limited, *events[:2], paid("B", 100, NOON + 3 * HOUR)) == (4, 4)
