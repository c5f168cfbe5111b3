"""Laws of sets of rules, whatever they say: any order gives the same, each is answered, sums stay within the parts."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from services.points.rules.domain import Facts, Membership, PublishedRule, RuleSet, decide_all
from tests.rules import NOON, ZONE, decide, published

_COMMON = {
    "priority": st.integers(-2, 2),
    "condition": st.sampled_from(["true", "false", "data.paid_fen > 5000", "data.none > 1", "event.hour == 12"]),
    "trigger": st.sampled_from(["order.paid", "order.paid", "order.paid", "review.posted"]),
    "asset": st.sampled_from(["points", "growth"]),
    "audience": st.sampled_from([{}, {"tiers": ["gold"]}, {"tags": ["vip"]}, {"channels": ["app"]}]),
    "schedule": st.sampled_from([{}, {"weekdays": [7]}, {"weekdays": [1]}, {"hours": [["12:00", "12:01"]]}]),
    "holdout": st.sampled_from([None, {"percent": 50}]),
}
_AWARD = st.fixed_dictionaries(
    {
        **_COMMON,
        "formula": st.sampled_from(["5", "50", "data.paid_fen / 100", "data.paid_fen * 0.29", "0", "data.none"]),
        "group": st.sampled_from([None, "g", "h"]),
    }
)
_MULTIPLIER = st.fixed_dictionaries(
    {**_COMMON, "kind": st.just("multiplier"), "factor": st.sampled_from(["1.5", "2", "3.3333"])}
)
_SETS = st.lists(_AWARD | _MULTIPLIER, max_size=9)
_GROUPS = st.fixed_dictionaries({"g": st.sampled_from(["all", "first", "highest"]), "h": st.just("first")})
_DATA = st.fixed_dictionaries(
    {"paid_fen": st.integers(0, 10**6) | st.just("text")}, optional={"channel": st.sampled_from(["app", "store"])}
)
_MEMBERS = st.sampled_from([Membership(), Membership("gold", frozenset({"vip"}))])


def _published(documents: list[dict[str, Any]]) -> list[PublishedRule]:
    return [published(f"r{number}", **document) for number, document in enumerate(documents)]


@settings(deadline=None)
@given(documents=_SETS, groups=_GROUPS, data=_DATA, member=_MEMBERS, shuffled=st.randoms(use_true_random=False))
def test_the_order_of_the_rules_does_not_matter_and_each_has_its_decision(
    documents: list[dict[str, Any]], groups: dict[str, str], data: dict[str, Any], member: Membership, shuffled: Any
) -> None:
    rules = _published(documents)
    first = decide(*rules, data=data, member=member, groups=groups)
    again = list(rules)
    shuffled.shuffle(again)
    assert decide(*again, data=data, member=member, groups=groups) == first
    assert sorted(one.rule for one in first) == sorted(one.code for one in rules if one.rule.trigger == "order.paid")
    assert all(one.reason and one.amount == one.wanted >= 0 for one in first)
    assert all((one.wanted > 0) == (one.reason == "awarded") for one in first)


@settings(deadline=None)
@given(documents=_SETS, groups=_GROUPS, data=st.lists(_DATA, min_size=1, max_size=4), member=_MEMBERS)
def test_a_set_made_once_decides_every_event_as_if_it_were_the_first(
    documents: list[dict[str, Any]], groups: dict[str, str], data: list[dict[str, Any]], member: Membership
) -> None:
    rules = _published(documents)
    made = RuleSet(rules)
    for event in data:
        facts = Facts("order.paid", NOON, event, member)
        seen = decide_all(made, groups, facts, zone=ZONE, program_id=1, member_id=7)
        assert seen == decide(*rules, data=event, member=member, groups=groups)


@settings(deadline=None)
@given(documents=_SETS, groups=_GROUPS, data=_DATA, member=_MEMBERS)
def test_a_group_awards_no_more_than_its_mode_allows_and_factors_only_raise(
    documents: list[dict[str, Any]], groups: dict[str, str], data: dict[str, Any], member: Membership
) -> None:
    rules = {one.code: one.rule for one in _published(documents)}
    decisions = decide(*_published(documents), data=data, member=member, groups=groups)
    for group, mode in groups.items():
        wanted = [one.wanted for one in decisions if rules[one.rule].group == group and one.wanted]
        assert mode == "all" or len(wanted) <= 1
    for one in decisions:
        if one.wanted:
            assert one.base <= one.wanted <= one.base * 10
            assert (one.factor is None) == (one.campaign is None)
