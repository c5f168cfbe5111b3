"""Laws of multipliers and stacking groups: who multiplies whom, who stands, and that each rule says why."""

from typing import Any

import pytest

from services.points.rules.domain import LARGEST_AWARD, Membership
from tests.rules import decide, published, shown


def campaign(code: str = "double", factor: str = "2", **given: Any) -> Any:
    """A live multiplier."""
    return published(code, kind="multiplier", factor=factor, **given)


def test_a_multiplier_multiplies_and_is_named_by_the_award() -> None:
    awarded, multiplier = sorted(
        decide(published("order", formula="50"), campaign()), key=lambda one: one.rule != "order"
    )
    assert (awarded.base, awarded.factor, awarded.campaign, awarded.wanted) == (50, "2", "double", 100)
    assert (multiplier.wanted, multiplier.reason, multiplier.factor) == (0, "multiplies", "2")


@pytest.mark.parametrize(
    ("base", "factor", "wanted"), [(7, "1.5", 10), (1, "1.5", 1), (99, "1.0001", 99), (3, "10", 30)]
)
def test_a_product_is_rounded_down_exactly(base: int, factor: str, wanted: int) -> None:
    decisions = decide(published(formula=str(base)), campaign(factor=factor))
    assert {one.rule: one.wanted for one in decisions} == {"order": wanted, "double": 0}


def test_the_highest_factor_wins_and_multipliers_do_not_multiply_each_other() -> None:
    decisions = decide(published(formula="100"), campaign("a", "1.5"), campaign("b", "3"), campaign("c", "2"))
    assert shown(decisions) == [
        ("a", 0, "outbid: by b"),
        ("b", 0, "multiplies"),
        ("c", 0, "outbid: by b"),
        ("order", 300, "awarded"),
    ]


def test_of_equal_factors_the_first_by_priority_is_stamped() -> None:
    decisions = decide(published(formula="1"), campaign("a"), campaign("z", priority=5))
    assert next(one.campaign for one in decisions if one.rule == "order") == "z"


def test_a_multiplier_keeps_to_the_rules_it_names_and_to_its_asset() -> None:
    rules = [published("x", formula="10"), published("y", formula="10"), published("g", formula="10", asset="growth")]
    wanted = {one.rule: one.wanted for one in decide(*rules, campaign(applies_to=["y"]))}
    assert wanted == {"x": 10, "y": 20, "g": 10, "double": 0}
    wanted = {one.rule: one.wanted for one in decide(*rules, campaign())}
    assert wanted == {"x": 20, "y": 20, "g": 10, "double": 0}


def test_a_multiplier_that_does_not_apply_says_why_and_changes_nothing() -> None:
    one = published(formula="10")
    closed = [
        (campaign(condition="false"), "condition_false"),
        (campaign(condition="data.none > 1"), "undecidable: Opcode Compare: Unsupported type"),
        (campaign(audience={"tiers": ["gold"]}), "not_in_audience"),
        (campaign(schedule={"weekdays": [1]}), "outside_schedule"),
        (campaign(holdout={"percent": 100}), "held_out"),
        (campaign(asset="growth"), "nothing_to_multiply"),
        (campaign(applies_to=["other"]), "nothing_to_multiply"),
    ]
    for multiplier, reason in closed:
        assert shown(decide(one, multiplier)) == [("double", 0, reason), ("order", 10, "awarded")]
    gold = Membership("gold")
    assert decide(one, campaign(audience={"tiers": ["gold"]}), member=gold)[1].wanted == 20
    assert shown(decide(published(condition="false"), campaign()))[0] == ("double", 0, "nothing_to_multiply")


def test_a_product_has_the_same_largest() -> None:
    decision = decide(published(formula=str(LARGEST_AWARD // 2 + 1)), campaign())[1]
    assert (decision.wanted, decision.reason) == (0, "award_too_large")


RULES = [
    published("low", formula="5", group="g", priority=3),
    published("high", formula="50", group="g", priority=1),
    published("none", formula="0", group="g", priority=9),
    published("same", formula="50", group="g"),
    published("alone", formula="1"),
]


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("all", {"low": 5, "high": 50, "same": 50, "alone": 1, "none": 0}),
        ("first", {"low": 5, "high": 0, "same": 0, "alone": 1, "none": 0}),
        ("highest", {"low": 0, "high": 50, "same": 0, "alone": 1, "none": 0}),
    ],
)
def test_a_group_lets_all_or_the_first_or_the_highest_award(mode: str, expected: dict[str, int]) -> None:
    decisions = decide(*RULES, groups={"g": mode})
    assert {one.rule: one.wanted for one in decisions} == expected
    kept = next(one.rule for one in decisions if one.wanted and one.rule != "alone")
    out = {one.rule: one.reason for one in decisions if one.reason.startswith("stacked_out")}
    assert set(out.values()) <= {f"stacked_out: by {kept}"}
    assert all(one.base for one in decisions if one.rule in out)
    assert next(one.reason for one in decisions if one.rule == "none") == "nothing_to_award"


def test_groups_do_not_touch_each_other_and_an_unknown_one_lets_all_award() -> None:
    rules = [published(code, formula="5", group=code[0]) for code in ("a1", "a2", "b1", "b2")]
    wanted = {one.rule: one.wanted for one in decide(*rules, groups={"a": "first"})}
    assert wanted == {"a1": 5, "a2": 0, "b1": 5, "b2": 5}


def test_the_highest_is_found_after_multiplying() -> None:
    rules = [
        published("small", formula="6", group="g"),
        published("big", formula="10", group="g"),
        campaign(applies_to=["small"]),
    ]
    assert {one.rule: one.wanted for one in decide(*rules, groups={"g": "highest"})} == {
        "small": 12,
        "big": 0,
        "double": 0,
    }


def test_one_that_awards_nothing_keeps_nobody_out() -> None:
    rules = [published("a", condition="false", group="g"), published("b", formula="5", group="g")]
    assert shown(decide(*rules, groups={"g": "first"})) == [("a", 0, "condition_false"), ("b", 5, "awarded")]
