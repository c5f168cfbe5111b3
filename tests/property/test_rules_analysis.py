"""Every example of the analysis shows what it claims, decided anew by the code that decides real events."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.points.audiences.domain import Membership
from services.points.rules.analysis import analyse
from services.points.rules.concerns import Concern, Setting
from services.points.rules.decisions import Decision, Facts, PublishedRule
from services.points.rules.domain import decide_all
from services.points.rules.rule import Audience, Cap, Holdout, Rule, Schedule

NOW = datetime(2026, 5, 3, 4, 0, tzinfo=UTC)
ZONE = "Asia/Shanghai"
GROUPS: dict[str, Any] = {"one": "first", "two": "highest", "three": "all"}
WORTH = Fraction(1, 2)

conditions = st.sampled_from(
    [
        "true",
        "false",
        "1 > 2",
        "data.paid_fen >= 30000",
        "data.paid_fen < 30000",
        "data.category == 'tea' and data.paid_fen > 500",
        "data.first == true",
        "event.weekday == 1",
    ]
)
formulas = st.sampled_from(["0", "10", "2 * 5", "data.paid_fen / 100", "data.paid_fen * 3", "data.steps * data.steps"])
instants = st.sampled_from([None, NOW - timedelta(days=9), NOW + timedelta(days=9), NOW + timedelta(days=40)])
audiences = st.builds(
    Audience,
    tiers=st.sampled_from([(), ("gold",), ("gold", "silver")]),
    tags=st.sampled_from([(), ("fan",)]),
    segments=st.sampled_from([(), ("new",)]),
    channels=st.sampled_from([(), ("app",)]),
)
schedules = st.builds(
    Schedule,
    weekdays=st.sampled_from([(), (1,), (6, 7)]),
    hours=st.sampled_from([(), (("07:00", "09:30"),), (("23:00", "24:00"), ("00:00", "02:00"))]),
    dates=st.sampled_from([(), (("2026-05-05", "2026-05-06"),), (("2026-04-01", "2026-04-30"),)]),
)
caps = st.sampled_from([(), (), (Cap("event", "member", 50),), (Cap("day", "rule", 0),), (Cap("total", "member", 90),)])


@st.composite
def rules(draw: st.DrawFn) -> list[PublishedRule]:
    """A few rules of a trigger or two, multipliers among them."""
    made = []
    for number in range(draw(st.integers(1, 4))):
        common: dict[str, Any] = {
            "trigger": draw(st.sampled_from(["order.paid", "order.paid", "points.earned"])),
            "condition": draw(conditions),
            "asset": draw(st.sampled_from(["points", "points", "growth"])),
            "priority": draw(st.integers(0, 2)),
        }
        # Most rules ask one thing of an event, few ask all.
        asked = {
            "starts_at": instants,
            "ends_at": instants,
            "audience": audiences,
            "schedule": schedules,
            "holdout": st.sampled_from([Holdout(0), Holdout(30), Holdout(100)]),
        }
        common |= {name: draw(asked[name]) for name in draw(st.sets(st.sampled_from(sorted(asked)), max_size=2))}
        if draw(st.integers(0, 3)):
            group = draw(st.sampled_from([None, "one", "one", "two", "three"]))
            budget = draw(st.sampled_from([None, None, 500]))
            rule = Rule("R", "规则", formula=draw(formulas), group=group, caps=draw(caps), budget=budget, **common)
        else:
            factor, named = draw(st.sampled_from(["1.5", "2"])), draw(st.sampled_from([(), ("rule-0",)]))
            rule = Rule("M", "倍数", formula=None, kind="multiplier", factor=factor, applies_to=named, **common)
        made.append(PublishedRule(f"rule-{number}", 1, number, rule))
    return made


events = st.builds(
    Facts,
    type=st.sampled_from(["order.paid", "points.earned"]),
    time=st.integers(0, 90 * 24 * 60).map(lambda minutes: NOW + timedelta(minutes=minutes)),
    data=st.fixed_dictionaries(
        {"paid_fen": st.integers(0, 100_000)},
        optional={
            "category": st.sampled_from(["tea", "cups"]),
            "first": st.booleans(),
            "steps": st.integers(0, 99),
            "channel": st.sampled_from(["app", "shop"]),
        },
    ),
    member=st.builds(
        Membership,
        tier=st.sampled_from([None, "gold", "silver"]),
        tags=st.frozensets(st.just("fan")),
        segments=st.frozensets(st.just("new")),
    ),
)


@given(rules())
def test_every_example_shows_what_it_claims(made: list[PublishedRule]) -> None:
    for concern in _analyse(made):
        if concern.example is None:
            continue
        facts = concern.example.sample.facts
        decisions = _decide(made, facts, concern.example.sample.member_id)
        assert list(concern.example.decisions) == list(decisions.values())
        named = {code: decisions[code] for code in concern.rules}
        by_code = {one.code: one.rule for one in made}
        match concern.code:
            case "unbounded_stacking":
                assert len(named) > 1
                assert all(one.amount > 0 for one in named.values())
                assert len({one.asset for one in named.values()}) == 1
                assert not any(by_code[code].caps or by_code[code].budget for code in named)
            case "overlap":
                assert all(one.base > 0 for one in named.values())
            case "missing_cap":
                [one] = named.values()
                assert one.reason == "award_too_large" or one.base >= 1_000_000
                assert one.caps == ()
                assert one.budget is None
            case "award_above_price":
                total = sum(
                    min(one.amount, *(cap.amount for cap in one.caps), one.budget or one.amount, one.amount)
                    for one in decisions.values()
                    if one.asset == "points"
                )
                assert WORTH * total > facts.data["paid_fen"] > 0
            case "unreachable":
                one = decisions[concern.rules[0]]
                assert one.amount == 0 or 0 in [cap.amount for cap in one.caps] + [one.budget]
            case code:
                raise AssertionError(f"{code} has an example that nobody checks")


@given(rules(), st.lists(events, max_size=20), st.integers(1, 500))
def test_what_is_called_unreachable_never_awards(made: list[PublishedRule], given: list[Facts], member: int) -> None:
    dead = {concern.rules[0] for concern in _analyse(made) if concern.code == "unreachable"}
    for facts in given:
        for code, decision in _decide(made, facts, member).items():
            if code in dead:
                assert decision.amount == 0 or 0 in [cap.amount for cap in decision.caps] + [decision.budget]
                assert decision.reason != "multiplies"


def _analyse(made: Sequence[PublishedRule]) -> list[Concern]:
    return analyse(made, Setting(ZONE, 1, NOW, GROUPS, {"points": WORTH}))


def _decide(made: Sequence[PublishedRule], facts: Facts, member_id: int) -> dict[str, Decision]:
    decided = decide_all(made, GROUPS, facts, zone=ZONE, program_id=1, member_id=member_id)
    return {one.rule: one for one in decided}
