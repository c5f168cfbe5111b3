"""Laws of earning rules: what a rule awards for an event, what it says when it does not, and what may not be a rule."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.points.programs.domain import BadValidity
from services.points.rules import domain
from services.points.rules.domain import LARGEST_AWARD, ForbiddenTrigger, Rule
from services.points.rules.expressions import BadExpression

NOON = datetime(2026, 5, 3, 4, 0, tzinfo=UTC)
RULE = Rule("A point a yuan", "一元一分", "order.paid", "true", "data.paid_fen / 100", "points")


def decide(data: dict[str, Any], *, time: datetime = NOON, **given: Any) -> tuple[int, str]:
    """The award and the reason."""
    rule = replace(RULE, **given)
    context = domain.context_of("order.paid", time, data, "Asia/Shanghai")
    decision = domain.decide(rule, context, time, code="order", version=3, version_id=17)
    assert (decision.rule, decision.version, decision.version_id, decision.asset) == ("order", 3, 17, "points")
    assert decision.validity == rule.validity
    return decision.amount, decision.reason


def test_a_rule_awards_the_floor_of_its_formula_when_its_condition_holds() -> None:
    assert decide({"paid_fen": 12890}) == (128, "awarded")
    assert decide({"paid_fen": 12890}, validity="30D") == (128, "awarded")
    assert decide({"paid_fen": 12890}, condition="data.paid_fen < 100") == (0, "condition_false")


def test_nothing_and_less_than_nothing_are_not_awarded() -> None:
    for fen in (0, 99, -1, -12890):
        assert decide({"paid_fen": fen}) == (0, "nothing_to_award")


def test_an_award_has_a_largest() -> None:
    assert decide({}, formula=str(LARGEST_AWARD)) == (LARGEST_AWARD, "awarded")
    assert decide({}, formula=str(LARGEST_AWARD + 1)) == (0, "award_too_large")


def test_a_rule_is_alive_from_its_start_until_right_before_its_end() -> None:
    second = timedelta(seconds=1)
    alive = {"starts_at": NOON, "ends_at": NOON + second}
    assert decide({"paid_fen": 100}, **alive)[1] == "awarded"
    assert decide({"paid_fen": 100}, time=NOON + second / 2, **alive)[1] == "awarded"
    assert decide({"paid_fen": 100}, time=NOON - second, **alive) == (0, "not_started")
    assert decide({"paid_fen": 100}, time=NOON + second, **alive) == (0, "ended")


def test_what_a_rule_cannot_decide_awards_nothing_and_says_why() -> None:
    amount, reason = decide({"paid_fen": "a lot"})
    assert (amount, reason) == (0, "undecidable: Opcode Divide: Unsupported type")
    assert decide({}, condition="data.none > 1")[1].startswith("undecidable: ")


@pytest.mark.parametrize(
    ("time", "zone", "hour", "weekday", "day"),
    [
        (datetime(2026, 5, 3, 15, 59, tzinfo=UTC), "Asia/Shanghai", 23, 7, "2026-05-03"),
        (datetime(2026, 5, 3, 16, 0, tzinfo=UTC), "Asia/Shanghai", 0, 1, "2026-05-04"),
        (datetime(2026, 12, 31, 23, 59, tzinfo=UTC), "America/New_York", 18, 4, "2026-12-31"),
        (datetime(2028, 2, 29, 0, 30, tzinfo=UTC), "UTC", 0, 2, "2028-02-29"),
        (datetime(2026, 3, 29, 1, 0, tzinfo=UTC), "Europe/Berlin", 3, 7, "2026-03-29"),
    ],
)
def test_hours_and_days_are_those_of_the_programs_zone(
    time: datetime, zone: str, hour: int, weekday: int, day: str
) -> None:
    context = domain.context_of("t", time, {"x": Decimal("1.5")}, zone)
    assert context == {"data": {"x": 1.5}, "event": {"type": "t", "hour": hour, "weekday": weekday, "day": day}}


@pytest.mark.parametrize("trigger", ["share.sent", "share.opened", "moments.posted"])
def test_nothing_is_given_merely_for_sharing(trigger: str) -> None:
    with pytest.raises(ForbiddenTrigger) as refusal:
        domain.check(replace(RULE, trigger=trigger))
    assert refusal.value.facts == {"trigger": trigger}


def test_what_the_invited_one_does_may_be_rewarded() -> None:
    domain.check(replace(RULE, trigger="share.converted"))


@pytest.mark.parametrize(
    ("given", "refusal"),
    [
        ({"condition": "(1"}, BadExpression),
        ({"formula": "1 +"}, BadExpression),
        ({"validity": "9999Y"}, BadValidity),
        ({"validity": "soon"}, BadValidity),
    ],
)
def test_what_could_never_work_is_refused(given: dict[str, str], refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        domain.check(replace(RULE, **given))  # type: ignore[arg-type]


@pytest.mark.parametrize("validity", [None, "unlimited", "30D", "12M_U", "15Y"])
def test_every_validity_of_the_grammar_is_welcome(validity: str | None) -> None:
    domain.check(replace(RULE, validity=validity))


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
    amount, reason = decide(data, condition=condition, formula=formula)
    assert 0 <= amount <= LARGEST_AWARD
    assert (amount > 0) == (reason == "awarded")
    assert "\n" not in reason
