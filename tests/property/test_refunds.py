"""Refunds take back what was really awarded: parts sum to the whole, in whatever order facts arrive."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from common.service import Service
from services.points.database import transaction
from services.points.intake import domain, use_cases
from services.points.intake.domain import Award, Event, Order
from tests.earning import Shop, open_shop
from tests.thoroughness import examples

NOON = datetime(2026, 5, 3, 4, 0, tzinfo=UTC)
AMOUNTS = st.integers(1, 10**10)
MONEY = st.integers(1, 2**53 - 1)


@pytest.fixture(scope="module")
def shop(points_migrated: Service) -> Iterator[Shop]:
    """One shop for all examples: each has members and orders of its own."""
    for made in open_shop(points_migrated):
        made.publish("growth", asset="growth", formula="data.paid_fen / 7")
        made.publish("points", formula="data.paid_fen * 3 / 100")
        yield made


@given(award=AMOUNTS, paid=MONEY, data=st.data())
def test_parts_of_refunds_sum_to_the_floor_of_the_whole_share(award: int, paid: int, data: st.DataObject) -> None:
    order = Order(7, "A1", awards=[_award(award)])
    parts = data.draw(st.lists(st.integers(1, paid), min_size=1, max_size=6))
    pays_at = data.draw(st.integers(0, len(parts)))
    taken = []
    for number, part in enumerate([*parts, 0]):
        if number == pays_at:
            assert domain.pay(order, _event("paid", {"paid_fen": paid})) is None
        if part:
            domain.refund(order, _event("r", {"refund_id": f"r{number}", "refunded_fen": part}))
        more = _to_reverse(order, order.awards[0])
        assert more >= 0
        order.awards[0].reversed += more
        taken.append(more)
    refunded = sum(parts)
    assert sum(taken) == (award if refunded >= paid else award * refunded // paid)


@given(award=AMOUNTS, cuts=st.lists(MONEY, min_size=1, max_size=6))
def test_a_whole_refund_in_any_parts_takes_the_whole_award(award: int, cuts: list[int]) -> None:
    order = Order(7, "A1", "shop paid", sum(cuts))
    one = _award(award)
    for number, part in enumerate(cuts):
        domain.refund(order, _event("r", {"refund_id": str(number), "refunded_fen": part}))
        one.reversed += _to_reverse(order, one)
        assert one.reversed <= award
    assert one.reversed == award


_PAYMENTS = st.dictionaries(st.sampled_from("AB"), st.integers(0, 20_000))
_REFUNDS = st.lists(st.tuples(st.sampled_from("AB"), st.integers(0, 3)), max_size=5)


@st.composite
def facts_of_orders(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Facts of up to two orders: payments, and refunds of which some are told twice; a refund's id says its amount."""
    payments = [{"order_id": order_id, "paid_fen": fen} for order_id, fen in draw(_PAYMENTS).items()]
    refunds = [
        {"order_id": order_id, "refund_id": f"r{number}", "refunded_fen": 2_000 + 1_500 * number}
        for order_id, number in draw(_REFUNDS)
    ]
    return payments + refunds


_member = iter(range(1, 10**9))


@settings(max_examples=examples(12), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(facts=facts_of_orders(), data=st.data())
def test_the_order_of_arrival_is_irrelevant(shop: Shop, facts: list[dict[str, Any]], data: st.DataObject) -> None:
    """The same facts in two orders, in requests cut differently, some sent again: the same figures in the end."""
    ends = []
    for _ in range(2):
        member_id = next(_member)
        sent = data.draw(st.permutations(list(enumerate(facts))))
        cut = data.draw(st.integers(0, len(sent)))
        for batch in (sent[:cut], sent[cut:], sent[:cut]):
            _take_in(member_id, batch)
        ends.append(_end(shop, member_id))
    assert ends[0] == ends[1]


def test_every_order_of_a_payment_and_two_refunds_ends_alike(shop: Shop) -> None:
    facts = list(
        enumerate(
            [
                {"order_id": "A", "paid_fen": 9_999},
                {"order_id": "A", "refund_id": "r1", "refunded_fen": 3_333},
                {"order_id": "A", "refund_id": "r2", "refunded_fen": 3_334},
            ]
        )
    )
    ends = []
    for arrival in permutations(facts):
        member_id = next(_member)
        for one in arrival:
            _take_in(member_id, [one])
        ends.append(_end(shop, member_id))
    points, growth = 299 - 299 * 6_667 // 9_999, 1_428 - 1_428 * 6_667 // 9_999
    assert [end["balances"] for end in ends] == [{"points": points, "growth": growth}] * 6
    assert all(end == ends[0] for end in ends)


def _award(amount: int) -> Award:
    return Award("shop paid", NOON, "order", 1, 1, "points", amount, amount=amount)


def _to_reverse(order: Order, award: Award) -> int:
    if order.paid_event is None:
        return 0
    return domain.to_reverse(award, refunded_fen=order.refunded_fen, paid_fen=order.paid_fen)


def _event(id: str, data: dict[str, Any]) -> Event:
    return Event("shop", id, "t", 7, NOON, data, b"")


def _take_in(member_id: int, batch: list[tuple[int, dict[str, Any]]]) -> None:
    events = [
        Event(
            "shop",
            f"{member_id}-{number}",
            "order.paid" if "paid_fen" in data else "order.refunded",
            member_id,
            NOON + timedelta(minutes=number),
            data,
            str(number).encode(),
        )
        for number, data in batch
    ]
    with transaction() as session:
        use_cases.take_in(session, program_id=1, events=events, now=NOON + timedelta(days=1))


def _end(shop: Shop, member_id: int) -> dict[str, Any]:
    """What is left: balances, and the rows of orders without what names this run."""
    orders = shop.rows(
        "SELECT order_id, paid_fen, refunded_fen, (SELECT array_agg(r ORDER BY r) FROM unnest(refunds) r),"
        " jsonb_path_query_array(awards, '$[*].rule'), jsonb_path_query_array(awards, '$[*].amount'),"
        " jsonb_path_query_array(awards, '$[*].reversed')"
        f" FROM points_orders WHERE member_id = {member_id} ORDER BY order_id"
    )
    balances = {asset: shop.balance(member_id, asset) for asset in ("points", "growth")}
    return {"orders": orders, "balances": balances}
