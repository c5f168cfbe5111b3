"""Laws of claims' windows: what is new, late, settled, refunded or truncated by a budget, without a database."""

from datetime import UTC, datetime, timedelta
from typing import Any

from services.points.budgets.domain import Pot, Slot, parts
from services.points.intake import claims
from services.points.intake.claims import LATE, Given, Window
from services.points.intake.domain import Award, Event

NOON = datetime(2026, 5, 3, 4, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ZONE = "Asia/Shanghai"


def award(name: str, wanted: int, at: datetime = NOON, **given: Any) -> Award:
    """A claim under 100 a day unless told."""
    defaults = {"limits": (("day", 100),), "amount": 0}
    return Award(f"shop {name}", at, "order", 1, 17, "points", wanted, **{**defaults, **given})


def event(name: str = "new") -> Event:
    """An event that brings something new."""
    return Event("shop", name, "t", 7, NOON, {}, b"")


def window(*known: Award, **given: Any) -> Window:
    """A window with claims that stand."""
    made = Window(7, "order", sum(one.amount - one.reversed for one in known), **given)
    made.newest = max((one.at for one in known), default=None)
    made.awards = {one.event: one for one in known}
    return made


def back(of: Award, part: int, whole: int, at: datetime, *, by: Event | None = None, amount: int = 0) -> Given:
    """A refund of a claim."""
    return Given(f"r{part}", at, of.event, of.at, part, whole, amount, by)


def reach(it: Window, *instants: datetime) -> None:
    """Reach back to the instants."""
    claims.reach(it, instants, [("day", 100)], time_zone=ZONE)


def test_a_window_is_known_from_the_start_of_its_widest_period() -> None:
    it = window(widest=1)
    claims.reach(it, [NOON], [("total", 9), ("month", 9), ("event", 9)], time_zone=ZONE)
    assert (it.widest, it.since) == (3, NOON)
    assert it.start == datetime(2026, 4, 26, 16, 0, tzinfo=UTC)
    other = window()
    claims.reach(other, [NOON, NOON + DAY], [("total", 9)], time_zone=ZONE)
    assert (other.widest, other.start, other.since) == (0, NOON, NOON)
    assert not other.counts_for_ever


def test_a_window_reaches_back_as_far_as_any_of_its_claims_ever_did() -> None:
    it = window()
    claims.reach(it, [NOON], [("cooldown", 100), ("times day", 2)], time_zone=ZONE)
    assert (it.widest, it.cooldown_hours, it.start, it.since) == (1, 100, NOON - 100 * HOUR, NOON)
    claims.reach(it, [NOON], [("cooldown", 1), ("times week", 2)], time_zone=ZONE)
    assert (it.widest, it.cooldown_hours, it.start) == (2, 100, datetime(2026, 4, 26, 16, 0, tzinfo=UTC))
    claims.reach(it, [NOON], [("times total", 2)], time_zone=ZONE)
    assert it.counts_for_ever


def test_awards_of_long_ago_count_where_times_have_no_end() -> None:
    limits = (("times total", 1),)
    first = award("a", 30, NOON - 900 * DAY, amount=30, limits=limits)
    it = window(first)
    it.releases = {("shop a", "r1"): back(first, 1, 1, NOON + HOUR, amount=30)}
    first.reversed, it.total = 30, 0
    claims.reach(it, [NOON], limits, time_zone=ZONE)
    early, late = award("b", 50, limits=limits), award("c", 70, NOON + 2 * HOUR, limits=limits)
    for one in (early, late):
        claims.add(it, one, event())
    changes = {one.award.event: one for one in claims.settle(it, {}, time_zone=ZONE)}
    # At noon the first one still stood.
    assert (early.amount, changes["shop b"].share.capped, late.amount, it.total) == (0, "times total", 70, 70)


def test_a_late_claim_takes_from_those_after_it() -> None:
    second = award("b", 80, NOON + HOUR, amount=80, parts=[80])
    it = window(second)
    reach(it, NOON)
    first = award("a", 70)
    claims.add(it, first, event())
    changes = claims.settle(it, {}, time_zone=ZONE)
    assert {(one.award.event, one.before, one.after, one.adjust) for one in changes} == {
        ("shop b", 80, 30, -50),
        ("shop a", 0, 70, 70),
    }
    assert (it.total, it.newest) == (100, NOON + HOUR)


def test_what_lies_behind_the_late_limit_is_settled() -> None:
    newest = award("z", 10, NOON + LATE + HOUR, amount=10)
    old = award("b", 80, NOON + HOUR / 2, amount=80)
    it = window(old, newest)
    reach(it, NOON)
    late = award("a", 70)
    claims.add(it, late, event())
    [change] = claims.settle(it, {}, time_zone=ZONE)
    assert (change.award, change.after, change.share.capped) == (late, 20, "day")
    assert (old.amount, it.total, it.newest) == (80, 110, newest.at)


def test_a_refund_of_a_claim_that_is_long_settled_gives_back_of_what_stands() -> None:
    old = award("a", 80, NOON - 60 * DAY, amount=80, parts=[80])
    newest = award("z", 10, amount=10)
    it = window(old, newest)
    it.releases = {("shop a", "r1"): back(old, 1, 4, NOON - 50 * DAY, amount=20)}
    old.reversed, it.total = 20, 70
    reach(it, old.at)
    given = back(old, 2, 4, NOON, by=event())
    claims.give_back(it, given, event())
    pots = {("order", "budget"): Pot(800, {n: Slot(share, 50) for n, share in enumerate(parts(800))})}
    old.spans = {"budget": 800}
    assert claims.settle(it, pots, time_zone=ZONE) == []
    assert (given.amount, old.amount, old.reversed, it.total) == (40, 80, 60, 30)
    assert sum(slot.used for slot in pots["order", "budget"].slots.values()) == 8 * 50 - 40


def test_a_budget_that_has_too_little_leaves_the_cap_to_the_next() -> None:
    it = window()
    reach(it, NOON)
    first = award("a", 80, spans={"budget": 30})
    second = award("b", 80, NOON + HOUR)
    for one in (first, second):
        claims.add(it, one, event())
    pots = {("order", "budget"): Pot(30, {n: Slot(share, 0) for n, share in enumerate(parts(30))})}
    claims.settle(it, pots, time_zone=ZONE)
    assert (first.amount, first.most, first.short) == (30, 30, "budget")
    assert (second.amount, second.short) == (70, None)
    assert pots["order", "budget"].left == 0


def test_an_old_refund_changes_with_its_award_and_only_the_new_one_is_posted_as_a_refund() -> None:
    first = award("a", 80, amount=80, reversed=40)
    it = window(first)
    it.releases = {("shop a", "r1"): back(first, 1, 2, NOON + 2 * HOUR, amount=40)}
    reach(it, NOON - HOUR)
    earlier = award("z", 60, NOON - HOUR)
    claims.add(it, earlier, event())
    changes = {one.award.event: one for one in claims.settle(it, {}, time_zone=ZONE)}
    # 80 of which 40 came back become 40 of which 20 came back: 20 less in all.
    assert (changes["shop a"].after, changes["shop a"].adjust, first.reversed) == (40, -20, 20)
    assert it.total == 60 + 20


def test_what_the_ledger_refused_is_neither_used_nor_given_back() -> None:
    first = award("a", 80, amount=80, reversed=60)
    it = window(first)
    it.releases = {("shop a", "r3"): back(first, 3, 4, NOON, amount=60)}
    first.amount -= 50
    claims.forget_lost(it, first, 50)
    assert (first.reversed, it.releases["shop a", "r3"].amount, it.total) == (30, 30, 0)
