"""Cancelling and fulfilling over HTTP."""

import pytest

from tests.redemption import ORDERS, Mall


@pytest.fixture
def order_id(mall: Mall) -> str:
    """A completed order of two mugs at 100 points, of member 7."""
    mall.put_item(stock=10, per_member_limit=2)
    made: str = mall.redeem(quantity=2).json["order_id"]
    return made


def test_cancelling_gives_points_stock_and_limit_back(mall: Mall, order_id: str) -> None:
    cancelled = mall.cancel(order_id)
    assert (cancelled.status_code, cancelled.json["state"]) == (200, "cancelled")
    assert mall.points.available(7) == 1000
    assert mall.stock() == {"total": 10, "reserved": 0, "sold": 0, "available": 10}
    assert [topic for topic, _ in mall.facts()] == ["redemption.completed", "redemption.cancelled"]
    assert mall.redeem(quantity=2, key="b").status_code == 201
    mall.assert_settled()


def test_a_cancellation_repeated_is_answered_as_before_and_happens_once(mall: Mall, order_id: str) -> None:
    first, again = mall.cancel(order_id), mall.cancel(order_id)
    assert (again.status_code, again.json, again.headers["Idempotency-Replayed"]) == (200, first.json, "true")
    other = mall.cancel(order_id, key="d")
    assert (other.status_code, other.json["code"], other.json["facts"]) == (
        409,
        "not_cancellable",
        {"state": "cancelled"},
    )
    assert mall.points.available(7) == 1000
    mall.assert_settled()


def test_a_cancellation_key_is_good_for_one_request(mall: Mall, order_id: str) -> None:
    mall.cancel(order_id)
    second = mall.redeem(key="b").json["order_id"]
    assert mall.cancel(second).json["code"] == "idempotency_key_reused"
    member = mall.callers.member(7)
    reused = member.post(f"{ORDERS}/{order_id}/cancellation", {"reason": "x"}, key="c")
    assert reused.json["code"] == "idempotency_key_reused"
    assert mall.show(second)["state"] == "completed"


def test_staff_cancel_with_a_reason_that_is_kept(mall: Mall, order_id: str) -> None:
    path = f"{ORDERS}/{order_id}/cancellation"
    missing = mall.desk.post(path, {}, key="c")
    assert (missing.status_code, missing.json["errors"][0]["pointer"]) == (422, "/reason")
    assert mall.desk.post(path, {"reason": "broken mug"}, key="c").json["cancel_reason"] == "broken mug"
    assert mall.rows("SELECT cancelled_by, cancel_reason FROM redemption_orders") == [("staff:lin", "broken mug")]


def test_a_fulfilled_order_cannot_be_cancelled(mall: Mall, order_id: str) -> None:
    path = f"{ORDERS}/{order_id}/fulfilment"
    fulfilled = mall.desk.post(path, {"tracking_no": "SF123", "note": "left at the door"}, key="f")
    assert fulfilled.status_code == 200
    assert [fulfilled.json[name] for name in ("state", "tracking_no", "note")] == [
        "fulfilled",
        "SF123",
        "left at the door",
    ]
    again = mall.desk.post(path, {"tracking_no": "SF123", "note": "left at the door"}, key="f")
    assert (again.json, again.headers["Idempotency-Replayed"]) == (fulfilled.json, "true")
    assert mall.desk.post(path, {"tracking_no": "SF999"}, key="f").json["code"] == "idempotency_key_reused"
    assert mall.desk.post(path, {}, key="g").json["code"] == "not_fulfillable"
    refused = mall.cancel(order_id)
    assert (refused.status_code, refused.json["code"], refused.json["facts"]) == (
        409,
        "not_cancellable",
        {"state": "fulfilled"},
    )
    assert mall.points.available(7) == 800
    mall.assert_settled()


def test_a_shop_system_fulfils_too(mall: Mall, order_id: str) -> None:
    shop = mall.callers.system("redemptions")
    assert shop.post(f"{ORDERS}/{order_id}/fulfilment", {}, key="f").json["state"] == "fulfilled"
    assert mall.rows("SELECT fulfilled_by FROM redemption_orders") == [("system:shop",)]


def test_a_cancelled_order_cannot_be_fulfilled(mall: Mall, order_id: str) -> None:
    mall.cancel(order_id)
    refused = mall.desk.post(f"{ORDERS}/{order_id}/fulfilment", {}, key="f")
    assert (refused.status_code, refused.json["code"]) == (409, "not_fulfillable")


def test_a_refused_order_cannot_be_cancelled(mall: Mall) -> None:
    mall.put_item(stock=0)
    mall.redeem()
    ((refused,),) = mall.rows("SELECT order_id FROM redemption_orders")
    assert mall.cancel(str(refused)).json["facts"] == {"state": "refused"}


@pytest.mark.parametrize("change", ["cancellation", "fulfilment"])
def test_ending_an_order_needs_a_key_and_the_right_caller(mall: Mall, order_id: str, change: str) -> None:
    path = f"{ORDERS}/{order_id}/{change}"
    assert mall.desk.post(path, {"reason": "x"} if change == "cancellation" else {}).status_code == 400
    assert mall.callers.staff("guide").post(path, {}, key="a").status_code == 403
    assert mall.callers.system("read").post(path, {}, key="a").status_code == 403
    assert mall.show(order_id)["state"] == "completed"


def test_a_member_does_not_fulfil(mall: Mall, order_id: str) -> None:
    assert mall.callers.member(7).post(f"{ORDERS}/{order_id}/fulfilment", {}, key="a").status_code == 403
