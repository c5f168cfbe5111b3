"""Few long stories over the whole house: real processes, real HTTP, through the gateway and nothing else."""

import pytest

from deploy.demo.client import DemoFailed
from tests.house import House, eventually, purchase

pytestmark = pytest.mark.slow

_WEEK = {
    "name_en": "A week",
    "name_zh": "七天",
    "criteria_en": "Seven days in a row",
    "criteria_zh": "连续七天",
}


def test_a_purchase_becomes_points_a_tier_a_place_on_the_board_and_a_mug(house: House) -> None:
    results = house.shop.call("POST", "/v1/events", [purchase(1001, 501, 40_000), purchase(1002, 501, 5_050)])[
        "results"
    ]
    awarded = {(d["rule"], d["amount"]) for result in results for d in result["decisions"]}
    assert awarded >= {  # the API guide's rule may award stars besides
        ("purchase-points", 800),
        ("purchase-growth", 400),
        ("purchase-points", 50),
        ("purchase-growth", 50),
    }
    member_id = results[0]["member_id"]
    identities = [
        {"type": "customer_id", "value": "501"},
        {"type": "wechat_openid", "app": "sandbox-demo", "value": "sandbox-ann"},
    ]
    assert house.shop.call("POST", "/v1/members", {"identities": identities})["member_id"] == member_id

    ann = house.member("ann")
    assert ann.call("GET", "/v1/accounts/points")["available"] == 850
    eventually(lambda: ann.call("GET", "/v1/members/me")["tier"]["tier"]["code"], "gold")
    eventually(lambda: ann.call("GET", "/v1/leaderboards/spend/me?period=all")["score"], 45_050)

    order = ann.call("POST", "/v1/redemptions", {"item": "mug"}, key="ann-mug")
    assert order["state"] == "completed"
    assert ann.call("POST", "/v1/redemptions", {"item": "mug"}, key="ann-mug") == order
    assert ann.call("GET", "/v1/accounts/points")["available"] == 750

    cancelled = ann.call("POST", f"/v1/redemptions/{order['order_id']}/cancellation", {}, key="ann-changed-her-mind")
    assert cancelled["state"] == "cancelled"
    account = ann.call("GET", "/v1/accounts/points")
    assert (account["available"], account["held"]) == (850, 0)

    statement = ann.call("GET", "/v1/accounts/points/statement")
    assert statement["opening"] + sum(entry["amount"] for entry in statement["entries"]) == statement["closing"] == 850


def test_a_refund_takes_back_what_the_order_really_gave_everywhere(house: House) -> None:
    member_id = house.shop.call("POST", "/v1/events", purchase(1101, 502, 10_000))["results"][0]["member_id"]
    refund = purchase(1102, 502, 0, kind="order.refunded")
    refund["data"] = {"order_id": "o1101", "refund_id": "r1", "refunded_fen": 2_500}
    house.shop.call("POST", "/v1/events", refund)
    house.shop.call("POST", "/v1/events", refund)  # a repeat changes nothing
    account = house.shop.call("GET", f"/v1/accounts/points?member_id={member_id}")
    assert account["balance"] == 200 - 50
    board = "SELECT score FROM levels_board_scores WHERE metric = 'spend' AND period = 'all' AND member_id = :m"
    eventually(lambda: [row[0] for row in house.rows("levels", board, m=member_id)], [7_500])


def test_an_invitation_rewards_both_sides_once_and_a_full_refund_takes_it_back(house: House) -> None:
    reward = [{"kind": "asset", "asset": "points", "amount": 30}]
    campaign = {
        "name": "老带新",
        "inviter_reward": reward,
        "invitee_reward": reward,
        "minimum_paid_fen": 100,
    }
    house.marketer.call("PUT", "/v1/invitations/campaigns/friends", campaign)
    bob, cleo = house.member("bob"), house.member("cleo")
    code = bob.call("POST", "/v1/invitations", {"campaign": "friends"})["code"]
    cleo.call("POST", "/v1/bindings", {"code": code}, key="cleo-binds")
    with pytest.raises(DemoFailed, match="self_invite"):
        bob.call("POST", "/v1/bindings", {"code": code}, key="bob-binds-himself")

    cleo_id = cleo.call("GET", "/v1/members/me")["member_id"]
    event = purchase(1201, 0, 5_000) | {"subject": f"member:{cleo_id}"}
    house.shop.call("POST", "/v1/events", [event])
    eventually(lambda: bob.call("GET", "/v1/accounts/points")["available"], 30)
    eventually(lambda: cleo.call("GET", "/v1/accounts/points")["available"], 50 + 30)

    refund = purchase(1202, 0, 0, kind="order.refunded") | {"subject": f"member:{cleo_id}"}
    refund["data"] = {"order_id": "o1201", "refund_id": "r1", "refunded_fen": 5_000}
    house.shop.call("POST", "/v1/events", refund)
    eventually(lambda: bob.call("GET", "/v1/accounts/points")["balance"], 0)
    eventually(lambda: cleo.call("GET", "/v1/accounts/points")["balance"], 0)


def test_a_week_of_check_ins_starts_with_one_day_and_a_double_tap_is_one(house: House) -> None:
    table = [[{"kind": "asset", "asset": "points", "amount": amount}] for amount in (5, 5, 10, 5, 5, 10, 20)]
    house.marketer.call(
        "PUT",
        "/v1/badges/streak-7",
        _WEEK,
    )
    campaign = {"name_en": "First week", "name_zh": "首周签到", "day_table": table, "milestones": []}
    house.marketer.call("PUT", "/v1/checkins/campaigns/first-week", campaign)
    dora = house.member("dora")
    first = dora.call("POST", "/v1/checkins", {"campaign": "first-week"}, key="tap-1")
    again = dora.call("POST", "/v1/checkins", {"campaign": "first-week"}, key="tap-2")
    assert (again["day"], again["streak"]) == (first["day"], first["streak"])
    eventually(lambda: dora.call("GET", "/v1/accounts/points")["available"], 5)


def test_three_members_fill_a_group(house: House) -> None:
    campaign = {
        "item": "三人拼团茶",
        "price_fen": 3_900,
        "size": 3,
        "window_seconds": 86_400,
        "seat_hold_seconds": 900,
    }
    house.marketer.call("PUT", "/v1/groupbuys/campaigns/tea", campaign)
    people = [house.member(name) for name in ("gil", "hana", "ivo")]
    group = people[0].call("POST", "/v1/groupbuys", {"campaign": "tea"}, key="open")
    group_id = group["id"]
    joined = [p.call("POST", f"/v1/groupbuys/{group_id}/seats", key=f"join-{i}") for i, p in enumerate(people[1:])]
    seats = [answer["my_seat"]["id"] for answer in (group, *joined)]
    for number, (person, seat) in enumerate(zip(people, seats, strict=True)):
        member_id = person.call("GET", "/v1/members/me")["member_id"]
        event = purchase(1300 + number, 0, 3_900, groupbuy_seat=seat) | {"subject": f"member:{member_id}"}
        house.shop.call("POST", "/v1/events", event)
    eventually(lambda: people[0].call("GET", f"/v1/groupbuys/{group_id}")["state"], "filled")


def test_nobody_reads_or_moves_what_is_not_theirs(house: House) -> None:
    eve = house.member("eve")
    with pytest.raises(DemoFailed, match="404"):
        eve.call("GET", "/v1/accounts/points?member_id=1")
    with pytest.raises(DemoFailed, match="403"):
        eve.call("POST", "/v1/postings", {"member_id": 1, "asset": "points", "kind": "earn", "amount": 9}, key="mine")
    with pytest.raises(DemoFailed, match="403"):
        eve.call("GET", "/feed")
    with pytest.raises(DemoFailed, match="401"):
        house.gateway.call("GET", "/v1/accounts")


def test_after_all_stories_every_invariant_holds(house: House) -> None:
    assert house.violations() == []
