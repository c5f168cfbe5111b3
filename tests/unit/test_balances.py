"""Laws of reading: what is due counts as happened, a month has exact bounds, flows add up."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from common.clock import from_epoch_day
from services.points.ledger import balances
from services.points.ledger.balances import Awaited, Expiring, Lifetime, Reserved
from services.points.ledger.domain import Hold, Kind, Purpose
from services.points.programs.validity import IDLE, NEVER
from tests.ledger import NOON, TODAY, ZONE, account, open_hold, us

HOUR = timedelta(hours=1)


def holding(*moves: int, until: datetime = NOON + HOUR, **given: Any) -> Hold:
    return open_hold(*moves, key=str(moves), expires_at_us=us(until), **given)


def awaiting(day: int, amount: int, *, until: datetime) -> Hold:
    return holding(day, -amount, until=until, purpose=Purpose.PENDING, validity="unlimited")


def shown(buckets: list[int], *holds: Hold, **given: Any) -> balances.Balance:
    mine = account(*buckets, held=sum(hold.left for hold in holds), **given)
    return balances.present("points", mine, holds, {}, at=NOON, zone=ZONE)


def test_nothing_posted_is_nothing_owned() -> None:
    nothing = balances.nothing("points", at=NOON)
    assert (nothing.balance, nothing.available, nothing.held, nothing.debt, nothing.lots) == (0, 0, 0, 0, [])
    assert nothing.next_expiry is None
    assert nothing.next_activation is None
    assert nothing.lifetime == Lifetime()


def test_lots_are_shown_by_their_last_day_and_what_never_expires_has_none() -> None:
    it = shown([TODAY, 10, TODAY + 3, 5, NEVER, 7])
    assert it.lots == [
        Expiring(from_epoch_day(TODAY), 10),
        Expiring(from_epoch_day(TODAY + 3), 5),
        Expiring(None, 7),
    ]
    assert it.next_expiry == it.lots[0]
    assert shown([NEVER, 7]).next_expiry is None


def test_what_lives_until_the_account_is_idle_is_shown_under_the_day_when_that_will_be() -> None:
    it = shown([TODAY + 9, 1, IDLE, 7], idle_day=TODAY + 5)
    assert it.lots == [Expiring(from_epoch_day(TODAY + 5), 7), Expiring(from_epoch_day(TODAY + 9), 1)]
    assert shown([IDLE, 7], idle_day=TODAY - 1).balance == 0


def test_a_reader_never_sees_an_expired_point() -> None:
    it = shown([TODAY - 2, 100, TODAY - 1, 10, TODAY, 1])
    assert (it.balance, it.available, it.lots) == (1, 1, [Expiring(from_epoch_day(TODAY), 1)])
    assert it.lifetime == Lifetime(expired=110)


def test_a_hold_past_its_deadline_has_given_its_lots_back() -> None:
    it = shown([TODAY, 1], holding(TODAY - 1, -10, TODAY, -20, until=NOON))
    assert (it.balance, it.held, it.available, it.holds) == (21, 0, 21, [])


def test_a_hold_before_its_deadline_still_holds() -> None:
    held = holding(TODAY - 1, -10, TODAY, -20)
    it = shown([TODAY, 1], held)
    assert (it.balance, it.held, it.available) == (31, 30, 1)
    assert it.holds == [Reserved(held.id, 30, NOON + HOUR)]


def test_what_a_dead_hold_gives_back_pays_the_debt_first() -> None:
    it = shown([], holding(TODAY, -10, TODAY + 1, -20, until=NOON - HOUR), debt=12)
    assert (it.balance, it.held, it.debt, it.available) == (18, 0, 0, 18)
    assert it.lots == [Expiring(from_epoch_day(TODAY + 1), 18)]


def test_what_is_pending_is_owned_but_not_available() -> None:
    later, sooner = awaiting(TODAY + 30, 8, until=NOON + 2 * HOUR), awaiting(TODAY + 9, 5, until=NOON + HOUR)
    it = shown([TODAY, 1], later, holding(TODAY, -2), sooner)
    assert (it.balance, it.available, it.pending, it.held) == (16, 1, 13, 2)
    assert it.available + it.pending + it.held - it.debt == it.balance
    assert [one.amount for one in it.awaited] == [5, 8]
    assert it.next_activation == Awaited(sooner.id, 5, NOON + HOUR)


def test_a_pending_earning_whose_time_has_come_is_available_though_nobody_wrote_it() -> None:
    it = shown([], awaiting(TODAY + 30, 8, until=NOON), debt=3)
    assert (it.balance, it.available, it.pending, it.debt) == (5, 5, 0, 0)
    assert it.lots == [Expiring(from_epoch_day(TODAY + 30), 5)]
    assert it.next_activation is None


def test_a_lifetime_adds_up_to_the_balance() -> None:
    sums = {
        Kind.EARN: 100,
        Kind.SPEND: -30,
        Kind.CAPTURE: -5,
        Kind.EXPIRE: -7,
        Kind.REVERSE: -20,
        Kind.TRANSFER_IN: 9,
        Kind.TRANSFER_OUT: -4,
        Kind.HOLD: 0,
    }
    it = balances.lifetime(sums)
    assert it == Lifetime(earned=100, spent=35, expired=7, reversed=-20, transferred=5)
    assert it.earned - it.spent - it.expired + it.reversed + it.transferred == sum(sums.values())


@pytest.mark.parametrize(
    ("month", "zone", "start", "end"),
    [
        ("2026-05", "Asia/Shanghai", "2026-04-30T16Z", "2026-05-31T16Z"),
        ("2026-12", "Asia/Shanghai", "2026-11-30T16Z", "2026-12-31T16Z"),
        ("2028-02", "UTC", "2028-02-01T00Z", "2028-03-01T00Z"),
        ("2026-03", "America/New_York", "2026-03-01T05Z", "2026-04-01T04Z"),
        ("2026-11", "America/New_York", "2026-11-01T04Z", "2026-12-01T05Z"),
    ],
)
def test_a_month_is_cut_in_the_programs_zone(month: str, zone: str, start: str, end: str) -> None:
    assert balances.month_bounds(month, zone) == (datetime.fromisoformat(start), datetime.fromisoformat(end))


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
