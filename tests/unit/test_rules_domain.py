"""Laws of earning rules: what a rule awards for an event, what it says when it does not, and what may not be a rule."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.points.programs.pending import BadPending
from services.points.programs.validity import BadValidity
from services.points.rules import domain
from services.points.rules.domain import LARGEST_AWARD, BadRule, Membership, RuleSet, document_of, rule_of
from services.points.rules.expressions import BadExpression
from services.points.rules.tables import BadTable
from tests.rules import NOON, decide, decide_one, published, rule, shown, table


def test_a_rule_awards_the_floor_of_its_formula_when_its_condition_holds() -> None:
    assert decide_one({"paid_fen": 12890}) == (128, "awarded")
    assert decide_one({"paid_fen": 12890}, validity="30D") == (128, "awarded")
    assert decide_one({"paid_fen": 12890}, condition="data.paid_fen < 100") == (0, "condition_false")


def test_nothing_and_less_than_nothing_are_not_awarded() -> None:
    for fen in (0, 99, -1, -12890):
        assert decide_one({"paid_fen": fen}) == (0, "nothing_to_award")


def test_an_award_has_a_largest() -> None:
    assert decide_one({}, formula=str(LARGEST_AWARD)) == (LARGEST_AWARD, "awarded")
    assert decide_one({}, formula=str(LARGEST_AWARD + 1)) == (0, "award_too_large")


def test_a_rule_is_alive_from_its_start_until_right_before_its_end() -> None:
    second = timedelta(seconds=1)
    alive = {"starts_at": NOON.isoformat(), "ends_at": (NOON + second).isoformat()}
    assert decide_one(**alive)[1] == "awarded"
    assert decide_one(time=NOON + second / 2, **alive)[1] == "awarded"
    assert decide_one(time=NOON - second, **alive) == (0, "not_started")
    assert decide_one(time=NOON + second, **alive) == (0, "ended")


def test_what_a_rule_cannot_decide_awards_nothing_and_says_why() -> None:
    assert decide_one({"paid_fen": "a lot"}) == (0, "undecidable: Opcode Divide: Unsupported type")
    assert decide_one({}, condition="data.none > 1")[1].startswith("undecidable: ")


def test_a_decision_carries_what_intake_needs_of_its_rule() -> None:
    caps = [{"per": "day", "of": "member", "amount": 5}]
    one = published(validity="30D", pending="7D", caps=caps, budget=1000)
    decision = decide(one)[0]
    assert (decision.rule, decision.version, decision.version_id, decision.asset) == ("order", 3, 17, "points")
    assert (decision.validity, decision.pending, decision.caps, decision.budget) == ("30D", "7D", one.rule.caps, 1000)
    assert (decision.base, decision.factor, decision.campaign) == (100, None, None)


@pytest.mark.parametrize(
    ("time", "zone", "seen"),
    [
        (datetime(2026, 5, 3, 15, 59, tzinfo=UTC), "Asia/Shanghai", (23, 7, "2026-05-03", 3)),
        (datetime(2026, 5, 3, 16, 0, tzinfo=UTC), "Asia/Shanghai", (0, 1, "2026-05-04", 4)),
        (datetime(2026, 12, 31, 23, 59, tzinfo=UTC), "America/New_York", (18, 4, "2026-12-31", 31)),
        (datetime(2028, 2, 29, 0, 30, tzinfo=UTC), "UTC", (0, 2, "2028-02-29", 29)),
        (datetime(2026, 3, 29, 1, 0, tzinfo=UTC), "Europe/Berlin", (3, 7, "2026-03-29", 29)),
    ],
)
def test_hours_and_days_are_those_of_the_programs_zone(time: datetime, zone: str, seen: tuple[Any, ...]) -> None:
    hour, weekday, day, month_day = seen
    condition = f"event.hour == {hour} and event.weekday == {weekday} and event.day == '{day}'"
    asked = published(condition=f"{condition} and event.month_day == {month_day} and event.type == 'order.paid'")
    assert decide(asked, time=time, zone=zone)[0].reason == "awarded"
    assert decide(asked, time=time + timedelta(days=1), zone=zone)[0].reason == "condition_false"


def test_expressions_see_the_members_tier_and_tags() -> None:
    asked = published(
        condition="member.tier == 'gold' and 'vip' in member.tags", formula="member.tier == 'gold' ? 3 : 1"
    )
    gold = Membership("gold", frozenset({"vip", "new"}))
    assert shown(decide(asked, member=gold)) == [("order", 3, "awarded")]
    assert decide(asked, member=replace(gold, tags=frozenset()))[0].reason == "condition_false"
    assert decide(asked)[0].reason == "condition_false"


def test_decimals_reach_the_formula_exactly() -> None:
    assert decide_one({"price": Decimal("0.1")}, formula="(data.price + 0.2) * 10") == (3, "awarded")


def test_only_rules_of_the_events_type_are_asked() -> None:
    rules = [published("a"), published("b", trigger="review.posted", formula="2")]
    assert shown(decide(*rules)) == [("a", 100, "awarded")]
    assert shown(decide(*rules, type="review.posted")) == [("b", 2, "awarded")]
    assert decide(*rules, type="member.joined") == []


def test_higher_priority_goes_first_and_then_the_code() -> None:
    rules = [published("b"), published("c", priority=1), published("a"), published("d", priority=-1)]
    assert [one.rule for one in decide(*rules)] == ["c", "a", "b", "d"]


def test_a_set_of_rules_is_what_it_holds() -> None:
    rules = RuleSet([published("b"), published("a")])
    assert [one.code for one in rules] == ["a", "b"]
    assert (len(rules), rules[0].code, [one.code for one in rules[1:]]) == (2, "a", ["b"])
    assert rules == RuleSet([published("a"), published("b")])
    assert rules != RuleSet([published("a")])
    assert rules != [published("a"), published("b")]


@pytest.mark.parametrize(
    ("given", "asks"),
    [
        ({}, False),
        ({"audience": {"channels": ["app"]}}, False),
        ({"audience": {"tiers": ["gold"]}}, True),
        ({"audience": {"tags": ["vip"]}}, True),
        ({"audience": {"segments": ["new"]}}, True),
        ({"condition": "member.tier == 'gold'"}, True),
        ({"table": table([["'gold'", "", "2"]])}, True),
    ],
)
def test_a_set_knows_whether_it_asks_who_the_member_is(given: dict[str, Any], asks: bool) -> None:
    assert RuleSet([published(**given)]).asks_about_members is asks


MULTIPLIER = {"kind": "multiplier", "formula": None, "factor": "2"}
MISFITS: list[tuple[dict[str, Any], list[str]]] = [
    ({"formula": None}, ["/formula"]),
    ({"formula": "1", "table": table([["", "", "1"]])}, ["/formula"]),
    ({"factor": "2"}, ["/factor"]),
    ({"applies_to": ["order"]}, ["/applies_to"]),
    ({**MULTIPLIER, "factor": None}, ["/factor"]),
    ({**MULTIPLIER, "factor": "1"}, ["/factor"]),
    ({**MULTIPLIER, "factor": "1.0000"}, ["/factor"]),
    ({**MULTIPLIER, "formula": "1", "validity": "30D"}, ["/formula", "/validity"]),
    ({**MULTIPLIER, "pending": "7D", "budget": 5, "group": "g"}, ["/pending", "/budget", "/group"]),
    ({**MULTIPLIER, "caps": [{"per": "day", "of": "rule", "amount": 1}]}, ["/caps"]),
    ({**MULTIPLIER, "table": table([["", "", "1"]])}, ["/table"]),
    ({"starts_at": NOON.isoformat(), "ends_at": NOON.isoformat()}, ["/ends_at"]),
    ({"schedule": {"hours": [["07:00", "09:30"], ["22:00", "02:00"]]}}, ["/schedule/hours/1"]),
    ({"schedule": {"hours": [["07:00", "07:00"]]}}, ["/schedule/hours/0"]),
    ({"schedule": {"dates": [["2026-05-03", "2026-05-02"]]}}, ["/schedule/dates/0"]),
    (
        {"caps": [{"per": "day", "of": "member", "amount": 1}, {"per": "day", "of": "member", "amount": 2}]},
        ["/caps/1"],
    ),
]


@pytest.mark.parametrize(("given", "pointers"), MISFITS)
def test_what_does_not_fit_together_is_refused_field_by_field(given: dict[str, Any], pointers: list[str]) -> None:
    with pytest.raises(BadRule) as refusal:
        domain.check(rule_of(document_of(rule()) | given))
    assert [fault.pointer for fault in refusal.value.faults] == pointers
    assert all(fault.en and fault.zh for fault in refusal.value.faults)


@pytest.mark.parametrize(
    ("given", "refusal"),
    [
        ({"condition": "(1"}, BadExpression),
        ({"formula": "1 +"}, BadExpression),
        ({"validity": "9999Y"}, BadValidity),
        ({"validity": "idle:6M"}, BadValidity),
        ({"pending": "0D"}, BadPending),
        ({"table": {"nodes": [], "edges": []}}, BadTable),
    ],
)
def test_what_could_never_work_is_refused(given: dict[str, Any], refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        domain.check(rule(**given))


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"validity": "12M_U", "pending": "order.confirmed+7D", "budget": 1},
        {"schedule": {"hours": [["22:00", "24:00"], ["00:00", "02:00"]], "dates": [["2026-05-03", "2026-05-03"]]}},
        {**MULTIPLIER, "applies_to": ["order"]},
        {"table": table([["'gold'", "'shoes'", "data.paid_fen * 0.02"], ["", "", "1"]])},
        {"caps": [{"per": "day", "of": "member", "amount": 1}, {"per": "day", "of": "rule", "amount": 1}]},
    ],
)
def test_what_fits_together_is_welcome(given: dict[str, Any]) -> None:
    domain.check(rule(**given))


_NUMBERS = st.integers(-(2**53) + 1, 2**53 - 1) | st.builds(
    lambda digits, places: Decimal(digits).scaleb(-places), st.integers(-(10**15) + 1, 10**15 - 1), st.integers(0, 15)
)
_JSON = st.recursive(
    st.none() | st.booleans() | _NUMBERS | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
_EXPRESSIONS = st.sampled_from(
    [
        "data.a / data.b",
        "data.a * data.a * data.a",
        "data.a > data.b",
        "data.a[0] == data.b.c",
        "data.a in data.b",
        "data.a ^ data.b",
        "data.a % data.b",
        "len(data.a)",
        "sum(data.a)",
        "map(data.a, # + 1)",
        "some(data.a, # > 1)",
        "number(data.a)",
        "string(data.a)",
        "data.a ? data.b : 1",
        "d(data.a)",
        "matches(data.a, data.b)",
        "data.a[data.b]",
        "abs(data.a)",
        "data.a[0:2]",
        "true",
        "5",
    ]
)


@given(data=st.dictionaries(st.sampled_from("abc"), _JSON), condition=_EXPRESSIONS, formula=_EXPRESSIONS)
def test_deciding_never_raises_and_awards_within_bounds_whatever_the_data(
    data: dict[str, Any], condition: str, formula: str
) -> None:
    amount, reason = decide_one(data, condition=condition, formula=formula)
    assert 0 <= amount <= LARGEST_AWARD
    assert (amount > 0) == (reason == "awarded")
    assert "\n" not in reason


def test_all_faults_of_a_rule_are_named_at_once() -> None:
    odd = rule(validity="9X", pending="soon", formula="data.", condition="data.paid_fen >")
    assert {fault.pointer for fault in domain.faults(odd)} == {"/validity", "/pending", "/formula", "/condition"}
    assert list(domain.faults(rule())) == []
