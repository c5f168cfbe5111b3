"""Items over HTTP."""

from datetime import timedelta

import pytest

from tests.redemption import Mall

OFFER = {"name_en": "Mug", "name_zh": "杯子", "price": 100, "stock": 10}


def test_a_marketer_offers_an_item_and_members_see_it(mall: Mall) -> None:
    made = mall.put_item("mug", description="Holds coffee.\nAnd tea.")
    assert made.json == {
        "code": "mug",
        "version": 1,
        "name_en": "Mug",
        "name_zh": "杯子",
        "description": "Holds coffee.\nAnd tea.",
        "asset": "points",
        "price": 100,
        "per_member_limit": None,
        "available_from": None,
        "available_until": None,
        "active": True,
        "stock": {"total": 10, "reserved": 0, "sold": 0, "available": 10},
        "state": "available",
    }
    member = mall.callers.member(7)
    assert member.get("/v1/items/mug").json == made.json
    assert member.get("/v1/items").json == {"items": [made.json], "next": None}


def test_the_same_set_up_twice_is_the_same_state(mall: Mall) -> None:
    assert mall.put_item().json == mall.put_item().json


def test_another_offer_is_a_new_version_but_another_stock_is_not(mall: Mall) -> None:
    mall.put_item()
    assert mall.put_item(stock=12).json["version"] == 1
    assert mall.put_item(price=90).json["version"] == 2
    kept = mall.rows("SELECT version, price, made_by FROM redemption_item_versions ORDER BY version")
    assert kept == [(1, 100, "staff:lin"), (2, 90, "staff:lin")]


def test_an_order_keeps_the_price_and_version_it_was_made_at(mall: Mall) -> None:
    mall.put_item()
    first = mall.redeem(key="first").json
    mall.put_item(price=90)
    second = mall.redeem(key="second").json
    shown = [mall.show(order["order_id"]) for order in (first, second)]
    assert [(order["item_version"], order["price"]["amount"]) for order in shown] == [(1, 100), (2, 90)]
    assert mall.points.available(7) == 1000 - 190


def test_stock_cannot_be_set_below_what_is_sold(mall: Mall) -> None:
    mall.put_item(stock=5)
    mall.redeem(quantity=3)
    refused = mall.marketer.put("/v1/items/mug", {**OFFER, "stock": 2})
    assert (refused.status_code, refused.json["code"]) == (422, "stock_committed")
    assert refused.json["facts"]["committed"] == 3
    assert refused.json["errors"][0]["pointer"] == "/stock"
    assert mall.put_item(stock=3).json["state"] == "sold_out"


def test_a_window_has_the_four_states_a_member_can_find(mall: Mall) -> None:
    opens, closes = mall.clock() + timedelta(hours=1), mall.clock() + timedelta(hours=2)
    mall.put_item(available_from=opens.isoformat(), available_until=closes.isoformat(), stock=1)
    member = mall.callers.member(7)
    states = [member.get("/v1/items/mug").json["state"]]
    assert mall.redeem(key="early").json["code"] == "not_yet_available"
    mall.clock.move(hours=1)
    states.append(member.get("/v1/items/mug").json["state"])
    assert mall.redeem(key="in-time").status_code == 201
    states.append(member.get("/v1/items/mug").json["state"])
    mall.clock.move(hours=1)
    states.append(member.get("/v1/items/mug").json["state"])
    assert mall.redeem(key="late").json["code"] == "no_longer_available"
    assert states == ["upcoming", "available", "sold_out", "ended"]
    mall.assert_settled()


def test_an_inactive_item_is_there_for_staff_only(mall: Mall) -> None:
    mall.put_item(active=False)
    assert mall.callers.staff("guide").get("/v1/items/mug").json["state"] == "inactive"
    assert len(mall.marketer.get("/v1/items").json["items"]) == 1
    member = mall.callers.member(7)
    assert member.get("/v1/items").json["items"] == []
    hidden = member.get("/v1/items/mug")
    assert (hidden.status_code, hidden.json["code"]) == (404, "item_not_found")
    assert mall.redeem().json["code"] == "item_not_found"
    assert mall.rows("SELECT 1 FROM redemption_orders") == []


def test_pages_of_items_meet_without_gap_or_overlap(mall: Mall) -> None:
    codes = [f"item-{number}" for number in range(5)]
    for code in codes:
        mall.put_item(code, active=code != "item-2")
    found, after = [], ""
    while after is not None:
        page = mall.callers.member(7).get("/v1/items", limit=2, after=after).json
        found += [item["code"] for item in page["items"]]
        after = page["next"]
    assert found == ["item-0", "item-1", "item-3", "item-4"]


def test_another_program_sees_and_takes_nothing_of_it(mall: Mall) -> None:
    mall.put_item()
    stranger = mall.callers.member(7, program_id=2)
    mall.points.give(7, 1000, program_id=2)
    assert stranger.get("/v1/items/mug").status_code == 404
    assert stranger.get("/v1/items").json["items"] == []
    assert stranger.post("/v1/redemptions", {"item": "mug"}, key="a").status_code == 404


@pytest.mark.parametrize("role", ["customer_service", "guide"])
def test_only_marketers_set_up(mall: Mall, role: str) -> None:
    assert mall.callers.staff(role).put("/v1/items/mug", OFFER).status_code == 403
    assert mall.callers.member(7).put("/v1/items/mug", OFFER).status_code == 403


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"price": 0}, "/price"),
        ({"price": 10**12 + 1}, "/price"),
        ({"price": 1.5}, "/price"),
        ({"stock": -1}, "/stock"),
        ({"per_member_limit": 0}, "/per_member_limit"),
        ({"available_from": "2026-05-03T10:00:00"}, "/available_from"),
        (
            {"available_from": "2026-05-03T10:00:00Z", "available_until": "2026-05-03T10:00:00Z"},
            "/available_until",
        ),
        ({"colour": "red"}, "/colour"),
    ],
)
def test_what_is_wrong_with_an_item_is_pointed_at(mall: Mall, changes: dict[str, object], pointer: str) -> None:
    answer = mall.marketer.put("/v1/items/mug", {**OFFER, **changes})
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json["errors"]] == [pointer]
    assert mall.rows("SELECT 1 FROM redemption_item_versions") == []
