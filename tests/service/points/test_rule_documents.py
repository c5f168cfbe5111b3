"""The whole rule document over HTTP: what is accepted, what is refused where, and that each field changes awards."""

from typing import Any

import pytest

from tests.earning import RULE, Shop, event, paid
from tests.rules import graph, table

TIERS = table([["'gold'", "'shoes'", "data.paid_fen * 0.0029"], ["", "", "data.paid_fen / 100"]])
DOUBLE = {"kind": "multiplier", "formula": None, "factor": "2"}


def test_an_unknown_field_is_refused_by_name_at_every_depth(shop: Shop) -> None:
    for given, pointer in (
        ({"colour": "red"}, "/colour"),
        ({"audience": {"towns": []}}, "/audience/towns"),
        ({"schedule": {"months": []}}, "/schedule/months"),
        ({"caps": [{"per": "day", "of": "member", "amount": 1, "x": 1}]}, "/caps/0/x"),
        ({"holdout": {"share": 1}}, "/holdout/share"),
    ):
        answer = shop.draft("order", **given)
        assert answer.status_code == 422
        assert pointer in [one["pointer"] for one in answer.json["errors"]]


HOPELESS: list[tuple[dict[str, Any], str, str]] = [
    ({"kind": "gift"}, "invalid_request", "/kind"),
    ({"formula": None}, "bad_rule", "/formula"),
    ({"table": TIERS}, "bad_rule", "/formula"),
    ({"formula": None, "table": {"nodes": []}}, "bad_table", "/table"),
    (
        {"formula": None, "table": graph(("functionNode", {"source": "1"}))},
        "bad_table",
        "/table/nodes/1/type",
    ),
    ({"formula": None, "table": {"nodes": [], "edges": [], "x": "\x00"}}, "invalid_request", "/table/x"),
    ({"formula": None, "table": {"x": "y" * 70_000}}, "invalid_request", "/table"),
    ({"pending": "soon"}, "invalid_request", "/pending"),
    ({"priority": 1001}, "invalid_request", "/priority"),
    ({"budget": 0}, "invalid_request", "/budget"),
    ({"holdout": {"percent": 101}}, "invalid_request", "/holdout/percent"),
    ({"holdout": {}}, "invalid_request", "/holdout/percent"),
    ({"audience": {"tiers": ["Gold!"]}}, "invalid_request", "/audience/tiers/0"),
    ({"audience": {"channels": [""]}}, "invalid_request", "/audience/channels/0"),
    ({"audience": None}, "invalid_request", "/audience"),
    ({"schedule": {"weekdays": [0]}}, "invalid_request", "/schedule/weekdays/0"),
    ({"schedule": {"hours": [["7:00", "08:00"]]}}, "invalid_request", "/schedule/hours/0/0"),
    ({"schedule": {"hours": [["07:00"]]}}, "invalid_request", "/schedule/hours/0"),
    ({"schedule": {"hours": [["09:00", "08:00"]]}}, "bad_rule", "/schedule/hours/0"),
    ({"schedule": {"dates": [["2026-02-30", "2026-03-01"]]}}, "invalid_request", "/schedule/dates/0"),
    ({"schedule": {"dates": [["20260228", "2026-03-01"]]}}, "invalid_request", "/schedule/dates/0"),
    ({"caps": [{"per": "year", "of": "member", "amount": 1}]}, "invalid_request", "/caps/0/per"),
    ({"caps": [{"per": "day", "of": "shop", "amount": 1}]}, "invalid_request", "/caps/0/of"),
    ({"caps": [{"per": "day", "of": "member", "amount": 0}]}, "invalid_request", "/caps/0/amount"),
    ({"caps": [{"per": "day", "of": "member", "amount": 1}] * 11}, "invalid_request", "/caps"),
    ({"factor": "2"}, "bad_rule", "/factor"),
    ({**DOUBLE, "factor": "0.5"}, "invalid_request", "/factor"),
    ({**DOUBLE, "factor": "11"}, "invalid_request", "/factor"),
    ({**DOUBLE, "factor": 2}, "invalid_request", "/factor"),
    ({**DOUBLE, "factor": "1.0"}, "bad_rule", "/factor"),
    ({**DOUBLE, "budget": 5}, "bad_rule", "/budget"),
]


def test_what_cannot_be_a_rule_is_refused_with_its_field_and_the_next_step(shop: Shop) -> None:
    for given, code, pointer in HOPELESS:
        answer = shop.draft("order", **given)
        seen = (answer.status_code, answer.json["code"], answer.json["errors"][0]["pointer"])
        assert seen == (422, code, pointer), given
        assert answer.json["errors"][0]["detail"]
    assert shop.marketer.get("/v1/rules").json == {"rules": []}


def test_the_field_is_named_in_chinese_too(shop: Shop) -> None:
    marketer = shop.callers.staff("marketer", **{"Accept-Language": "zh"})
    answer = marketer.put("/v1/rules/order/draft", {**RULE, "asset": "points", "formula": None})
    assert "formula 或 table" in answer.json["errors"][0]["detail"]


def test_a_group_and_the_rules_a_multiplier_names_must_exist(shop: Shop) -> None:
    answer = shop.draft("order", group="g")
    assert (answer.status_code, answer.json["code"]) == (404, "rule_group_not_found")
    assert "PUT /v1/rule-groups/g" in answer.json["detail"]
    answer = shop.draft("double", **DOUBLE, applies_to=["order"])
    assert (answer.status_code, answer.json["code"]) == (404, "rule_not_found")
    shop.draft("order")
    assert shop.draft("double", **DOUBLE, applies_to=["order"]).status_code == 200


def test_a_table_is_kept_as_it_was_drawn_and_awards_by_tier_and_category(shop: Shop) -> None:
    drawn = {**TIERS, "nodes": [{**node, "position": {"x": 1.5, "y": -20.25}} for node in TIERS["nodes"]]}
    assert shop.draft("order", formula=None, table=drawn).json["draft"]["table"] == drawn
    shop.act("order", "publication")
    data = {"order_id": "A1", "paid_fen": 12_890, "category": "shoes"}
    result = shop.send_one({**paid("A1"), "data": data})
    assert [(one["amount"], one["reason"]) for one in result["decisions"]] == [(128, "awarded")]
    simulated = shop.marketer.post("/v1/rules/order/simulation", {"type": "order.paid"})
    assert simulated.json["code"] == "no_draft"
    shop.draft("order", formula=None, table=drawn)
    body = {"type": "order.paid", "data": data, "member": {"tier": "gold"}}
    assert shop.marketer.post("/v1/rules/order/simulation", body).json["amount"] == 37


def give(shop: Shop, code: str, id: str, **given: Any) -> int:
    """What a review of Sunday noon is awarded in all under the rule."""
    shop.publish(code, **{"trigger": "review.posted", "formula": "10", **given})
    made = event(id, data={"stars": 5, "channel": "app"})
    return sum(one["amount"] for one in shop.send_one(made)["decisions"])


# T17: a field that changes nothing would be a field that is not read.
FIELDS: dict[str, dict[str, Any]] = {
    "trigger": {"trigger": "review.approved"},
    "condition": {"condition": "data.stars > 5"},
    "formula": {"formula": "data.stars"},
    "starts_at": {"starts_at": "2026-05-03T12:00:01+08:00"},
    "ends_at": {"ends_at": "2026-05-03T12:00:00+08:00"},
    "table": {"formula": None, "table": table([["5", "", "3"]], ["data.stars", "member.tier"])},
    "tiers": {"audience": {"tiers": ["gold"]}},
    "tags": {"audience": {"tags": ["vip"]}},
    "segments": {"audience": {"segments": ["sleepers"]}},
    "channels": {"audience": {"channels": ["store"]}},
    "weekdays": {"schedule": {"weekdays": [1, 2, 3, 4, 5, 6]}},
    "hours": {"schedule": {"hours": [["07:00", "12:00"], ["12:01", "24:00"]]}},
    "dates": {"schedule": {"dates": [["2026-05-04", "2026-05-10"]]}},
    "caps": {"caps": [{"per": "event", "of": "member", "amount": 4}]},
    "budget": {"budget": 4},
    "holdout": {"holdout": {"percent": 100}},
}


@pytest.mark.parametrize("field", FIELDS)
def test_changing_each_field_changes_the_award(shop: Shop, field: str) -> None:
    assert give(shop, "review", "e1") == 10
    assert give(shop, "review", "e2", **FIELDS[field]) != 10


def test_asset_validity_and_pending_change_what_is_posted(shop: Shop) -> None:
    give(shop, "review", "e1")
    give(shop, "review", "e2", asset="growth")
    assert (shop.balance(), shop.balance(asset="growth")) == (10, 10)
    give(shop, "review", "e3", validity="until:2100-12-31")
    assert "2100-12-31" in [lot["on"] for lot in shop.account()["lots"]]
    shop.publish("order", formula="5", pending="order.confirmed+7D")
    shop.send(paid())
    assert (shop.account()["available"], shop.balance()) == (20, 25)


def test_priority_group_factor_and_applies_to_change_who_awards(shop: Shop) -> None:
    assert shop.marketer.put("/v1/rule-groups/g", {"mode": "first"}).status_code == 200
    shop.publish("other", trigger="review.posted", formula="7", group="g", priority=1)
    assert give(shop, "review", "e1", group="g") == 7
    assert give(shop, "review", "e2", group="g", priority=2) == 10
    assert give(shop, "review", "e3") == 17
    assert give(shop, "double", "e4", **DOUBLE) == 34
    assert give(shop, "double", "e5", **{**DOUBLE, "factor": "3"}) == 51
    assert give(shop, "double", "e6", **DOUBLE, applies_to=["review"]) == 27
    assert give(shop, "double", "e7", **DOUBLE, asset="growth") == 17
