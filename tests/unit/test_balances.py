"""Laws of reading: what is due counts as happened, a month has exact bounds, flows add up."""

from datetime import UTC, datetime, timedelta

import pytest

from common.clock import from_epoch_day
from services.points.ledger import balances
from services.points.ledger.balances import Expiring
from services.points.ledger.domain import Kind
from services.points.programs.domain import NEVER
from tests.ledger import NOON, TODAY, ZONE

HOUR = timedelta(hours=1)


def present(buckets: list[int], *holds: tuple[datetime, int, list[int]], **given: int) -> balances.Balance:
    held = sum(amount for _, amount, _ in holds)
    debt = given.get("debt", 0)
    balance = sum(buckets[1::2]) + held - debt
    return balances.present("points", balance, held, debt, buckets, holds, now=NOON, zone=ZONE)


def test_nothing_posted_is_nothing_owned() -> None:
    nothing = balances.nothing("points")
    assert (nothing.balance, nothing.available, nothing.held, nothing.debt, nothing.lots) == (0, 0, 0, 0, [])
    assert nothing.next_expiry is None


def test_lots_are_shown_by_their_last_day_and_what_never_expires_has_none() -> None:
    it = present([TODAY, 10, TODAY + 3, 5, NEVER, 7])
    assert it.lots == [
        Expiring(from_epoch_day(TODAY), 10),
        Expiring(from_epoch_day(TODAY + 3), 5),
        Expiring(None, 7),
    ]
    assert it.next_expiry == it.lots[0]
    assert present([NEVER, 7]).next_expiry is None


def test_a_reader_never_sees_an_expired_point() -> None:
    it = present([TODAY - 2, 100, TODAY - 1, 10, TODAY, 1])
    assert (it.balance, it.available, it.lots) == (1, 1, [Expiring(from_epoch_day(TODAY), 1)])


def test_a_hold_past_its_deadline_has_given_its_lots_back() -> None:
    it = present([TODAY, 1], (NOON, 30, [TODAY - 1, -10, TODAY, -20]))
    assert (it.balance, it.held, it.available) == (21, 0, 21)


def test_a_hold_before_its_deadline_still_holds() -> None:
    it = present([TODAY, 1], (NOON + HOUR, 30, [TODAY - 1, -10, TODAY, -20]))
    assert (it.balance, it.held, it.available) == (31, 30, 1)


def test_what_a_dead_hold_gives_back_pays_the_debt_first() -> None:
    it = present([], (NOON - HOUR, 30, [TODAY, -10, TODAY + 1, -20]), debt=12)
    assert (it.balance, it.held, it.debt, it.available) == (18, 0, 0, 18)
    assert it.lots == [Expiring(from_epoch_day(TODAY + 1), 18)]


def test_reading_changes_nothing() -> None:
    buckets, moves = [TODAY - 1, 10, TODAY, 1], [TODAY, -20]
    present(buckets, (NOON, 20, moves))
    assert (buckets, moves) == ([TODAY - 1, 10, TODAY, 1], [TODAY, -20])


@pytest.mark.parametrize(
    ("month", "zone", "start", "end"),
    [
        ("2026-05", "Asia/Shanghai", (2026, 4, 30, 16), (2026, 5, 31, 16)),
        ("2026-12", "Asia/Shanghai", (2026, 11, 30, 16), (2026, 12, 31, 16)),
        ("2028-02", "UTC", (2028, 2, 1, 0), (2028, 3, 1, 0)),
        ("2026-03", "America/New_York", (2026, 3, 1, 5), (2026, 4, 1, 4)),
        ("2026-11", "America/New_York", (2026, 11, 1, 4), (2026, 12, 1, 5)),
    ],
)
def test_a_month_is_cut_in_the_programs_zone(
    month: str, zone: str, start: tuple[int, ...], end: tuple[int, ...]
) -> None:
    bounds = tuple(datetime(*parts, tzinfo=UTC) for parts in (start, end))  # type: ignore[misc, arg-type]
    assert balances.month_bounds(month, zone) == bounds


@pytest.mark.parametrize("month", ["2026-13", "2026-00", "2026", "May 2026", "2026-5x", "9999-12", ""])
def test_what_is_no_month_is_refused(month: str) -> None:
    with pytest.raises(balances.BadMonth):
        balances.month_bounds(month, ZONE)


def test_flows_add_up_to_what_is_outstanding() -> None:
    totals = {Kind.EARN: 100, Kind.SPEND: -30, Kind.CAPTURE: -5, Kind.EXPIRE: -7, Kind.REVERSE: -20, Kind.HOLD: 0}
    it = balances.flows(totals)
    assert it == {"issued": 100, "redeemed": 35, "expired": 7, "reversed": -20}
    assert it["issued"] + it["reversed"] - it["redeemed"] - it["expired"] == sum(totals.values())
    assert balances.flows({}) == {"issued": 0, "redeemed": 0, "expired": 0, "reversed": 0}
