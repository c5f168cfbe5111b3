"""Rules by keyword, and what they decide about events of Sunday 3 May 2026, noon in Shanghai."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from services.points.rules.domain import Decision, Facts, Membership, PublishedRule, Rule, decide_all, rule_of

NOON = datetime(2026, 5, 3, 4, 0, tzinfo=UTC)
ZONE = "Asia/Shanghai"
RULE: dict[str, Any] = {
    "name_en": "A point a yuan",
    "name_zh": "一元一分",
    "trigger": "order.paid",
    "formula": "data.paid_fen / 100",
    "asset": "points",
}


def rule(**given: Any) -> Rule:
    """The rule of a document; a point a yuan unless told. With a table it has no formula."""
    document = {**RULE, **given}
    if given.get("table") is not None or given.get("kind") == "multiplier":
        document["formula"] = None
    return rule_of(document)


def published(code: str = "order", **given: Any) -> PublishedRule:
    """The third version of a rule."""
    return PublishedRule(code, 3, 17, rule(**given))


def decide(
    *rules: PublishedRule,
    data: dict[str, Any] | None = None,
    time: datetime = NOON,
    type: str = "order.paid",
    member: Membership | None = None,
    groups: Mapping[str, str] | None = None,
    zone: str = ZONE,
    member_id: int = 7,
) -> list[Decision]:
    """What the rules decide about an order of 100 yuan unless told."""
    facts = Facts(type, time, {"paid_fen": 10_000} if data is None else data, member or Membership())
    return decide_all(rules, groups or {}, facts, zone=zone, program_id=1, member_id=member_id)


def decide_one(data: dict[str, Any] | None = None, *, time: datetime = NOON, **given: Any) -> tuple[int, str]:
    """What one rule wants and the reason."""
    decision = decide(published(**given), data=data, time=time)[0]
    assert decision.amount == decision.wanted
    return decision.wanted, decision.reason


def shown(decisions: Sequence[Decision]) -> list[tuple[str, int, str]]:
    """Code, what is wanted, and the reason of each."""
    return [(one.rule, one.wanted, one.reason) for one in decisions]


def table(rows: Sequence[Sequence[str]], fields: Sequence[str] = ("member.tier", "data.category")) -> dict[str, Any]:
    """A JDM document of one table: the last cell of each row is the award."""
    inputs = [{"id": f"i{number}", "name": field, "field": field} for number, field in enumerate(fields)]
    rules = [
        {"_id": f"r{row}", **{f"i{column}": cell for column, cell in enumerate(cells[:-1])}, "o": cells[-1]}
        for row, cells in enumerate(rows)
    ]
    content = {
        "hitPolicy": "first",
        "inputs": inputs,
        "outputs": [{"id": "o", "name": "award", "field": "award"}],
        "rules": rules,
    }
    return graph(("decisionTableNode", content))


def graph(*nodes: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    """A JDM document of nodes in a row, between an input and an output."""
    made = [
        {"id": "in", "type": "inputNode", "name": "in", "position": {"x": 0, "y": 0}},
        *(
            {"id": f"n{number}", "type": kind, "name": f"n{number}", "position": {"x": 1, "y": 0}, "content": content}
            for number, (kind, content) in enumerate(nodes)
        ),
        {"id": "out", "type": "outputNode", "name": "out", "position": {"x": 2, "y": 0}},
    ]
    edges = [
        {"id": f"e{number}", "type": "edge", "sourceId": one["id"], "targetId": other["id"]}
        for number, (one, other) in enumerate(pairwise(made))
    ]
    return {"nodes": made, "edges": edges}
