"""Rule sets as documents (C15): out of one program and into another, refused whole with every place; and templates."""

from typing import Any

import pytest
from werkzeug.test import TestResponse

from services.points.programs.use_cases import forget_books
from services.points.rulesets.templates import TEMPLATES
from tests.earning import Shop, event, paid, refunded
from tests.rules import table
from tests.support import Caller

FULL: dict[str, Any] = {
    "formula": None,
    "table": table([["'gold'", "", "5"]]),
    "caps": [{"per": "day", "of": "member", "amount": 20}],
    "frequency": {"times": [{"per": "week", "most": 3}], "cooldown_hours": 12},
    "audience": {"tags": ["vip"]},
    "starts_at": "2026-05-01T00:00:00Z",
    "group": "g",
}


def neighbour(shop: Shop, *assets: str) -> Caller:
    """A marketer of another program with those assets."""
    made = shop.callers.staff("marketer", program_id=2)
    assert made.put("/v1/program", {"name": "Bolt"}).status_code == 200
    for asset in assets:
        assert made.put(f"/v1/assets/{asset}", {"name_en": asset, "name_zh": asset}).status_code == 200
    forget_books()
    return made


def bring(shop: Shop, marketer: Caller, document: dict[str, Any], **given: Any) -> TestResponse:
    """Import a set."""
    return marketer.post("/v1/rule-set/imports", {**document, **given}, key=f"import-{next(shop.keys)}")


def faults(answer: TestResponse) -> list[str]:
    """The places of what was refused."""
    assert (answer.status_code, answer.json["code"]) == (422, "bad_rule_set"), answer.json
    return [error["pointer"] for error in answer.json["errors"]]


def keep_tag(marketer: Caller, tag: str) -> None:
    """A list of members."""
    answer = marketer.post(f"/v1/audiences/tags/{tag}/members", {"add": [7], "remove": []})
    assert answer.status_code == 200, answer.json


@pytest.fixture
def published(shop: Shop) -> dict[str, Any]:
    """The set of a shop with two live rules, one of them with everything, and a draft that is not live."""
    keep_tag(shop.marketer, "vip")
    shop.marketer.put("/v1/rule-groups/g", {"mode": "first"})
    shop.marketer.put("/v1/rule-groups/unused", {"mode": "first"})
    shop.publish("full", **FULL)
    shop.publish("twice", kind="multiplier", formula=None, factor="2", applies_to=["full"])
    shop.draft("idea", formula="7")
    return dict(shop.callers.staff("finance").get("/v1/rule-set").json)


def test_a_set_goes_out_of_one_program_and_into_another(shop: Shop, published: dict[str, Any]) -> None:
    assert [one["code"] for one in published["rules"]] == ["full", "twice"]
    assert published["groups"] == [{"code": "g", "mode": "first"}]
    other = neighbour(shop, "points")
    keep_tag(other, "vip")
    answer = bring(shop, other, published)
    assert answer.status_code == 201, answer.json
    assert {(one["code"], one["live_version"]) for one in answer.json["rules"]} == {("full", None), ("twice", None)}
    assert other.get("/v1/rule-set").json["rules"] == []
    assert other.get("/v1/rule-set", of="drafts").json == published
    assert other.post("/v1/rule-publications", {"rules": ["full", "twice"]}, key="go").status_code == 200
    assert other.get("/v1/rule-set").json == published
    assert [one["code"] for one in shop.marketer.get("/v1/rule-set", of="drafts").json["rules"]] == ["idea"]


def test_every_fault_is_named_with_its_place_and_nothing_is_written(shop: Shop, published: dict[str, Any]) -> None:
    other = neighbour(shop, "growth")
    other.put("/v1/rule-groups/g", {"mode": "all"})
    twice = published["rules"][1]
    published["rules"] += [
        {"code": "lost", "document": {**twice["document"], "applies_to": ["nobody"], "asset": "growth"}},
        {
            "code": "broken",
            "document": {
                "name_en": "b",
                "name_zh": "b",
                "trigger": "moments.shared",
                "asset": "growth",
                "condition": "data.x >",
                "formula": "rand(3)",
                "validity": "16Y",
                "frequency": {"times": [{"per": "day", "most": 1}, {"per": "day", "most": 2}]},
                "audience": {"segments": ["new", "old"]},
                "group": "h",
            },
        },
        {"code": "full", "document": twice["document"]},
    ]
    assert faults(bring(shop, other, published)) == [
        "/groups/0/mode",
        "/rules/4/code",
        "/rules/0/document/asset",
        "/rules/0/document/audience/tags/0",
        "/rules/1/document/asset",
        "/rules/2/document/applies_to/0",
        "/rules/3/document/frequency/times/1",
        "/rules/3/document/condition",
        "/rules/3/document/formula",
        "/rules/3/document/validity",
        "/rules/3/document/trigger",
        "/rules/3/document/formula",
        "/rules/3/document/group",
        "/rules/3/document/audience/segments/0",
        "/rules/3/document/audience/segments/1",
        "/rules/4/document/asset",
    ]
    assert other.get("/v1/rules").json == {"rules": []}
    assert [one["mode"] for one in other.get("/v1/rule-groups").json["groups"]] == ["all"]


def test_a_table_that_cannot_be_read_is_named_by_its_cell(shop: Shop, published: dict[str, Any]) -> None:
    other = neighbour(shop, "points")
    keep_tag(other, "vip")
    published["rules"][0]["document"]["table"] = table([["'gold'", "", "5 +"]])
    pointers = faults(bring(shop, other, published))
    assert pointers
    assert all(pointer.startswith("/rules/0/document/table") for pointer in pointers)


def test_an_import_replaces_a_draft_only_when_it_says_so_and_never_what_is_live(
    shop: Shop, published: dict[str, Any]
) -> None:
    ideas = shop.marketer.get("/v1/rule-set", of="drafts").json
    ideas["rules"][0]["document"]["formula"] = "70"
    assert faults(bring(shop, shop.marketer, ideas)) == ["/rules/0/code"]
    assert shop.marketer.get("/v1/rules/idea").json["draft"]["formula"] == "7"
    assert bring(shop, shop.marketer, ideas, replace_drafts=True).status_code == 201
    assert shop.marketer.get("/v1/rules/idea").json["draft"]["formula"] == "70"
    assert bring(shop, shop.marketer, published).status_code == 201
    assert [one["live_version"] for one in shop.marketer.get("/v1/rules").json["rules"]] == [1, None, 1]


def test_another_format_and_a_field_that_nobody_knows_are_refused(shop: Shop, published: dict[str, Any]) -> None:
    assert bring(shop, shop.marketer, published, format="jifen.rules/2").json["errors"][0]["pointer"] == "/format"
    published["rules"][0]["document"]["colour"] = "red"
    answer = bring(shop, shop.marketer, published)
    assert answer.json["errors"][0]["pointer"] == "/rules/0/document/colour"


def use(shop: Shop, code: str) -> None:
    """Import a template as it is served, and publish it."""
    served = shop.marketer.get(f"/v1/rule-templates/{code}")
    assert served.status_code == 200
    drafted = bring(shop, shop.marketer, dict(served.json))
    assert drafted.status_code == 201, drafted.json
    codes = [one["code"] for one in drafted.json["rules"]]
    published = shop.marketer.post("/v1/rule-publications", {"rules": codes}, key=f"publish-{code}")
    assert published.status_code == 200, published.json


def at(day: int, hour: int = 12, minute: int = 0) -> str:
    """An instant of May 2026 in Shanghai; the 3rd is a Sunday."""
    return f"2026-05-{day:02}T{hour:02}:{minute:02}:00+08:00"


def amounts(shop: Shop, *events: dict[str, Any]) -> list[int]:
    """What the events were awarded in all."""
    return [sum(one["amount"] for one in result["decisions"]) for result in shop.send(*events)]


def test_every_template_is_listed_in_both_languages_and_proven_below(shop: Shop) -> None:
    listed = shop.callers.staff("finance").get("/v1/rule-templates").json["templates"]
    assert {one["code"] for one in listed} == set(TEMPLATES) == set(PROOFS)
    assert all(one[name] for one in listed for name in ("name_en", "name_zh", "says_en", "says_zh"))
    assert shop.marketer.get("/v1/rule-templates/none").json["code"] == "template_not_found"


def order_points(shop: Shop) -> None:
    """A point a yuan, available seven days after the confirmation."""
    assert amounts(shop, paid("A1", 12_890, time=at(3))) == [128]
    assert (shop.account()["pending"], shop.account()["available"]) == (128, 0)
    shop.send(event("c", "order.confirmed", data={"order_id": "A1"}, time=at(4)))
    assert shop.account()["available"] == 128


def first_order_bonus(shop: Shop) -> None:
    """Once in all, unless it is refunded wholly."""
    assert amounts(shop, paid("A0", 0, time=at(2)), paid("A1", time=at(3)), paid("A2", time=at(4))) == [0, 100, 0]
    shop.send(refunded(10_000, "A1", time=at(5)))
    assert amounts(shop, paid("A3", time=at(6)), paid("A4", time=at(7))) == [100, 0]


def daily_review(shop: Shop) -> None:
    """Twice a day, an hour apart, 200 a month."""
    day = [event(f"e{n}", time=at(3, 9, minute)) for n, minute in enumerate((0, 30))]
    assert amounts(shop, *day, event("e2", time=at(3, 10)), event("e3", time=at(3, 12))) == [10, 0, 10, 0]
    rest = [event(f"f{day}-{hour}", time=at(day, hour)) for day in range(4, 16) for hour in (9, 11)]
    assert sum(amounts(shop, *rest)) == 180


def weekend_double(shop: Shop) -> None:
    """Another rule's points, twice at the weekend."""
    shop.publish("base", formula="50")
    assert amounts(shop, paid("A1", time=at(1)), paid("A2", time=at(2)), paid("A3", time=at(3))) == [50, 100, 100]
    assert amounts(shop, paid("A4", time=at(4))) == [50]


def spending_steps(shop: Shop) -> None:
    """The highest step that the price reaches."""
    prices = (19_999, 20_000, 49_999, 50_000, 100_000)
    assert amounts(shop, *(paid(f"A{fen}", fen) for fen in prices)) == [0, 20, 20, 80, 200]


PROOFS = {
    "order-points": order_points,
    "first-order-bonus": first_order_bonus,
    "daily-review": daily_review,
    "weekend-double": weekend_double,
    "spending-steps": spending_steps,
}


@pytest.mark.parametrize("code", sorted(PROOFS))
def test_a_template_awards_what_it_says(shop: Shop, code: str) -> None:
    use(shop, code)
    PROOFS[code](shop)
