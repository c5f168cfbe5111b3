"""Laws of events and orders: one payment an order, refunds once each, and how much of an award they take back."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.points.intake import domain
from services.points.intake.domain import Award, Event, EventFromTheFuture, Order
from services.points.programs.pending import UNCONFIRMED

NOON = datetime(2026, 5, 3, 4, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def event(id: str = "e1", *, time: datetime = NOON, **data: Any) -> Event:
    """An event of member 7."""
    return Event("shop", id, "order.paid", 7, time, data, b"")


def order(**given: Any) -> Order:
    """An order of 100.00."""
    return Order(7, "A1", **{"paid_event": "shop e1", "paid_fen": 10_000, **given})


def award(amount: int = 100, reversed: int = 0, **given: Any) -> Award:
    """An award of some points, posted at once."""
    defaults = {"amount": amount, "reversed": reversed, "parts": [amount - reversed]}
    return Award("shop e1", NOON, "order", 1, 17, "points", amount, **{**defaults, **given})


def test_source_and_id_name_an_event() -> None:
    assert event().key == ("shop", "e1")
    assert event().cause == "shop e1"


def test_an_order_is_paid_once() -> None:
    fresh = Order(7, "A1")
    assert domain.pay(fresh, event(paid_fen=500)) is None
    assert (fresh.paid_event, fresh.paid_fen) == ("shop e1", 500)
    assert domain.pay(fresh, event("e2", paid_fen=900)) == "order_already_paid"
    assert (fresh.paid_event, fresh.paid_fen) == ("shop e1", 500)


def test_refunds_add_up_and_each_counts_once() -> None:
    bought = order()
    assert domain.refund(bought, event("e2", refund_id="r1", refunded_fen=30)) is None
    assert domain.refund(bought, event("e3", refund_id="r1", refunded_fen=30)) == "refund_already_known"
    assert domain.refund(bought, event("e4", refund_id="r2", refunded_fen=12)) is None
    assert ([one.id for one in bought.refunds], bought.refunded_fen) == (["r1", "r2"], 42)


@pytest.mark.parametrize(
    ("refunded", "reversed_", "more"),
    [
        (0, 0, 0),
        (1, 0, 0),
        (99, 0, 0),
        (100, 0, 1),
        (5_000, 0, 50),
        (5_000, 50, 0),
        (9_999, 50, 49),
        (10_000, 99, 1),
        (10_000, 100, 0),
        (999_999, 0, 100),
    ],
)
def test_a_refund_takes_the_floor_of_its_share_less_what_was_taken(refunded: int, reversed_: int, more: int) -> None:
    assert domain.to_reverse(award(100, reversed_), refunded_fen=refunded, paid_fen=10_000) == more


def test_any_refund_of_an_order_that_cost_nothing_takes_all() -> None:
    assert domain.to_reverse(award(), refunded_fen=1, paid_fen=0) == 100
    assert domain.to_reverse(award(), refunded_fen=0, paid_fen=0) == 0


def test_an_order_is_confirmed_once() -> None:
    bought = order()
    assert domain.confirm(bought, event("e2", time=NOON + DAY)) is None
    assert (bought.confirmed_event, bought.confirmed_at) == ("shop e2", NOON + DAY)
    assert domain.confirm(bought, event("e3")) == "order_already_confirmed"
    assert bought.confirmed_at == NOON + DAY


@pytest.mark.parametrize(
    ("pending", "order_id", "confirmed_at", "until"),
    [
        ("none", None, None, None),
        ("none", "A1", NOON, None),
        ("7D", None, None, NOON + 7 * DAY),
        ("7D", "A1", NOON + DAY, NOON + 7 * DAY),
        ("order.confirmed+7D", "A1", None, UNCONFIRMED),
        ("order.confirmed+7D", "A1", NOON + 3 * DAY, NOON + 10 * DAY),
        ("order.confirmed+0D", "A1", NOON + 3 * DAY, NOON + 3 * DAY),
        ("order.confirmed+7D", None, None, NOON + 7 * DAY),
    ],
)
def test_what_waits_for_a_confirmation_waits_for_its_order_and_else_counts_from_the_event(
    pending: str, order_id: str | None, confirmed_at: datetime | None, until: datetime | None
) -> None:
    waiting = award(pending=pending, order_id=order_id)
    assert domain.awaits(waiting, confirmed_at, time_zone="Asia/Shanghai") == until


def test_an_award_is_taken_back_from_its_last_posting_first() -> None:
    grown = award(parts=[60, 0, 30, 10])
    assert domain.take_parts(grown, 25) == [(3, 10), (2, 15)]
    assert domain.take_parts(grown, 50) == [(2, 15), (0, 35)]
    assert grown.parts == [25, 0, 0, 0]
    assert domain.take_parts(grown, 99) == [(0, 25)]


def test_clocks_may_differ_by_a_day_and_the_past_is_always_welcome() -> None:
    domain.check_times([event(time=NOON + timedelta(days=1))], now=NOON)
    domain.check_times([event(time=NOON - timedelta(days=9_000))], now=NOON)
    with pytest.raises(EventFromTheFuture) as refusal:
        domain.check_times([event(time=NOON + timedelta(days=1, microseconds=1))], now=NOON)
    assert refusal.value.facts == {"event": "shop e1"}
