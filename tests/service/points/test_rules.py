"""The life of an earning rule over HTTP: draft, simulate, publish, roll back, retire."""

from datetime import timedelta
from typing import Any

import pytest

from common.clock import business_day, now
from services.points.rules import use_cases
from tests.earning import RULE, Shop, at_once, event, paid

DEFAULTS: dict[str, Any] = {
    "kind": "award",
    "condition": "true",
    "table": None,
    "validity": None,
    "pending": None,
    "starts_at": None,
    "ends_at": None,
    "audience": {"tiers": [], "tags": [], "segments": [], "channels": []},
    "schedule": {"weekdays": [], "hours": [], "dates": []},
    "caps": [],
    "frequency": {"times": [], "cooldown_hours": None},
    "budget": None,
    "priority": 0,
    "group": None,
    "holdout": None,
    "factor": None,
    "applies_to": [],
    "experiment": None,
}
DAWN = "2026-05-02T16:00:00Z"  # 3 May begins in Shanghai


def simulate(shop: Shop, code: str = "order", **body: Any) -> Any:
    """What the draft would decide for a paid order of 128.90."""
    made = {"type": "order.paid", "time": "2026-05-03T12:00:00Z", "data": {"paid_fen": 12890}, **body}
    return shop.marketer.post(f"/v1/rules/{code}/simulation", made)


def test_a_draft_changes_nothing_until_it_is_published(shop: Shop) -> None:
    drafted = shop.draft("order")
    assert drafted.status_code == 200
    assert (drafted.json["code"], drafted.json["live_version"]) == ("order", None)
    assert drafted.json["draft"] == {**DEFAULTS, **RULE, "asset": "points"}
    assert shop.send_one(paid("A1"))["decisions"] == []
    published = shop.act("order", "publication").json
    assert (published["draft"], published["live_version"]) == (None, 1)
    assert shop.send_one(paid("A2"))["decisions"] == [
        {"rule": "order", "version": 1, "asset": "points", "amount": 100, "reason": "awarded"}
    ]
    assert shop.balance() == 100


SIMULATIONS = [
    ({}, {}, 128, "awarded"),
    ({"condition": "data.paid_fen >= 20000"}, {}, 0, "condition_false"),
    ({"condition": "event.hour == 20 and event.weekday == 7 and event.day == '2026-05-03'"}, {}, 128, "awarded"),
    ({"condition": "data.nothing > 1"}, {}, 0, "undecidable: Opcode Compare: Unsupported type"),
    ({}, {"type": "order.refunded"}, 0, "other_trigger"),
    ({"starts_at": "2026-05-03T12:00:01Z"}, {}, 0, "not_started"),
    ({"starts_at": "2026-05-03T20:00:00+08:00"}, {}, 128, "awarded"),
    ({"ends_at": "2026-05-03T12:00:00Z"}, {}, 0, "ended"),
    ({"formula": "10000000001"}, {}, 0, "award_too_large"),
    ({"formula": "(data.price + 0.2) * 10"}, {"data": {"price": 0.1}}, 3, "awarded"),
    ({}, {"data": {"paid_fen": "5"}}, 0, "undecidable: Opcode Divide: Unsupported type"),
    ({}, {"data": {}}, 0, "undecidable: Opcode Divide: Unsupported type"),
]


def test_a_simulation_says_what_and_why_and_writes_nothing(shop: Shop) -> None:
    for rule, body, amount, reason in SIMULATIONS:
        shop.draft("order", **rule)
        before = shop.written()
        answer = simulate(shop, **body)
        shown = {"rule": "order", "version": None, "asset": "points", "amount": amount, "reason": reason}
        assert answer.status_code == 200
        assert {name: answer.json[name] for name in shown} == shown, (rule, body)
        assert shop.written() == before


def test_a_simulation_without_a_time_is_of_now(shop: Shop) -> None:
    today = business_day(now(), "Asia/Shanghai")
    shop.draft("order", condition=f"event.day in ['{today}', '{today + timedelta(days=1)}']")
    assert simulate(shop, time=None).json["reason"] == "awarded"


def test_a_simulation_refuses_numbers_that_the_engine_would_not_read_exactly(shop: Shop) -> None:
    shop.draft("order")
    headers = {**shop.marketer._headers(), "Content-Type": "application/json"}
    for number in ("1" + "0" * 30, "-" + "9" * 20, "1e40", "1e-390", "0.1234567890123456", "123456789.1234567"):
        body = f'{{"type": "order.paid", "data": {{"list": [{{"paid_fen": {number}}}]}}}}'
        answer = shop.marketer.client.post("/v1/rules/order/simulation", data=body, headers=headers)
        assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (422, "/data"), number


def test_versions_are_immutable_and_numbered(shop: Shop) -> None:
    for points in (1, 2, 3):
        assert shop.publish(formula=str(points)) == points
    history = shop.marketer.get("/v1/rules/order").json
    assert [(one["version"], one["document"]["formula"]) for one in history["versions"]] == [
        (3, "3"),
        (2, "2"),
        (1, "1"),
    ]
    shop.draft("order", formula="4")
    assert shop.marketer.get("/v1/rules/order").json["versions"] == history["versions"]


def test_a_rule_goes_back_to_an_earlier_version_without_losing_the_draft(shop: Shop) -> None:
    shop.publish(formula="1")
    shop.publish(formula="2")
    shop.draft("order", formula="3")
    back = shop.act("order", "rollback", {"version": 1})
    assert (back.status_code, back.json["live_version"]) == (200, 1)
    assert back.json["draft"]["formula"] == "3"
    decision = shop.send_one(paid())["decisions"][0]
    assert (decision["version"], decision["amount"]) == (1, 1)
    assert shop.act("order", "publication").json["live_version"] == 3


def test_only_published_versions_can_be_gone_back_to(shop: Shop) -> None:
    shop.publish()
    for version in (2, 99, 2**31 - 1):
        answer = shop.act("order", "rollback", {"version": version})
        assert (answer.status_code, answer.json["code"]) == (404, "rule_not_found")
    assert shop.marketer.get("/v1/rules/order").json["live_version"] == 1


def test_a_retired_rule_decides_nothing_and_can_be_brought_back(shop: Shop) -> None:
    shop.publish()
    assert shop.act("order", "retirement").json["live_version"] is None
    assert shop.send_one(paid("A1"))["decisions"] == []
    shop.act("order", "rollback", {"version": 1})
    assert shop.send_one(paid("A2"))["decisions"][0]["amount"] == 100


def test_who_published_what_is_kept(shop: Shop) -> None:
    shop.publish()
    shop.publish(formula="2")
    shop.callers.staff("marketer", name="wang").post("/v1/rules/order/rollback", {"version": 1}, key="k")
    shop.act("order", "retirement")
    kept = shop.rows("SELECT code, version, actor FROM points_rule_publications ORDER BY id")
    assert kept == [
        ("order", 1, "staff:lin"),
        ("order", 2, "staff:lin"),
        ("order", 1, "staff:wang"),
        ("order", None, "staff:lin"),
    ]


def test_there_is_nothing_to_publish_or_simulate_without_a_draft(shop: Shop) -> None:
    shop.publish()
    for answer in (shop.act("order", "publication"), simulate(shop)):
        assert (answer.status_code, answer.json["code"]) == (409, "no_draft")
        assert "PUT /v1/rules/order/draft" in answer.json["detail"]


def test_an_unknown_rule_is_not_found(shop: Shop) -> None:
    answers = [
        shop.act("ghost", "publication"),
        shop.act("ghost", "rollback", {"version": 1}),
        shop.act("ghost", "retirement"),
        shop.marketer.get("/v1/rules/ghost"),
        simulate(shop, "ghost"),
    ]
    assert [(answer.status_code, answer.json["code"]) for answer in answers] == [(404, "rule_not_found")] * 5


def test_publishing_twice_under_one_key_makes_one_version(shop: Shop) -> None:
    shop.draft("order")
    calls = [lambda: shop.callers.staff("marketer").post("/v1/rules/order/publication", key="once")] * 8
    answers = at_once(calls)
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.data for answer in answers}) == 1
    assert sum("Idempotency-Replayed" not in answer.headers for answer in answers) == 1
    assert len(shop.marketer.get("/v1/rules/order").json["versions"]) == 1


def test_marketers_who_publish_at_once_make_one_version_of_one_draft(shop: Shop) -> None:
    shop.draft("order")
    calls = [
        lambda key=key: shop.callers.staff("marketer").post("/v1/rules/order/publication", key=key)
        for key in ("a", "b", "c", "d")
    ]
    assert sorted(answer.status_code for answer in at_once(calls)) == [200, 409, 409, 409]
    assert len(shop.marketer.get("/v1/rules/order").json["versions"]) == 1


def test_what_changes_for_members_needs_a_key(shop: Shop) -> None:
    shop.publish()
    for what in ("publication", "rollback", "retirement"):
        answer = shop.marketer.post(f"/v1/rules/order/{what}", {"version": 1})
        assert answer.json["code"] == "idempotency_key_missing"


HOPELESS = [
    ({"trigger": "share.sent"}, 422, "policy_violation", "/trigger"),
    ({"trigger": "share.opened"}, 422, "policy_violation", "/trigger"),
    ({"trigger": "moments.posted"}, 422, "policy_violation", "/trigger"),
    ({"trigger": "Order Paid"}, 422, "invalid_request", "/trigger"),
    ({"formula": "data.paid_fen /"}, 422, "bad_expression", "/formula"),
    ({"formula": "1; 2"}, 422, "bad_expression", "/formula"),
    ({"condition": "true and"}, 422, "bad_expression", "/condition"),
    ({"condition": "x" * 501}, 422, "invalid_request", "/condition"),
    ({"formula": ""}, 422, "invalid_request", "/formula"),
    ({"asset": "gold"}, 404, "asset_not_found", None),
    ({"asset": "Gold!"}, 422, "invalid_request", "/asset"),
    ({"validity": "soon"}, 422, "invalid_request", "/validity"),
    ({"validity": "9999Y"}, 422, "validity_too_long", "/validity"),
    ({"starts_at": DAWN, "ends_at": DAWN}, 422, "bad_rule", "/ends_at"),
    ({"starts_at": "2026-05-03"}, 422, "invalid_request", "/starts_at"),
    ({"colour": "red"}, 422, "invalid_request", "/colour"),
    ({"name_zh": ""}, 422, "invalid_request", "/name_zh"),
]


def test_what_could_never_work_is_not_even_drafted(shop: Shop) -> None:
    for given, status, code, pointer in HOPELESS:
        answer = shop.draft("order", **given)
        assert (answer.status_code, answer.json["code"]) == (status, code), given
        assert [error["pointer"] for error in answer.json.get("errors", [])] == ([pointer] if pointer else [])
    assert shop.marketer.get("/v1/rules").json == {"rules": []}


def test_a_bad_expression_is_explained_in_chinese_too(shop: Shop) -> None:
    marketer = shop.callers.staff("marketer", **{"Accept-Language": "zh"})
    answer = marketer.put("/v1/rules/order/draft", {**RULE, "asset": "points", "formula": "(1"})
    assert "无法解析" in answer.json["detail"]
    assert answer.json["facts"]["expression"] == "(1"


def test_a_rule_may_give_what_it_gives_a_shorter_life(shop: Shop) -> None:
    shop.put_asset("points", validity="12M_U")
    shop.publish("order", formula="1")
    shop.publish("review", trigger="review.posted", formula="2", validity="30D")
    shop.send(paid(time="2026-11-20T12:00:00+08:00"), event(time="2026-11-20T12:00:00+08:00"))
    assert [(lot["on"], lot["amount"]) for lot in shop.account()["lots"]] == [("2026-12-20", 2), ("2027-11-30", 1)]


def test_only_marketers_change_rules_and_all_staff_read_them(shop: Shop) -> None:
    shop.publish()
    other = shop.callers.staff("customer_service", "finance", "auditor")
    refused = [
        other.put("/v1/rules/order/draft", {**RULE, "asset": "points"}),
        other.post("/v1/rules/order/simulation", {"type": "order.paid"}),
        other.post("/v1/rules/order/publication", key="a"),
        other.post("/v1/rules/order/rollback", {"version": 1}, key="b"),
        other.post("/v1/rules/order/retirement", key="c"),
    ]
    assert [answer.status_code for answer in refused] == [403] * 5
    assert [rule["code"] for rule in other.get("/v1/rules").json["rules"]] == ["order"]
    assert other.get("/v1/rules/order").status_code == 200
    assert shop.callers.staff("admin").post("/v1/rules/order/retirement", key="c").status_code == 200


def test_members_systems_and_neighbours_see_no_rules(shop: Shop) -> None:
    shop.publish()
    for caller in (shop.callers.member(7), shop.callers.system("read", "events"), shop.callers.service("levels")):
        assert caller.get("/v1/rules").status_code == 403
        assert caller.get("/v1/rules/order").status_code == 403


def test_rules_of_another_program_are_not_there(shop: Shop) -> None:
    shop.publish()
    other = shop.callers.staff("marketer", program_id=2)
    other.put("/v1/program", {"name": "Other"})
    assert other.get("/v1/rules").json == {"rules": []}
    answers = [
        other.get("/v1/rules/order"),
        other.post("/v1/rules/order/simulation", {"type": "order.paid"}),
        other.post("/v1/rules/order/publication", key="a"),
        other.post("/v1/rules/order/rollback", {"version": 1}, key="b"),
        other.post("/v1/rules/order/retirement", key="c"),
    ]
    assert [answer.status_code for answer in answers] == [404] * 5
    elsewhere = shop.callers.system("events", program_id=2).post("/v1/events", paid())
    assert elsewhere.json["results"][0]["decisions"] == []
    assert shop.send_one(paid())["decisions"][0]["amount"] == 100


def test_what_another_process_published_is_live_within_two_seconds(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.publish(formula="1")
    clock = [1000.0]
    monkeypatch.setattr(use_cases.time, "monotonic", lambda: clock[0])
    use_cases.forget_rules()
    assert shop.send_one(paid("A1"))["decisions"][0]["amount"] == 1
    remembered = dict(use_cases._live)
    shop.publish(formula="2")
    use_cases._live.update(remembered)  # as in a process that did not publish
    clock[0] += 1.99
    assert shop.send_one(paid("A2"))["decisions"][0]["version"] == 1
    clock[0] += 0.01
    assert shop.send_one(paid("A3"))["decisions"][0]["version"] == 2


def test_entries_keep_the_version_that_decided_them(shop: Shop) -> None:
    shop.publish(formula="1")
    shop.send_one(paid("A1"))
    shop.publish(formula="2")
    shop.send_one(paid("A2"))
    shop.act("order", "rollback", {"version": 1})
    shop.send_one(paid("A3"))
    ids = dict(shop.rows("SELECT version, id FROM points_rule_versions"))
    kept = [(entry["amount"], entry["rule_version"]) for entry in shop.entries()]
    assert kept == [(1, ids[1]), (2, ids[2]), (1, ids[1])]
    shown = shop.callers.member(7).get("/v1/events", source="shop", id="paid-A1").json["events"][0]
    assert shown["result"]["decisions"][0]["version"] == 1


def test_several_rules_decide_one_event_each_by_itself_in_order_of_code(shop: Shop) -> None:
    shop.publish("b-growth", asset="growth", formula="data.paid_fen / 50")
    shop.publish("a-points")
    shop.publish("c-big", condition="data.paid_fen > 1000000", formula="7")
    result = shop.send_one(paid())
    assert [(one["rule"], one["asset"], one["amount"], one["reason"]) for one in result["decisions"]] == [
        ("a-points", "points", 100, "awarded"),
        ("b-growth", "growth", 200, "awarded"),
        ("c-big", "points", 0, "condition_false"),
    ]
    assert (shop.balance(), shop.balance(asset="growth")) == (100, 200)
