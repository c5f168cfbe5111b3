"""A set of rules checked before anything happens: what would go wrong, with an event at which it does."""

from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

import pytest

from services.points.rules.absent import absent, groups_of
from services.points.rules.analysis import analyse
from services.points.rules.concerns import Concern, Setting
from services.points.rules.decisions import PublishedRule
from services.points.rules.rule import Audience, Cap, Holdout, Rule, Schedule

NOW = datetime(2026, 5, 3, 4, 0, tzinfo=UTC)


def rule(code: str, formula: str | None = "10", **given: Any) -> PublishedRule:
    """An award of 10 points for every paid order, unless told."""
    defaults: dict[str, Any] = {"trigger": "order.paid", "condition": "true", "asset": "points"}
    return PublishedRule(code, 1, 1, Rule("Rule", "规则", formula=formula, **{**defaults, **given}))


def times(code: str, factor: str, **given: Any) -> PublishedRule:
    """A multiplier."""
    return rule(code, None, kind="multiplier", factor=factor, **given)


def check(*rules: PublishedRule, groups: dict[str, Any] | None = None, worth: Fraction | None = None) -> list[Concern]:
    """What is wrong with the set on 3 May 2026 in Shanghai."""
    worths = {} if worth is None else {"points": worth}
    return analyse(rules, Setting("Asia/Shanghai", 1, NOW, groups or {}, worths))


def only(concerns: list[Concern], code: str) -> Concern:
    """The one concern of that code."""
    [one] = [one for one in concerns if one.code == code]
    assert one.en
    assert one.zh
    return one


def codes(concerns: list[Concern]) -> list[str]:
    """What is wrong."""
    return [one.code for one in concerns]


def test_a_plain_rule_is_fine() -> None:
    assert check(rule("a")) == []


def test_channels_are_the_events_own_and_known_to_nobody() -> None:
    named = Audience(tiers=("gold",), channels=("app",))
    assert list(groups_of(named)) == [("tiers", "gold")]
    [one] = absent(named, [("tiers", "gold"), ("channels", "app")])
    assert (one.wholly, one.en, one.zh) == (True, "the tier gold", "等级 gold")
    assert list(absent(named, [("tags", "gold")])) == []


def test_rules_that_award_together_without_bounds_are_named_with_an_event() -> None:
    big = rule("big", "20", condition="data.paid_fen >= 50000")
    concern = only(check(rule("small"), big), "unbounded_stacking")
    assert concern.rules == ("big", "small")
    assert concern.example is not None
    assert concern.example.sample.facts.data["paid_fen"] >= 50000
    assert concern.example.awards == {"small": 10, "big": 20}


def test_rules_for_different_orders_do_not_stack() -> None:
    small = rule("small", condition="data.paid_fen < 50000")
    big = rule("big", "20", condition="data.paid_fen >= 50000")
    assert check(small, big) == []


def test_a_group_a_cap_a_budget_or_another_asset_ends_the_stacking() -> None:
    other = rule("other", "20", condition="data.paid_fen > 1")
    assert (
        check(rule("a", group="g"), rule("b", "20", condition="data.paid_fen > 1", group="g"), groups={"g": "highest"})
        == []
    )
    assert check(rule("a", caps=(Cap("day", "member", 5),)), other) == []
    assert check(rule("a", budget=100), other) == []
    assert check(rule("a", asset="growth"), other) == []
    grouped = [rule("a", group="g"), rule("b", "20", condition="data.paid_fen > 1", group="g")]
    assert codes(check(*grouped, groups={"g": "all"})) == ["unbounded_stacking"]


def test_audiences_that_one_member_may_be_in_at_once_stack() -> None:
    gold = rule("gold", audience=Audience(tiers=("gold",)))
    fans = rule("fans", "7", audience=Audience(tags=("fan",), segments=("new",), channels=("app",)))
    concern = only(check(gold, fans), "unbounded_stacking")
    assert concern.example is not None
    member = concern.example.sample.facts.member
    assert member.tier == "gold"
    assert "fan" in member.tags
    assert concern.example.sample.facts.data["channel"] == "app"


def test_the_same_question_twice_is_an_overlap() -> None:
    concern = only(check(rule("a"), rule("b", "20", caps=(Cap("day", "member", 5),))), "overlap")
    assert concern.rules == ("a", "b")
    assert concern.example is not None
    assert "overlap" not in codes(check(rule("a"), rule("b", "20", condition="data.paid_fen > 1")))
    first = rule("a", ends_at=datetime(2026, 6, 1, tzinfo=UTC))
    then = rule("b", starts_at=datetime(2026, 6, 1, tzinfo=UTC))
    assert check(first, then) == []


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"ends_at": datetime(2026, 5, 1, tzinfo=UTC)}, "ended"),
        ({"condition": "false"}, "condition_false"),
        ({"condition": "1 > 2"}, "condition_false"),
        ({"condition": "5"}, "undecidable: the condition gave 5.0, not true or false"),
        ({"holdout": Holdout(100)}, "held_out"),
        ({"formula": "0"}, "nothing_to_award"),
        ({"formula": "1 - 5"}, "nothing_to_award"),
        ({"caps": (Cap("day", "member", 0),)}, "awarded"),
        ({"budget": 0}, "awarded"),
        ({"schedule": Schedule(weekdays=(1,), dates=(("2026-05-05", "2026-05-06"),))}, "outside_schedule"),
        (
            {"schedule": Schedule(dates=(("2026-05-05", "2026-05-06"),)), "ends_at": datetime(2026, 5, 4, tzinfo=UTC)},
            "outside_schedule",
        ),
    ],
)
def test_a_rule_that_can_never_award_is_named_with_the_reason(given: dict[str, Any], reason: str) -> None:
    concern = only(check(rule("a", **given)), "unreachable")
    assert concern.rules == ("a",)
    assert concern.example is not None
    [decision] = concern.example.decisions
    assert decision.reason == reason


def test_a_schedule_that_opens_one_day_is_reachable() -> None:
    assert check(rule("a", schedule=Schedule(weekdays=(2,), dates=(("2026-05-05", "2026-05-06"),)))) == []
    assert check(rule("a", schedule=Schedule(hours=(("00:00", "00:01"),)))) == []
    assert check(rule("a", starts_at=datetime(2026, 12, 1, tzinfo=UTC))) == []


def test_a_rule_behind_one_that_always_awards_first_is_stacked_out() -> None:
    first, second = rule("a", priority=5, group="g"), rule("b", "500", group="g", condition="data.paid_fen > 1")
    concern = only(check(first, second, groups={"g": "first"}), "unreachable")
    assert concern.rules == ("b", "a")
    assert concern.example is not None
    assert concern.example.awards == {"a": 10}
    for mode in ("all", "highest"):
        assert "unreachable" not in codes(check(first, second, groups={"g": mode}))
    picky = rule("a", priority=5, group="g", condition="data.paid_fen > 100")
    assert check(picky, second, groups={"g": "first"}) == []


def test_a_multiplier_of_nothing_and_one_that_is_always_outbid_are_named() -> None:
    alone = only(check(times("double", "2", asset="growth"), rule("a")), "unreachable")
    assert alone.rules == ("double",)
    outbid = only(check(times("double", "2"), times("triple", "3"), rule("a")), "unreachable")
    assert outbid.rules == ("double", "triple")
    assert outbid.example is not None
    assert outbid.example.awards == {"a": 30}
    sometimes = times("triple", "3", condition="data.paid_fen > 100")
    assert check(times("double", "2"), sometimes, rule("a")) == []
    apart = (times("double", "2", applies_to=("a",)), times("triple", "3", applies_to=("b",)))
    assert "unreachable" not in codes(check(*apart, rule("a"), rule("b", "20")))


def test_an_award_that_grows_with_the_event_needs_a_cap() -> None:
    concern = only(check(rule("rate", "data.paid_fen / 100")), "missing_cap")
    assert concern.example is not None
    assert concern.example.awards["rate"] >= 10_000_000
    assert check(rule("rate", "data.paid_fen / 100", caps=(Cap("event", "member", 5000),))) == []
    assert check(rule("rate", "data.paid_fen / 100", budget=5000)) == []
    assert check(rule("rate", "data.paid_fen > 100 ? 50 : 10")) == []
    assert codes(check(rule("steps", "data.steps * data.steps", trigger="steps.walked"))) == ["missing_cap"]


def test_fields_inside_of_fields_are_tried_too() -> None:
    deep = rule("deep", "data.item.price * data.item.count", condition="data.item.kind == 'tea' and data.item != null")
    concern = only(check(deep), "missing_cap")
    assert concern.example is not None
    assert concern.example.sample.facts.data["item"]["kind"] == "tea"


def test_points_worth_more_than_the_order_are_an_error_where_their_worth_is_known() -> None:
    generous = rule("generous", "data.paid_fen", caps=(Cap("event", "member", 10_000_000_000),))
    concern = only(check(generous, worth=Fraction(11, 10)), "award_above_price")
    assert concern.severity == "error"
    assert concern.example is not None
    paid = concern.example.sample.facts.data["paid_fen"]
    assert concern.example.awards["generous"] * Fraction(11, 10) > paid
    assert check(generous, worth=Fraction(1, 2)) == []
    assert check(generous) == []


def test_rewards_that_cause_their_own_trigger_are_a_loop() -> None:
    own = only(check(rule("own", trigger="points.earned")), "loop")
    assert own.rules == ("own",)
    assert own.severity == "error"
    ring = only(
        check(rule("up", trigger="tier.changed"), rule("more", trigger="points.earned", asset="growth")), "loop"
    )
    assert ring.rules == ("more", "up")
    assert "loop" not in codes(check(rule("up", trigger="tier.changed")))


def test_what_the_platform_forbids_or_warns_of_is_part_of_the_check() -> None:
    assert only(check(rule("a", trigger="share.opened")), "policy_reward_for_sharing").severity == "error"
    assert only(check(rule("a", trigger="friend.added")), "policy_friend_added_more_than_once").severity == "warning"


def test_errors_come_before_warnings() -> None:
    concerns = check(rule("a", "data.paid_fen / 100"), rule("own", trigger="points.earned"))
    assert [one.severity for one in concerns] == ["error", "warning"]
