"""T17: yudao's bargain takes `bargainMinPrice` where `randomMinPrice` was meant, so one of the two changes nothing.

Every field of a rule's document is named here with a change of it that changes what is decided. A field that is added
to the document and not here fails the first test.
"""

from dataclasses import fields, replace
from typing import Any

import pytest

from services.points.rules.domain import (
    Audience,
    Cap,
    Decision,
    Facts,
    Frequency,
    Holdout,
    Membership,
    PublishedRule,
    Rule,
    Schedule,
    Times,
    decide_all,
)
from services.points.rules.experiment import Experiment, Variant
from tests.rules import NOON, ZONE, rule, table

BASE = rule(formula="10", group="g")
OTHER = PublishedRule("other", 1, 1, rule(formula="7", group="g"))
GROWTH = PublishedRule("growth", 1, 3, rule(formula="7", asset="growth"))
DOUBLE = PublishedRule("double", 1, 2, rule(kind="multiplier", factor="2", applies_to=["order"], asset="points"))

#: What each field is changed to, and of which rule.
AWARD: dict[str, Any] = {
    "trigger": "review.posted",
    "condition": "data.paid_fen > 10000",
    "formula": "11",
    "asset": "growth",
    "validity": "30D",
    "pending": "7D",
    "starts_at": NOON.replace(hour=5),
    "ends_at": NOON,
    "table": table([["", "", "12"]]),
    "audience": Audience(tiers=("gold",)),
    "schedule": Schedule(weekdays=(1,)),
    "caps": (Cap("day", "member", 5),),
    "frequency": Frequency((Times("day", 1),)),
    "budget": 5,
    "priority": -1,
    "group": None,
    "holdout": Holdout(100),
    "experiment": Experiment("e", (Variant("a", 1, "11"), Variant("b", 1, "12"))),
}
MULTIPLIER: dict[str, Any] = {"kind": "award", "factor": "3", "applies_to": ("other",)}
#: Names are for people; they change nothing by intent.
NAMES = {"name_en", "name_zh"}


def decided(award: Rule = BASE, multiplier: Rule = DOUBLE.rule) -> list[Decision]:
    """What is decided about an order at noon."""
    rules = [PublishedRule("order", 3, 17, award), OTHER, GROWTH, replace(DOUBLE, rule=multiplier)]
    facts = Facts("order.paid", NOON, {"paid_fen": 10_000}, Membership("silver"))
    return decide_all(rules, {"g": "first"}, facts, zone=ZONE, program_id=1, member_id=7)


def test_no_field_is_forgotten_here() -> None:
    assert {one.name for one in fields(Rule)} == set(AWARD) | set(MULTIPLIER) | NAMES


@pytest.mark.parametrize("name", AWARD)
def test_each_field_of_an_award_changes_what_is_decided(name: str) -> None:
    assert decided(award=replace(BASE, **{name: AWARD[name]})) != decided()


@pytest.mark.parametrize("name", MULTIPLIER)
def test_each_field_of_a_multiplier_changes_what_is_decided(name: str) -> None:
    changed = {"formula": "1", "factor": None} if name == "kind" else {}
    assert decided(multiplier=replace(DOUBLE.rule, **{name: MULTIPLIER[name], **changed})) != decided()


AUDIENCES = {"tiers": ("gold",), "tags": ("vip",), "segments": ("s",), "channels": ("app",)}
SCHEDULES = {"weekdays": (1,), "hours": (("00:00", "12:00"),), "dates": (("2026-05-04", "2026-05-04"),)}


@pytest.mark.parametrize("name", [one.name for one in fields(Audience)])
def test_each_list_of_an_audience_is_asked(name: str) -> None:
    changed = replace(BASE, audience=Audience(**{name: AUDIENCES[name]}))
    assert next(one.reason for one in decided(changed) if one.rule == "order") == "not_in_audience"


@pytest.mark.parametrize("name", [one.name for one in fields(Schedule)])
def test_each_part_of_a_schedule_is_asked(name: str) -> None:
    changed = replace(BASE, schedule=Schedule(**{name: SCHEDULES[name]}))
    assert next(one.reason for one in decided(changed) if one.rule == "order") == "outside_schedule"
