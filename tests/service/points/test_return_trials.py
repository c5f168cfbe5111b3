"""Trying out a return over HTTP: the very words of the real one, whatever the order, and nothing written."""

from typing import Any

import pytest

from services.points.database import transaction
from services.points.intake.use_cases import remember_subjects
from tests.earning import Shop, paid, refunded
from tests.points import pointers, refused, sql

PATH = "/v1/returns/simulation"


def tried(shop: Shop, fen: int, order_id: str = "A1", **given: Any) -> dict[str, Any]:
    """What a return of member 7's order would do."""
    body = {"subject": "member:7", "order_id": order_id, "refunded_fen": fen, **given}
    answer = shop.callers.staff("customer_service").post(PATH, body)
    assert answer.status_code == 200, answer.json
    return dict(answer.json)


def test_b15_a_return_is_tried_out_before_it_is_made(shop: Shop) -> None:
    shop.publish()
    shop.send(paid("A1", 10_000))
    shop.spend(90)
    said = tried(shop, 4_000)
    assert said["reversed"] == [
        {"rule": "order", "asset": "points", "amount": 40, "reason": "not_all_there: 10 of 40"},
    ]
    assert [(one["asset"], one["change"], one["balance"], one["debt"]) for one in said["accounts"]] == [
        ("points", -10, 0, 0)
    ]
    assert shop.balance() == 10
    result = shop.send_one(refunded(4_000))
    assert result["reversed"] == said["reversed"]
    assert shop.balance() == 0


def test_trying_out_leaves_neither_an_event_nor_a_fact_nor_a_refund_known(shop: Shop) -> None:
    shop.publish()
    shop.send(paid("A1", 10_000))
    facts = sql("SELECT count(*) FROM points_outbox")
    for _ in range(3):
        assert tried(shop, 10_000, refund_id="r1")["reversed"][0]["amount"] == 100
    assert sql("SELECT count(*) FROM points_outbox") == facts
    assert sql("SELECT count(*) FROM points_events") == [(1,)]
    assert shop.send_one(refunded(10_000))["reason"] is None
    again = tried(shop, 10_000, refund_id="r1")
    assert (again["reason"], again["reversed"], again["accounts"]) == ("refund_already_known", [], [])


def test_of_an_order_that_nobody_knows_nothing_would_be_taken(shop: Shop) -> None:
    shop.publish()
    said = tried(shop, 100, "A9")
    assert (said["member_id"], said["reversed"], said["reason"], said["accounts"]) == (7, [], None, [])
    assert sql("SELECT count(*) FROM points_orders") == [(0,)]


def test_what_other_orders_get_by_a_cap_that_becomes_free_shows_in_the_accounts(shop: Shop) -> None:
    shop.publish(caps=[{"per": "day", "of": "member", "amount": 150}])
    shop.send(paid("A1", 10_000), paid("A2", 10_000, time="2026-05-03T13:00:00+08:00"))
    said = tried(shop, 10_000, time="2026-05-03T12:30:00+08:00")
    assert [one["amount"] for one in said["reversed"]] == [100]
    assert [(one["asset"], one["change"]) for one in said["accounts"]] == [("points", -50)]
    assert shop.balance() == 150


def test_a_customer_is_known_by_the_shops_own_name_once_seen_and_never_made_by_trying(shop: Shop) -> None:
    system, body = shop.callers.system("events"), {"subject": "customer_id:00123", "order_id": "A1", "refunded_fen": 1}
    assert refused(system.post(PATH, body)) == (404, "not_found")
    with transaction() as session:
        remember_subjects(session, program_id=1, members={("customer_id", "", "00123"): 7})
    assert system.post(PATH, body).json["member_id"] == 7


@pytest.mark.parametrize(
    ("given", "pointer"),
    [
        ({"refunded_fen": 0}, "/refunded_fen"),
        ({"refunded_fen": "5"}, "/refunded_fen"),
        ({"order_id": ""}, "/order_id"),
        ({"order_id": "A\u200b"}, "/order_id"),
        ({"refund_id": "\n"}, "/refund_id"),
        ({"subject": "7"}, "/subject"),
        ({"time": "2199-01-01T00:00:00Z"}, "/time"),
        ({"more": 1}, "/more"),
    ],
)
def test_bad_returns_are_refused_by_name(shop: Shop, given: dict[str, Any], pointer: str) -> None:
    body = {"subject": "member:7", "order_id": "A1", "refunded_fen": 1, **given}
    answer = shop.callers.staff("customer_service").post(PATH, body)
    assert answer.status_code == 422, answer.json
    assert pointers(answer) == [pointer]


def test_members_marketers_and_others_may_not_try(shop: Shop) -> None:
    body = {"subject": "member:7", "order_id": "A1", "refunded_fen": 1}
    for caller in (shop.callers.member(7), shop.callers.staff("marketer"), shop.callers.system("read")):
        assert refused(caller.post(PATH, body))[0] == 403
