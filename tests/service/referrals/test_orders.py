"""Facts of orders: told twice, late, in the wrong order, or not usable at all, they leave one and the same state."""

from typing import Any

import pytest
from sqlalchemy import event

from tests.referrals import NOW, Referrals


def test_refund_before_order_and_order_before_refund_end_the_same(referrals: Referrals) -> None:
    referrals.campaign()
    code = referrals.code(1)
    for member_id in (2, 3):
        referrals.bind(member_id, code)
    referrals.paid(2, "o2", 100)
    referrals.refunded(2, "o2", 100)
    referrals.refunded(3, "o3", 100)
    referrals.paid(3, "o3", 100)
    states = referrals.sql("SELECT state, reason FROM referrals_bindings ORDER BY member_id")
    assert states == [("revoked", "refunded"), ("revoked", "refunded")]
    assert len(referrals.granted()) == len(referrals.reversed()) == 2
    referrals.paid(3, "later", 100)
    assert len(referrals.granted()) == 2


def test_an_order_told_again_under_another_event_changes_nothing(referrals: Referrals) -> None:
    referrals.campaign()
    referrals.bind(2, referrals.code(1))
    for fen in (100, 100, 999):
        referrals.order(2, "o1", fen)
    referrals.pull("points")
    referrals.paid(2, "o1", 5)
    assert referrals.sql("SELECT paid_fen FROM referrals_orders") == [(100,)]
    assert len(referrals.granted()) == 2


def test_a_refund_told_again_under_another_event_counts_once(referrals: Referrals) -> None:
    referrals.campaign()
    referrals.bind(2, referrals.code(1))
    referrals.paid(2, "o1", 100)
    for _ in range(3):
        referrals.event("order.refunded", 2, {"order_id": "o1", "refund_id": "r1", "refunded_fen": 50})
    referrals.pull("points")
    referrals.refunded(2, "o1", 50, "r1")
    assert referrals.sql("SELECT refunded_fen FROM referrals_orders") == [(50,)]
    assert referrals.reversed() == []
    referrals.refunded(2, "o1", 50, "r2")
    assert len(referrals.reversed()) == 2


def test_two_refunds_in_one_page_make_up_the_whole(referrals: Referrals) -> None:
    referrals.campaign()
    referrals.bind(2, referrals.code(1))
    referrals.paid(2, "o1", 100)
    for refund in ("r1", "r2"):
        referrals.event("order.refunded", 2, {"order_id": "o1", "refund_id": refund, "refunded_fen": 50}, event=refund)
    referrals.pull("points")
    assert {fact["cause"] for fact in referrals.facts("reward.reversed")} == {"r2"}


def test_an_order_that_cost_nothing_is_not_refunded_by_itself(referrals: Referrals) -> None:
    referrals.paid(2, "o1", 0)
    assert referrals.sql("SELECT paid_fen, refunded_fen FROM referrals_orders") == [(0, 0)]
    assert referrals.bind(2, "ZZZZZZZZ").status_code == 404


@pytest.mark.parametrize(
    ("topic", "member_id", "data", "reason"),
    [
        ("order.paid", None, {"order_id": "o1", "paid_fen": 1}, "no member"),
        ("order.paid", 2, None, "data is no object"),
        ("order.paid", 2, {"paid_fen": 1}, "order_id is no text of 1 to 128 characters"),
        ("order.paid", 2, {"order_id": "", "paid_fen": 1}, "order_id is no text of 1 to 128 characters"),
        ("order.paid", 2, {"order_id": "o" * 129, "paid_fen": 1}, "order_id is no text of 1 to 128 characters"),
        ("order.paid", 2, {"order_id": "o1", "paid_fen": -1}, "paid_fen is no integer from 0 to 9007199254740991"),
        ("order.paid", 2, {"order_id": "o1", "paid_fen": True}, "paid_fen is no integer from 0 to 9007199254740991"),
        ("order.paid", 2, {"order_id": "o1", "paid_fen": 2**53}, "paid_fen is no integer from 0 to 9007199254740991"),
        ("order.refunded", 2, {"order_id": "o1", "refunded_fen": 1}, "refund_id is no text of 1 to 128 characters"),
        (
            "order.refunded",
            2,
            {"order_id": "o1", "refund_id": "r", "refunded_fen": 0},
            "refunded_fen is no integer from 1 to 9007199254740991",
        ),
    ],
)
def test_what_cannot_be_used_is_set_aside_with_its_reason_and_stops_nothing(
    referrals: Referrals, topic: str, member_id: int | None, data: Any, reason: str
) -> None:
    referrals.event(topic, member_id, data)
    referrals.paid(3, "good", 1)
    referrals.replay()
    assert referrals.sql("SELECT topic, fact_id, reason FROM referrals_set_aside_facts") == [(topic, 1, reason)]
    assert referrals.sql("SELECT order_id FROM referrals_orders") == [("good",)]


def test_an_order_belongs_to_the_member_it_was_first_told_of(referrals: Referrals) -> None:
    referrals.order(2, "o1", 100)
    referrals.order(3, "o1", 100)
    referrals.pull("points")
    referrals.refunded(4, "o1", 100)
    referrals.paid(3, "o1", 100, program_id=2)
    assert referrals.sql("SELECT program_id, member_id, refunded_fen FROM referrals_orders ORDER BY 1") == [
        (1, 2, 0),
        (2, 3, 0),
    ]
    assert referrals.sql("SELECT fact_id, reason FROM referrals_set_aside_facts ORDER BY 1") == [
        (2, "the order belongs to another member"),
        (3, "the order belongs to another member"),
    ]


def test_a_page_of_orders_of_members_nobody_invited_takes_a_handful_of_statements(referrals: Referrals) -> None:
    for number in range(500):
        referrals.order(number + 1, f"o{number}", 100)
    statements: list[str] = []

    def note(*call: Any) -> None:
        statements.append(call[2])

    event.listen(referrals.service.database.engine, "before_cursor_execute", note)
    try:
        referrals.pull("points")
    finally:
        event.remove(referrals.service.database.engine, "before_cursor_execute", note)
    assert referrals.sql("SELECT count(*) FROM referrals_orders") == [(500,)]
    assert len(statements) <= 10


def test_a_page_with_nothing_usable_writes_no_order(referrals: Referrals) -> None:
    for topic in ("order.paid", "order.refunded"):
        referrals.event(topic, None, {})
    referrals.pull("points")
    assert len(referrals.sql("SELECT 1 FROM referrals_set_aside_facts")) == 2
    assert referrals.sql("SELECT 1 FROM referrals_orders") == []


def test_the_earliest_order_is_the_first_whatever_is_told_first(referrals: Referrals) -> None:
    referrals.order(2, "o2", 100)
    referrals.order(2, "o1", 100, at=NOW.replace(hour=1))
    referrals.pull("points")
    (row,) = referrals.sql("SELECT first_paid_at FROM referrals_members")
    assert row.first_paid_at == NOW.replace(hour=1)
