"""Redeeming over HTTP, with points answering."""

import uuid

import pytest

from tests.redemption import ORDERS, Mall


def test_an_order_takes_points_and_stock_together(mall: Mall) -> None:
    mall.put_item(price=150, stock=10)
    answer = mall.redeem(quantity=2)
    assert answer.status_code == 201
    order = answer.json
    assert {name: order[name] for name in ("member_id", "item", "quantity", "price", "state", "refusal")} == {
        "member_id": 7,
        "item": "mug",
        "quantity": 2,
        "price": {"asset": "points", "amount": 300},
        "state": "completed",
        "refusal": None,
    }
    assert mall.points.available(7) == 700
    assert mall.stock() == {"total": 10, "reserved": 0, "sold": 2, "available": 8}
    assert mall.rows("SELECT topic, program_id, member_id, payload FROM redemption_outbox") == [
        (
            "redemption.completed",
            1,
            7,
            {
                "order_id": order["order_id"],
                "item": "mug",
                "quantity": 2,
                "price": {"asset": "points", "amount": 300},
            },
        )
    ]
    mall.assert_settled()


def test_points_are_asked_by_keys_of_the_order(mall: Mall) -> None:
    mall.put_item()
    order_id = mall.redeem().json["order_id"]
    mall.cancel(order_id)
    assert [key for _, key in mall.points.answers] == [
        f"redemption:{order_id}:{step}" for step in ("hold", "capture", "reverse")
    ]
    (hold,) = mall.points.holds.values()
    assert hold.reason == f"redemption {order_id}"
    assert 890 < (hold.expires_at - mall.clock()).total_seconds() <= 900


def test_p8_energy_pays_for_as_many_entitlements_as_it_is_enough_for(mall: Mall) -> None:
    mall.points.give(7, 250, asset="energy")
    mall.put_item(asset="energy", price=100)
    short = mall.redeem(quantity=3)
    assert (short.status_code, short.json["code"]) == (422, "insufficient_points")
    assert (short.json["facts"], mall.points.available(7, asset="energy")) == ({"available": 250, "short_by": 50}, 250)
    taken = mall.redeem(quantity=2, key="b").json
    assert (taken["price"], taken["quantity"]) == ({"asset": "energy", "amount": 200}, 2)
    assert (mall.points.available(7), mall.points.available(7, asset="energy")) == (1000, 50)


def test_the_same_key_gets_the_same_answer_and_takes_nothing_more(mall: Mall) -> None:
    mall.put_item()
    first, again = mall.redeem(), mall.redeem()
    assert (again.status_code, again.json) == (201, first.json)
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert mall.points.available(7) == 900


def test_the_first_answer_comes_again_whatever_became_of_the_order(mall: Mall) -> None:
    mall.put_item()
    first = mall.redeem()
    mall.cancel(first.json["order_id"])
    mall.put_item(active=False)
    assert mall.redeem().json == first.json
    assert mall.show(first.json["order_id"])["state"] == "cancelled"


def test_a_key_is_good_for_one_request(mall: Mall) -> None:
    mall.put_item()
    mall.redeem()
    other = mall.redeem(quantity=2)
    assert (other.status_code, other.json["code"]) == (422, "idempotency_key_reused")
    assert mall.stock()["sold"] == 1


def test_two_members_may_use_the_same_key(mall: Mall) -> None:
    mall.put_item()
    mall.points.give(8, 1000)
    assert mall.redeem(7).json["order_id"] != mall.redeem(8).json["order_id"]


def test_an_order_needs_a_key(mall: Mall) -> None:
    mall.put_item()
    answer = mall.callers.member(7).post(ORDERS, {"item": "mug"})
    assert (answer.status_code, answer.json["code"]) == (400, "idempotency_key_missing")
    assert mall.points.calls == []


@pytest.mark.parametrize("quantity", [0, 101, "2", 1.5, True])
def test_a_quantity_is_an_integer_from_one_to_a_hundred(mall: Mall, quantity: object) -> None:
    mall.put_item(stock=1000)
    answer = mall.callers.member(7).post(ORDERS, {"item": "mug", "quantity": quantity}, key="a")
    assert answer.status_code == 422
    assert answer.json["errors"][0]["pointer"] == "/quantity"


def test_sold_out_is_a_normal_conflict_that_leaves_points_untouched_and_stays_the_answer(mall: Mall) -> None:
    mall.put_item(stock=1)
    refused = mall.redeem(quantity=2)
    assert (refused.status_code, refused.json["code"]) == (409, "sold_out")
    assert mall.points.calls == []
    mall.put_item(stock=5)
    again = mall.redeem(quantity=2)
    assert (again.status_code, again.json["code"], again.json["facts"]) == (409, "sold_out", refused.json["facts"])
    assert again.headers["Idempotency-Replayed"] == "true"
    assert mall.redeem(quantity=2, key="b").status_code == 201
    mall.assert_settled()


def test_too_few_points_are_answered_with_how_many_are_missing_and_the_stock_comes_back(mall: Mall) -> None:
    mall.put_item(price=600)
    refused = mall.redeem(quantity=2)
    assert (refused.status_code, refused.json["code"]) == (422, "insufficient_points")
    assert refused.json["facts"] == {"available": 1000, "short_by": 200}
    assert mall.stock()["available"] == 10
    mall.points.give(7, 1000)
    assert mall.redeem(quantity=2).json["code"] == "insufficient_points"
    assert mall.redeem(quantity=2, key="b").status_code == 201
    mall.assert_settled()


def test_a_frozen_account_redeems_nothing(mall: Mall) -> None:
    mall.points.frozen.add((1, 7, "points"))
    mall.put_item()
    refused = mall.redeem()
    assert (refused.status_code, refused.json["code"]) == (409, "account_frozen")
    mall.assert_settled()


def test_whatever_else_points_refuses_ends_the_order_and_is_named(mall: Mall) -> None:
    mall.put_item(asset="unknown")
    refused = mall.redeem()
    assert (refused.status_code, refused.json["code"]) == (409, "payment_refused")
    assert refused.json["facts"] == {"reason": "asset_not_found"}
    mall.assert_settled()


def test_a_member_has_no_more_of_an_item_than_the_limit(mall: Mall) -> None:
    mall.put_item(per_member_limit=3)
    assert mall.redeem(quantity=4).json["code"] == "per_member_limit_reached"
    first = mall.redeem(quantity=2, key="b").json
    refused = mall.redeem(quantity=2, key="c")
    assert (refused.status_code, refused.json["code"], refused.json["facts"]["limit"]) == (
        409,
        "per_member_limit_reached",
        3,
    )
    assert mall.redeem(quantity=1, key="d").status_code == 201
    mall.cancel(first["order_id"], key="cancel")
    assert mall.redeem(quantity=2, key="e").status_code == 201
    mall.assert_settled()


def test_a_limit_set_later_counts_what_was_taken_before(mall: Mall) -> None:
    mall.put_item()
    mall.redeem(quantity=2)
    mall.put_item(per_member_limit=2)
    assert mall.redeem(key="b").json["code"] == "per_member_limit_reached"


def test_what_was_refused_does_not_count_towards_the_limit(mall: Mall) -> None:
    mall.put_item(per_member_limit=1, price=2000)
    assert mall.redeem().json["code"] == "insufficient_points"
    mall.put_item(per_member_limit=1, price=100)
    assert mall.redeem(key="b").status_code == 201
    mall.assert_settled()


def test_refusals_say_the_next_step_in_chinese(mall: Mall) -> None:
    mall.put_item(stock=0)
    member = mall.callers.member(7, **{"Accept-Language": "zh-CN"})
    assert "库存仅剩 0 件" in member.post(ORDERS, {"item": "mug"}, key="a").json["detail"]


def test_a_member_lists_their_own_orders_newest_first(mall: Mall) -> None:
    mall.put_item(stock=4)
    mall.points.give(8, 1000)
    made = [mall.redeem(key=str(number)).json["order_id"] for number in range(3)]
    mall.redeem(8)
    mall.redeem(key="too-late")
    member = mall.callers.member(7)
    first = member.get(ORDERS, limit=2, state="completed").json
    second = member.get(ORDERS, limit=2, state="completed", after=first["next"]).json
    found = [order["order_id"] for order in first["redemptions"] + second["redemptions"]]
    assert (found, second["next"]) == (made[::-1], None)
    assert [order["refusal"] for order in member.get(ORDERS, state="refused").json["redemptions"]] == ["sold_out"]
    assert len(member.get(ORDERS).json["redemptions"]) == 4
    assert len(mall.desk.get(ORDERS, member_id=7).json["redemptions"]) == 4


def test_staff_say_whose_orders_they_want(mall: Mall) -> None:
    assert mall.desk.get(ORDERS).json["errors"][0]["pointer"] == "/query/member_id"
    assert mall.callers.member(7).get(ORDERS, member_id=8).status_code == 404


def test_orders_of_others_are_not_there(mall: Mall) -> None:
    mall.put_item()
    order_id = mall.redeem().json["order_id"]
    for stranger in (mall.callers.member(8), mall.callers.member(7, program_id=2)):
        assert stranger.get(f"{ORDERS}/{order_id}").status_code == 404
        assert stranger.post(f"{ORDERS}/{order_id}/cancellation", {}, key="x").status_code == 404
    staff = mall.callers.staff("customer_service", program_id=2)
    assert staff.get(f"{ORDERS}/{order_id}").status_code == 404
    assert staff.post(f"{ORDERS}/{order_id}/fulfilment", {}, key="x").status_code == 404
    assert mall.callers.member(7).get(f"{ORDERS}/{uuid.uuid4()}").status_code == 404
    assert mall.callers.member(7).get(f"{ORDERS}/{order_id}").json["state"] == "completed"


def test_only_members_redeem(mall: Mall) -> None:
    mall.put_item()
    for caller in (mall.desk, mall.callers.system("redemptions"), mall.callers.service("levels")):
        assert caller.post(ORDERS, {"item": "mug"}, key="a").status_code == 403
