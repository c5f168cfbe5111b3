"""Rules together over HTTP: multipliers, stacking groups, publishing several, and simulating with the full why."""

from datetime import timedelta
from typing import Any

import pytest

from common.clock import now
from services.points.rules import use_cases
from tests.earning import Shop, at_once, event, paid, refunded
from tests.points import wrong

DOUBLE: dict[str, Any] = {"kind": "multiplier", "formula": None, "factor": "2"}


@pytest.mark.parametrize(("base", "factor", "awarded"), [(50, "2", 100), (33, "1.5", 49)])
def test_r4_a_multiplier_campaign_stamps_its_factor_and_a_refund_takes_back_what_was_given(
    shop: Shop, base: int, factor: str, awarded: int
) -> None:
    shop.publish("invite", trigger="order.paid", formula=str(base))
    shop.publish("double", **{**DOUBLE, "factor": factor}, ends_at="2026-05-04T00:00:00+08:00")
    shop.send(paid("A1", time="2026-05-03T23:59:59+08:00"))
    shop.send(paid("A2", time="2026-05-04T00:00:00+08:00"))
    assert shop.amounts() == [awarded, base]
    stamped, plain = shop.rows("SELECT meta FROM points_entries ORDER BY seq")
    expected = {"base": base, "factor": factor, "campaign": "double"}
    assert {name: stamped[0][name] for name in expected} == expected
    assert "factor" not in (plain[0] or {})
    # Next week the campaign is over and forgotten: the stamped amount is what is taken back.
    shop.act("double", "retirement")
    shop.send(refunded(10_000, "A1", time="2026-05-10T12:00:00+08:00"))
    assert shop.amounts() == [awarded, base, -awarded]


def test_a_rule_of_another_asset_is_not_multiplied(shop: Shop) -> None:
    shop.publish("growth", asset="growth", formula="10")
    shop.publish("points", formula="10")
    shop.publish("double", **DOUBLE)
    shop.send(paid())
    assert (shop.balance(), shop.balance(asset="growth")) == (20, 10)


def test_a_group_keeps_its_mode_and_who_changed_it(shop: Shop) -> None:
    put = shop.marketer.put("/v1/rule-groups/new-year", {"mode": "first"})
    assert (put.status_code, put.json["code"], put.json["mode"]) == (200, "new-year", "first")
    shop.callers.staff("marketer", name="wang").put("/v1/rule-groups/new-year", {"mode": "highest"})
    groups = shop.callers.staff("finance").get("/v1/rule-groups").json["groups"]
    assert [(one["code"], one["mode"], one["changed_by"]) for one in groups] == [("new-year", "highest", "staff:wang")]
    assert shop.marketer.put("/v1/rule-groups/x", {"mode": "best"}).json["errors"][0]["pointer"] == "/mode"
    assert shop.marketer.put("/v1/rule-groups/X", {"mode": "all"}).status_code in (404, 422)
    assert shop.callers.staff("finance").put("/v1/rule-groups/x", {"mode": "all"}).status_code == 403
    assert shop.callers.staff("marketer", program_id=2).get("/v1/rule-groups").json == {"groups": []}


def test_a_change_of_a_groups_mode_holds_for_the_next_event(shop: Shop) -> None:
    shop.marketer.put("/v1/rule-groups/g", {"mode": "first"})
    shop.publish("a", formula="5", group="g", priority=1)
    shop.publish("b", formula="50", group="g")
    decisions = shop.send_one(paid("A1"))["decisions"]
    assert [(one["rule"], one["amount"], one["reason"]) for one in decisions] == [
        ("a", 5, "awarded"),
        ("b", 0, "stacked_out: by a"),
    ]
    shop.marketer.put("/v1/rule-groups/g", {"mode": "highest"})
    assert [one["amount"] for one in shop.send_one(paid("A2"))["decisions"]] == [0, 50]
    shop.marketer.put("/v1/rule-groups/g", {"mode": "all"})
    assert [one["amount"] for one in shop.send_one(paid("A3"))["decisions"]] == [5, 50]


def test_a_set_is_published_wholly_or_not_at_all(shop: Shop) -> None:
    shop.draft("a", formula="1")
    shop.draft("b", formula="2")
    refused = shop.marketer.post("/v1/rule-publications", {"rules": ["a", "ghost"]}, key="k1")
    assert (refused.status_code, refused.json["code"]) == (404, "rule_not_found")
    assert shop.send_one(paid("A1"))["decisions"] == []
    both = shop.marketer.post("/v1/rule-publications", {"rules": ["b", "a"]}, key="k2")
    assert [(one["code"], one["live_version"]) for one in both.json["rules"]] == [("b", 1), ("a", 1)]
    assert [one["amount"] for one in shop.send_one(paid("A2"))["decisions"]] == [1, 2]
    again = shop.marketer.post("/v1/rule-publications", {"rules": ["b", "a"]}, key="k3")
    assert (again.status_code, again.json["code"]) == (409, "no_draft")


@pytest.mark.parametrize(("rules", "pointer"), [([], "/rules"), (["a", "a"], "/rules"), (["A"], "/rules/0")])
def test_a_set_names_each_rule_once(shop: Shop, rules: list[str], pointer: str) -> None:
    answer = shop.marketer.post("/v1/rule-publications", {"rules": rules}, key="k")
    assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (422, pointer)


def test_sets_published_at_once_in_any_order_do_not_wait_for_each_other_for_ever(shop: Shop) -> None:
    codes = ["a", "b", "c", "d"]
    for code in codes:
        shop.draft(code, formula="1")
    calls = [
        lambda key=number, rules=order: shop.callers.staff("marketer").post(
            "/v1/rule-publications", {"rules": rules}, key=f"k{key}"
        )
        for number, order in enumerate([codes, codes[::-1], codes[1:] + codes[:1]])
    ]
    assert sorted(answer.status_code for answer in at_once(calls)) == [200, 409, 409]
    assert {rule["live_version"] for rule in shop.marketer.get("/v1/rules").json["rules"]} == {1}


def test_a_simulation_shows_every_live_rule_with_the_draft_in_place(shop: Shop) -> None:
    shop.marketer.put("/v1/rule-groups/g", {"mode": "highest"})
    shop.publish("order", group="g")
    shop.publish("gold", formula="7", group="g", audience={"tiers": ["gold"]})
    shop.publish("growth", asset="growth", formula="data.paid_fen / 50", pending="7D")
    shop.publish("double", **DOUBLE, condition="event.hour == 12")
    caps = [{"per": "day", "of": "member", "amount": 150}, {"per": "event", "of": "member", "amount": 900}]
    shop.draft("order", formula="data.paid_fen / 25", group="g", caps=caps, budget=1_000, validity="30D")
    before = shop.written()
    body = {"type": "order.paid", "time": "2026-05-03T12:00:00+08:00", "data": {"paid_fen": 10_000}}
    answer = shop.marketer.post("/v1/rules/order/simulation", {**body, "member": {"tier": "gold"}}).json
    assert shop.written() == before
    assert (answer["rule"], answer["version"], answer["amount"], answer["reason"]) == (
        "order",
        None,
        150,
        "capped: day",
    )
    assert answer["member"] == {"tier": "gold", "tags": [], "segments": []}
    seen = {one["rule"]: one for one in answer["decisions"]}
    assert [(code, one["wanted"], one["reason"], one["version"]) for code, one in seen.items()] == [
        ("double", 0, "multiplies", 1),
        ("gold", 0, "stacked_out: by order", 1),
        ("growth", 200, "awarded", 1),
        ("order", 800, "capped: day", None),
    ]
    order = seen["order"]
    assert (order["base"], order["factor"], order["campaign"]) == (400, "2", "double")
    assert (order["group"], order["mode"], order["budget"], order["validity"]) == ("g", "highest", 1_000, "30D")
    assert [(cap["per"], cap["window"], cap["cuts"]) for cap in order["caps"]] == [
        ("day", "2026-05-03", True),
        ("event", "event", False),
    ]
    assert (seen["gold"]["base"], seen["growth"]["pending"]) == (7, "7D")


def test_a_simulation_says_when_the_budget_would_not_do(shop: Shop) -> None:
    shop.draft("order", budget=30)
    body = {"type": "order.paid", "data": {"paid_fen": 10_000}}
    answer = shop.marketer.post("/v1/rules/order/simulation", body).json
    assert (answer["amount"], answer["reason"]) == (30, "budget_spent")


def test_a_simulation_holds_nobody_out_but_a_named_member(shop: Shop) -> None:
    shop.draft("order", holdout={"percent": 100})
    body = {"type": "order.paid", "data": {"paid_fen": 10_000}}
    assert shop.marketer.post("/v1/rules/order/simulation", body).json["amount"] == 100
    named = shop.marketer.post("/v1/rules/order/simulation", {**body, "member_id": 7}).json
    assert (named["amount"], named["reason"]) == (0, "held_out")


def test_a_simulation_meets_the_named_member_as_they_were(shop: Shop) -> None:
    shop.draft("order", audience={"tags": ["vip"]})
    shop.callers.system("members").post("/v1/audiences/tags/vip/members", {"add": [7]})
    later = (now() + timedelta(minutes=1)).isoformat()
    body = {"type": "order.paid", "data": {"paid_fen": 100}, "member_id": 7}
    for time, reason in ((later, "awarded"), ("2026-05-03T12:00:00Z", "not_in_audience")):
        assert shop.marketer.post("/v1/rules/order/simulation", {**body, "time": time}).json["reason"] == reason
    made_up = {**body, "member": {"tags": ["other"]}, "time": later}
    assert shop.marketer.post("/v1/rules/order/simulation", made_up).json["reason"] == "not_in_audience"


def test_the_history_says_who_published_and_who_went_back_when(shop: Shop) -> None:
    shop.publish(formula="1")
    shop.callers.staff("marketer", name="wang").put("/v1/rules/order/draft", {**shop_rule("2")})
    shop.callers.staff("marketer", name="wang").post("/v1/rules/order/publication", key="w")
    shop.act("order", "rollback", {"version": 1})
    shop.act("order", "retirement")
    shown = shop.marketer.get("/v1/rules/order").json
    assert [(one["version"], one["published_by"]) for one in shown["versions"]] == [(2, "staff:wang"), (1, "staff:lin")]
    assert [(one["version"], one["actor"]) for one in shown["history"]] == [
        (None, "staff:lin"),
        (1, "staff:lin"),
        (2, "staff:wang"),
        (1, "staff:lin"),
    ]
    assert shown["history"][-1]["at"] == shown["versions"][-1]["published_at"]
    assert len({one["id"] for one in shown["versions"]}) == 2


def shop_rule(formula: str) -> dict[str, Any]:
    """A draft by hand."""
    return {"name_en": "x", "name_zh": "x", "trigger": "order.paid", "formula": formula, "asset": "points"}


def test_a_version_of_before_the_full_document_still_decides(shop: Shop) -> None:
    shop.publish()
    new = "kind,table,pending,audience,schedule,caps,budget,priority,group,holdout,factor,applies_to"
    shop.rows(f"UPDATE points_rule_versions SET document = document - '{{{new}}}'::text[] RETURNING 1")
    use_cases.forget_rules()
    assert shop.send_one(paid())["decisions"][0]["amount"] == 100


def test_unchanged_rules_are_not_made_ready_anew(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.publish()
    shop.send_one(paid("A1"))
    first = use_cases._live[1][1]
    monkeypatch.setattr(use_cases, "_REMEMBERED_SECONDS", 0.0)
    shop.send_one(paid("A2"))
    assert use_cases._live[1][1] is first
    shop.publish("review", trigger="review.posted")
    shop.send_one(paid("A3"))
    assert use_cases._live[1][1] is not first


def test_a_holdout_is_recorded_and_sticks(shop: Shop) -> None:
    shop.publish("review", trigger="review.posted", formula="1", holdout={"percent": 50})
    reasons = {
        number: shop.send_one(event(f"e{number}", member_id=number))["decisions"][0]["reason"]
        for number in range(1, 13)
    }
    assert set(reasons.values()) == {"awarded", "held_out"}
    again = {
        number: shop.send_one(event(f"f{number}", member_id=number))["decisions"][0]["reason"] for number in reasons
    }
    assert again == reasons


@pytest.mark.parametrize(
    ("statement", "name"),
    [
        ("UPDATE points_rules SET live_version = 9", "live rules were published"),
        (
            "UPDATE points_rule_versions SET version = 5 WHERE version = 2",
            "rule versions are numbered without gaps",
        ),
        (
            """UPDATE points_rule_versions SET document = document || '{"colour": "red"}' WHERE version = 2""",
            "rule versions can be read",
        ),
        (
            """UPDATE points_rule_versions SET document = document || '{"table": {"nodes": []}}' WHERE version = 2""",
            "rule versions can be read",
        ),
    ],
)
def test_verify_finds_what_is_wrong_with_rules(shop: Shop, statement: str, name: str) -> None:
    shop.publish()
    shop.publish(formula="2")
    shop.act("order", "rollback", {"version": 1})
    assert wrong() == []
    shop.rows(f"{statement} RETURNING 1")
    assert [finding.name for finding in wrong()] == [name]
    assert "program 1 order" in wrong()[0].detail
    shop.rows("DELETE FROM points_rule_versions RETURNING 1")
    shop.rows("DELETE FROM points_rules RETURNING 1")
