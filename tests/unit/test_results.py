"""Laws of results: what is kept of an event's decisions says all that was answered, and each refusal once."""

import json
from typing import Any

from services.points.intake.results import NONE_ASKED, in_full, refusals, result_texts, shown, versions_asked
from services.points.rules.domain import Decision, Facts, PublishedRule, RuleSet, decide_all
from tests.rules import NOON, ZONE, rule


def told(*rules: PublishedRule, data: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any], list[Decision]]:
    """What is answered about an order, what is kept of it, and the decisions."""
    live = RuleSet(rules)
    facts = Facts("order.paid", NOON, data)
    decisions = decide_all(live, {}, facts, zone=ZONE, program_id=1, member_id=7)
    panel = live.panel("order.paid")
    assert panel is not None
    wanting = [shown(one) for one in decisions if one.wanted]
    answered, kept = result_texts(7, refusals(panel, decisions), wanting, [], None)
    return json.loads(answered), json.loads(kept), decisions


def numbered(code: str, number: int, **given: Any) -> PublishedRule:
    """A published rule whose version has this id."""
    return PublishedRule(code, 3, number, rule(**given))


RULES = (
    numbered("first", 11, priority=9, condition="data.paid_fen > 99999"),
    numbered("gives", 12, priority=5),
    numbered("odd", 13, priority=4, formula="data.nothing / 2"),
    numbered("also", 14, priority=3, formula="7"),
    numbered("last", 15, condition="false"),
    numbered("zero", 16, formula="0"),
)
BY_ID = {one.version_id: one for one in RULES if one.version_id is not None}


def test_what_is_kept_reads_as_what_was_answered() -> None:
    answered, kept, decisions = told(*RULES, data={"paid_fen": 10_000})
    assert [one["rule"] for one in answered["decisions"]] == ["first", "gives", "odd", "also", "last", "zero"]
    assert [(one["amount"], one["reason"]) for one in answered["decisions"]] == [
        (one.wanted, one.reason) for one in decisions
    ]
    assert versions_asked([kept]) == set(BY_ID)
    assert in_full(kept, BY_ID) == answered


def test_only_what_is_wanted_is_kept_in_its_own_words() -> None:
    _, kept, _ = told(*RULES, data={"paid_fen": 10_000})
    assert [one["rule"] for one in kept["decisions"]] == ["gives", "also"]
    assert (kept["asked"]["awarded"], kept["asked"]["condition_false"]) == ("12 14", "11 15")


def test_what_caps_and_the_ledger_made_of_an_award_is_read_back_with_it() -> None:
    _, kept, _ = told(*RULES, data={"paid_fen": 10_000})
    kept["decisions"][1].update(amount=3, wanted=7, reason="capped: day")
    assert in_full(kept, BY_ID)["decisions"][3]["reason"] == "capped: day"


def test_results_without_refusals_are_whole_already() -> None:
    answered, kept, _ = told(RULES[1], data={"paid_fen": 10_000})
    assert kept == answered == in_full(kept, {})
    before = {"member_id": 7, "decisions": [{"rule": "a"}], "reversed": [], "reason": None}
    assert in_full(before, {}) == before
    assert in_full({**before, "asked": None}, {}) == before
    nobody = [json.loads(one) for one in result_texts(7, NONE_ASKED, [], [], "order_already_paid")]
    assert nobody[0] == nobody[1] == {"member_id": 7, "decisions": [], "reversed": [], "reason": "order_already_paid"}
