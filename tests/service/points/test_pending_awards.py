"""Pending awards: available some days after the order is confirmed, whichever came first (requirements P5)."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.points import jobs
from services.points.intake import routes
from services.points.ledger import account_routes, posting_sql
from tests.earning import Shop, at_once, event, paid, refunded
from tests.ledger import us

PAID_AT = datetime(2026, 5, 3, 4, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def confirmed(order_id: str = "A1", *, id: str | None = None, **given: Any) -> dict[str, Any]:
    """`order.confirmed`."""
    return event(id or f"confirmed-{order_id}", "order.confirmed", data={"order_id": order_id}, **given)


def iso(instant: datetime) -> str:
    """The instant as senders write it."""
    return instant.isoformat()


@pytest.fixture
def travel(shop: Shop) -> Iterator[Callable[[datetime], None]]:
    """Sets the time of intake and ledger; in the end it is today, and what became due meanwhile happens."""
    with pytest.MonkeyPatch.context() as patch:

        def to(instant: datetime) -> None:
            patch.setattr(posting_sql, "CLOCK", f"SELECT {us(instant)}::bigint")
            patch.setattr(routes, "now", lambda: instant)

        to(PAID_AT)
        yield to
    jobs.settle_due_accounts()


def figures(shop: Shop, instant: datetime) -> tuple[int, int]:
    """Balance, and what of it is available, at that time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(account_routes, "now", lambda: instant)
        account = shop.account()
    return account["balance"], account["available"]


def test_p5_an_order_earns_pending_points_that_its_confirmation_frees_after_a_week(
    shop: Shop, travel: Callable[[datetime], None]
) -> None:
    shop.put_asset("points", pending="order.confirmed+7D")
    shop.publish()
    shop.send_one(paid(paid_fen=12_890))
    assert figures(shop, PAID_AT) == (128, 0)
    assert figures(shop, PAID_AT + 300 * DAY) == (128, 0)
    travel(PAID_AT + 2 * DAY)
    shop.send_one(confirmed(time=iso(PAID_AT + 2 * DAY)))
    assert figures(shop, PAID_AT + 8 * DAY) == (128, 0)
    assert figures(shop, PAID_AT + 9 * DAY) == (128, 128)


def test_p5_a_refund_before_that_takes_back_what_is_pending(shop: Shop, travel: Callable[[datetime], None]) -> None:
    shop.put_asset("points", pending="order.confirmed+7D")
    shop.publish()
    shop.send_one(paid(paid_fen=12_890))
    travel(PAID_AT + 2 * DAY)
    shop.send_one(confirmed(time=iso(PAID_AT + 2 * DAY)))
    travel(PAID_AT + 3 * DAY)
    back = shop.send_one(refunded(2_890, time=iso(PAID_AT + 3 * DAY)))
    # 128 × 28.90 / 128.90 is 28 and a bit.
    assert back["reversed"][0]["amount"] == 28
    assert figures(shop, PAID_AT + 8 * DAY) == (100, 0)
    assert figures(shop, PAID_AT + 9 * DAY) == (100, 100)


@pytest.mark.parametrize("caps", [[], [{"per": "day", "of": "member", "amount": 110}]])
def test_a_confirmation_may_come_before_its_payment(
    shop: Shop, travel: Callable[[datetime], None], caps: list[dict[str, Any]]
) -> None:
    shop.publish(pending="order.confirmed+7D", caps=caps)
    travel(PAID_AT + DAY)
    shop.send_one(confirmed(time=iso(PAID_AT + DAY)))
    shop.send_one(paid(paid_fen=20_000))
    most = 110 if caps else 200
    assert figures(shop, PAID_AT + 8 * DAY - timedelta(seconds=1)) == (most, 0)
    assert figures(shop, PAID_AT + 8 * DAY) == (most, most)
    assert shop.send_one(confirmed(id="again"))["reason"] == "order_already_confirmed"


@pytest.mark.parametrize("caps", [[], [{"per": "day", "of": "member", "amount": 110}]])
def test_a_batch_may_hold_payment_refund_and_confirmation(
    shop: Shop, travel: Callable[[datetime], None], caps: list[dict[str, Any]]
) -> None:
    shop.publish(pending="order.confirmed+7D", caps=caps)
    travel(PAID_AT + DAY)
    shop.send(paid(), confirmed(time=iso(PAID_AT + DAY)), refunded(4_000, time=iso(PAID_AT + DAY)))
    assert figures(shop, PAID_AT + DAY) == (60, 0)
    assert figures(shop, PAID_AT + 8 * DAY) == (60, 60)


def test_confirming_a_capped_order_frees_what_it_was_awarded_and_what_it_grew_by(
    shop: Shop, travel: Callable[[datetime], None]
) -> None:
    shop.publish(pending="order.confirmed+7D", caps=[{"per": "day", "of": "member", "amount": 100}])
    shop.send(paid("A1", 8_000), paid("A2", 8_000, time=iso(PAID_AT + timedelta(hours=2))))
    travel(PAID_AT + DAY)
    shop.send_one(confirmed("A2", time=iso(PAID_AT + DAY)))
    assert figures(shop, PAID_AT + 8 * DAY) == (100, 20)
    shop.send_one(refunded(8_000, "A1", time=iso(PAID_AT + timedelta(hours=1))))
    assert figures(shop, PAID_AT + 2 * DAY) == (80, 0)
    assert figures(shop, PAID_AT + 8 * DAY) == (80, 80)


def test_confirming_an_order_whose_award_the_ledger_refused_frees_nothing(
    shop: Shop, travel: Callable[[datetime], None]
) -> None:
    shop.publish(pending="order.confirmed+7D", caps=[{"per": "day", "of": "member", "amount": 100}])
    shop.move("earn", 2**53 - 1)
    assert shop.send_one(paid())["decisions"][0]["reason"] == "ledger_refused: balance_too_large"
    shop.spend(2**53 - 1)
    asked = shop.rows("SELECT id, status FROM points_postings ORDER BY id")
    travel(PAID_AT + DAY)
    shop.send_one(confirmed(time=iso(PAID_AT + DAY)))
    assert shop.rows("SELECT id, status FROM points_postings ORDER BY id") == asked, "the ledger is not even asked"
    assert figures(shop, PAID_AT + 8 * DAY) == (0, 0)


def test_days_of_pending_count_from_the_event_also_for_what_has_no_order(
    shop: Shop, travel: Callable[[datetime], None]
) -> None:
    shop.publish("order", pending="3D", formula="10")
    shop.publish("review", trigger="review.posted", formula="5", pending="order.confirmed+2D")
    shop.send(paid(), event("e1"))
    assert figures(shop, PAID_AT + DAY) == (15, 0)
    assert figures(shop, PAID_AT + 2 * DAY) == (15, 5)
    assert figures(shop, PAID_AT + 3 * DAY) == (15, 15)


@pytest.mark.parametrize("caps", [[], [{"per": "month", "of": "member", "amount": 500}]])
def test_a_refund_that_races_a_confirmation_ends_in_the_same_place(
    shop: Shop, travel: Callable[[datetime], None], caps: list[dict[str, Any]]
) -> None:
    shop.publish(pending="order.confirmed+7D", caps=caps)
    shop.send(*(paid(f"A{n}") for n in range(4)))
    calls = [lambda n=n: shop.post(confirmed(f"A{n}")) for n in range(4)]
    calls += [lambda n=n: shop.post(refunded(6_000, f"A{n}")) for n in range(4)]
    assert {answer.status_code for answer in at_once(calls)} == {200}
    assert figures(shop, PAID_AT + DAY) == (160, 0)
    assert figures(shop, PAID_AT + 7 * DAY) == (160, 160)


def test_what_a_confirmation_awards_goes_with_the_order(shop: Shop) -> None:
    shop.publish("kept", trigger="order.confirmed", formula="30")
    shop.publish("capped", trigger="order.confirmed", formula="30", caps=[{"per": "day", "of": "member", "amount": 20}])
    shop.send(paid(), refunded(5_000))
    kept = shop.send_one(confirmed())
    assert sorted(one["amount"] for one in kept["reversed"]) == [10, 15]
    assert shop.send_one(refunded(5_000, refund_id="r2"))["reversed"] != []
    assert shop.balance() == 0


def test_a_confirmation_names_its_order(shop: Shop) -> None:
    answer = shop.post(event("e1", "order.confirmed"))
    assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (422, "/data/order_id")


_CAPPED = [{"per": "day", "of": "member", "amount": 110}]


def named(id: str, type: str = "goods.received", *, at: datetime = PAID_AT, **data: Any) -> dict[str, Any]:
    """An event that names an order or another event."""
    return event(id, type, data=data, time=iso(at))


@pytest.mark.parametrize("caps", [[], _CAPPED])
@pytest.mark.parametrize("first", ["order", "event", "together"])
def test_b5_what_waits_for_another_event_waits_for_one_that_names_its_order(
    shop: Shop, travel: Callable[[datetime], None], caps: list[dict[str, Any]], first: str
) -> None:
    shop.publish(pending="goods.received+7D", caps=caps)
    order, received = paid(), named("g", at=PAID_AT + DAY, order_id="A1")
    travel(PAID_AT + DAY)
    if first == "together":
        shop.send(received, order)
    else:
        for one in [order, received] if first == "order" else [received, order]:
            shop.send_one(one)
    assert figures(shop, PAID_AT + 8 * DAY - timedelta(seconds=1)) == (100, 0)
    assert figures(shop, PAID_AT + 8 * DAY) == (100, 100)


@pytest.mark.parametrize("caps", [[], _CAPPED])
@pytest.mark.parametrize("first", ["review", "approval", "together"])
def test_b5_what_no_order_earned_waits_for_one_that_names_its_event(
    shop: Shop, travel: Callable[[datetime], None], caps: list[dict[str, Any]], first: str
) -> None:
    shop.publish(trigger="review.posted", formula="50", pending="review.approved+1D", caps=caps)
    review, approved = event("r1", time=iso(PAID_AT)), named("a", "review.approved", at=PAID_AT + DAY, event="shop r1")
    travel(PAID_AT + DAY)
    if first == "together":
        shop.send(approved, review)
    else:
        for one in [review, approved] if first == "review" else [approved, review]:
            shop.send_one(one)
    assert figures(shop, PAID_AT + 2 * DAY - timedelta(seconds=1)) == (50, 0)
    assert figures(shop, PAID_AT + 2 * DAY) == (50, 50)


def test_an_event_that_names_something_else_frees_nothing(shop: Shop, travel: Callable[[datetime], None]) -> None:
    shop.publish(pending="goods.received+0D")
    shop.publish("review", trigger="review.posted", formula="5", pending="review.approved+0D")
    shop.send(paid(), event("r1", time=iso(PAID_AT)))
    others = [
        named("g1", order_id="A2"),
        named("g2", event="shop paid-A1"),
        named("g3", "goods.sent", order_id="A1"),
        named("g4", order_id=17, event=["shop r1"]),
        named("g5", "review.approved", event="shop r2"),
        named("g6", "review.approved", event="shop  r1"),
        named("g7", "review.approved", order_id="A1"),
        {**named("g8", order_id="A1"), "subject": "member:8"},
    ]
    for one in others:
        assert shop.send_one(one)["reason"] is None
    assert figures(shop, PAID_AT + 300 * DAY) == (105, 0)
    shop.send(named("g9", order_id="A1"), named("g10", "review.approved", event="shop r1"))
    assert figures(shop, PAID_AT) == (105, 105)


def test_of_several_events_the_earliest_counts_whichever_came_first(
    shop: Shop, travel: Callable[[datetime], None]
) -> None:
    shop.publish(pending="goods.received+7D", caps=_CAPPED)
    travel(PAID_AT + 3 * DAY)
    early, late = (named(f"g{day}", at=PAID_AT + day * DAY, order_id="A1") for day in (1, 3))
    shop.send_one(paid())
    shop.send_one(late)
    assert figures(shop, PAID_AT + 9 * DAY) == (100, 0)
    shop.send_one(early)
    assert figures(shop, PAID_AT + 8 * DAY) == (100, 100)
    shop.send_one(named("g2", at=PAID_AT + 2 * DAY, order_id="A1"))
    assert figures(shop, PAID_AT + 8 * DAY) == (100, 100)


def test_what_was_earned_before_its_asset_waited_otherwise_waits_as_it_did(
    shop: Shop, travel: Callable[[datetime], None]
) -> None:
    shop.put_asset("points", pending="goods.received+0D")
    shop.publish()
    shop.send_one(paid())
    shop.put_asset("points", pending="none")
    assert figures(shop, PAID_AT) == (100, 0)
    shop.send_one(named("g", order_id="A1"))
    assert figures(shop, PAID_AT) == (100, 100)


def test_nothing_is_kept_for_events_that_nobody_waits_for(shop: Shop, travel: Callable[[datetime], None]) -> None:
    shop.publish(trigger="review.posted", formula="data.stars", pending="review.approved+0D")
    shop.send(
        event("r1", data={"stars": 0}), event("r2", data={"stars": 3}), named("g", "goods.received", order_id="A")
    )
    assert shop.rows("SELECT order_id, told FROM points_orders") == [("event\tshop r2", {"review.approved": None})]


def test_what_waits_for_a_day_is_there_when_it_begins(shop: Shop, travel: Callable[[datetime], None]) -> None:
    shop.publish(pending="until:2026-06-01")
    shop.send_one(paid())
    begins = datetime(2026, 5, 31, 16, 0, tzinfo=UTC)
    assert figures(shop, begins - timedelta(seconds=1)) == (100, 0)
    assert figures(shop, begins) == (100, 100)


@pytest.mark.parametrize("caps", [[], _CAPPED])
def test_an_event_that_races_what_it_names_is_not_missed(
    shop: Shop, travel: Callable[[datetime], None], caps: list[dict[str, Any]]
) -> None:
    shop.publish(pending="goods.received+0D", caps=caps)
    orders = [paid(f"A{n}", 1_000) for n in range(6)]
    received = [named(f"g{n}", order_id=f"A{n}") for n in range(6)]
    calls = [lambda one=one: shop.post(one) for pair in zip(orders, received, strict=True) for one in pair]
    assert {answer.status_code for answer in at_once(calls)} == {200}
    assert figures(shop, PAID_AT) == (60, 60)
