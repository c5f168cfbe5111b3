"""Laws of rule documents: what was stored before a name existed means its default, and reads back as it was written."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from services.points.rules.domain import Cap, Frequency, Holdout, Times, document_of, rule_of
from services.points.rules.experiment import Experiment, Goal, Variant
from services.points.rules.rule import ALWAYS, EVERYBODY, HOWEVER_OFTEN
from tests.rules import table

OLD: dict[str, Any] = {
    "name_en": "A point a yuan",
    "name_zh": "一元一分",
    "trigger": "order.paid",
    "condition": "true",
    "formula": "data.paid_fen / 100",
    "asset": "points",
    "validity": None,
    "starts_at": "2026-05-03T04:00:00+00:00",
    "ends_at": None,
}
FULL: dict[str, Any] = {
    **OLD,
    "kind": "award",
    "formula": None,
    "table": table([["'gold'", "", "5"]]),
    "pending": "7D",
    "audience": {"tiers": ["gold"], "tags": ["vip"], "segments": [], "channels": ["app"]},
    "schedule": {"weekdays": [5, 6], "hours": [["07:00", "09:30"]], "dates": [["2026-05-01", "2026-05-31"]]},
    "caps": [{"per": "day", "of": "member", "amount": 20}],
    "frequency": {"times": [{"per": "week", "most": 3}], "cooldown_hours": 12},
    "budget": 100_000,
    "priority": 5,
    "group": "g",
    "holdout": {"percent": 10},
    "factor": None,
    "applies_to": ["order"],
    "experiment": {
        "name": "more",
        "variants": [{"code": "as-is", "weight": 1, "formula": None}, {"code": "more", "weight": 1, "formula": "2"}],
        "goal": {"event": "order.paid", "days": 7, "condition": "data.paid_fen > 100"},
    },
}


def test_a_document_of_before_means_the_defaults() -> None:
    rule = rule_of(OLD)
    assert rule.starts_at == datetime(2026, 5, 3, 4, tzinfo=UTC)
    assert (rule.kind, rule.priority, rule.group, rule.budget, rule.caps) == ("award", 0, None, None, ())
    assert rule.audience is EVERYBODY
    assert rule.schedule is ALWAYS
    assert rule.frequency is HOWEVER_OFTEN
    assert (rule.holdout, rule.table, rule.pending, rule.factor, rule.applies_to) == (None, None, None, None, ())


@pytest.mark.parametrize("document", [OLD, FULL])
def test_a_stored_document_reads_back_the_same(document: dict[str, Any]) -> None:
    rule = rule_of(document)
    stored = json.loads(json.dumps(document_of(rule)))
    assert rule_of(stored) == rule
    assert {name: stored[name] for name in document} == document


def test_every_name_is_read() -> None:
    rule = rule_of(FULL)
    assert rule.caps == (Cap("day", "member", 20),)
    assert rule.frequency == Frequency((Times("week", 3),), 12)
    assert rule.holdout == Holdout(10)
    assert rule.experiment == Experiment(
        "more", (Variant("as-is", 1), Variant("more", 1, "2")), Goal("order.paid", 7, "data.paid_fen > 100")
    )
    assert rule.audience.channels == ("app",)
    assert rule.schedule.hours == (("07:00", "09:30"),)
    assert set(document_of(rule)) == set(FULL)


def test_a_name_that_nobody_knows_is_not_passed_over() -> None:
    with pytest.raises(TypeError):
        rule_of({**OLD, "colour": "red"})
