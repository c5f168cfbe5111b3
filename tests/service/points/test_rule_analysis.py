"""What is wrong with the rules is said while they are edited, with an event at which it shows."""

from typing import Any

import pytest

from tests.earning import Shop
from tests.points import pointers, refused, sql


def check(shop: Shop, **body: Any) -> dict[str, Any]:
    """The analysis with drafts in place."""
    answer = shop.marketer.post("/v1/rule-analysis", body)
    assert answer.status_code == 200, answer.json
    return dict(answer.json)


def promote(member_id: int, tier: str) -> None:
    """Levels says that a member rose from silver."""
    sql(
        "INSERT INTO points_tier_changes (program_id, member_id, at, fact_id, before, tier)"
        " VALUES (1, :m, now(), 1, 'silver', :t)",
        m=member_id,
        t=tier,
    )


def keep(shop: Shop, code: str, **change: list[int]) -> None:
    """Put members into a tag, or take them out."""
    path = f"/v1/audiences/tags/{code}/members"
    assert shop.callers.system("members").post(path, change).status_code == 200


def codes(analysis: dict[str, Any]) -> list[str]:
    """What is wrong."""
    return [one["code"] for one in analysis["concerns"]]


def test_the_live_set_and_the_set_with_drafts_are_checked_apart(shop: Shop) -> None:
    shop.publish("plain", formula="10")
    assert shop.draft("more", formula="data.paid_fen / 100").status_code == 200
    live = shop.marketer.get("/v1/rule-analysis").json
    assert live["rules"] == ["plain"]
    assert live["concerns"] == []
    drafted = check(shop)
    assert drafted["rules"] == ["more", "plain"]
    assert codes(drafted) == ["missing_cap", "overlap", "unbounded_stacking"]
    assert codes(check(shop, drafts=[])) == []
    assert codes(check(shop, retire=["plain"])) == ["missing_cap"]


def test_the_example_is_an_event_that_a_simulation_confirms(shop: Shop) -> None:
    shop.publish("plain", formula="10")
    shop.draft("big", formula="500", condition="data.paid_fen >= 20000", audience={"tiers": ["gold"]})
    promote(7, "gold")
    [concern] = check(shop)["concerns"]
    assert concern["code"] == "unbounded_stacking"
    assert concern["rules"] == ["big", "plain"]
    example, event = concern["example"], concern["example"]["event"]
    assert {one["rule"]: one["amount"] for one in example["decisions"]} == {"big": 500, "plain": 10}
    assert event["member"]["tier"] == "gold"
    member = {name: event["member"][name] for name in ("tier", "tags", "segments")}
    trial = {"type": event["type"], "time": event["time"], "data": event["data"], "member": member}
    simulated = shop.marketer.post("/v1/rules/big/simulation", trial).json
    assert {one["rule"]: one["amount"] for one in simulated["decisions"]} == {"big": 500, "plain": 10}


def test_points_worth_more_than_the_order_are_found_once_a_policy_says_their_worth(shop: Shop) -> None:
    shop.publish("generous", formula="data.paid_fen * 2", caps=[{"per": "event", "of": "member", "amount": 9_000_000}])
    before = shop.marketer.get("/v1/rule-analysis").json
    assert codes(before) == []
    assert [one["code"] for one in before["left_out"]] == ["award_above_price"]
    policy = {"asset": "points", "points": 1, "fen": 1}
    answer = shop.marketer.put("/v1/deduction-policy", policy)
    assert answer.status_code == 200, answer.json
    after = shop.marketer.get("/v1/rule-analysis").json
    assert codes(after) == ["award_above_price"]
    assert after["left_out"] == []
    assert after["concerns"][0]["example"]["event"]["data"]["paid_fen"] > 0


def test_an_audience_that_nobody_is_in_is_named(shop: Shop) -> None:
    shop.publish("plain", formula="10", audience={"tiers": ["gold", "silver"], "tags": ["vip"], "segments": ["new"]})
    concerns = check(shop)["concerns"]
    assert [one["code"] for one in concerns] == ["empty_audience"] * 3
    assert [one["severity"] for one in concerns] == ["warning"] * 3
    assert concerns[0]["en"].startswith("No member has the tier gold, silver, which plain is for: it awards nobody.")
    assert "等级 gold、silver 目前没有任何会员" in concerns[0]["zh"]
    assert [one["rules"] for one in concerns] == [["plain"]] * 3
    promote(7, "bronze")
    keep(shop, "vip", add=[7])
    concerns = check(shop)["concerns"]
    assert [(one["severity"], "tier gold," in one["en"]) for one in concerns] == [("warning", False), ("note", True)]
    assert "segment new" in concerns[0]["en"]
    keep(shop, "vip", remove=[7])
    assert [one["severity"] for one in check(shop)["concerns"]] == ["warning", "warning", "note"], "who left is out"


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"drafts": ["No"]}, "/drafts/0"),
        ({"drafts": ["a"] * 101}, "/drafts"),
        ({"retire": None}, "/retire"),
        ({"drafts": ["plain"], "retire": ["plain"]}, "/retire"),
        ({"retire": ["nobody"]}, "/retire"),
        ({"more": 1}, "/more"),
    ],
)
def test_a_question_that_cannot_be_asked_names_the_field(shop: Shop, body: dict[str, Any], pointer: str) -> None:
    shop.publish("plain", formula="10")
    answer = shop.marketer.post("/v1/rule-analysis", body)
    assert answer.status_code == 422
    assert pointers(answer) == [pointer]


def test_drafts_must_be_there_and_others_may_not_ask(shop: Shop) -> None:
    assert refused(shop.marketer.post("/v1/rule-analysis", {"drafts": ["nobody"]})) == (404, "rule_not_found")
    assert shop.callers.staff("customer_service").get("/v1/rule-analysis").status_code == 403
    assert shop.callers.member(7).post("/v1/rule-analysis", {}).status_code == 403
