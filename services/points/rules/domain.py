"""Earning rules as values, and what a set of them awards for an event. Pure, but for the expression engine."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from common.clock import zone
from common.errors import Refusal
from services.points.programs.domain import check_validity
from services.points.rules import expressions

#: One award is at most this; a formula that gives more is refused and says so (traps T21).
LARGEST_AWARD = 10_000_000_000


class UnknownRule(Refusal):
    """There is no such rule, or no such version of it."""

    code = "rule_not_found"


class NoDraft(Refusal):
    """The rule has no draft to publish or simulate."""

    code = "no_draft"


class ForbiddenTrigger(Refusal):
    """The platform's rules do not allow a reward for this event: `trigger` (platform-rules.md, sharing rules)."""

    code = "forbidden_trigger"


#: WeChat allows no benefit merely for sharing or opening: only when the invited one knowingly takes part.
_FORBIDDEN = ("share.sent", "share.opened", "moments.posted")


@dataclass(frozen=True, slots=True)
class Rule:
    """What a rule says: for events of type `trigger`, when `condition` holds, award floor(`formula`) of `asset`.

    `starts_at` ≤ event time < `ends_at` when given. `validity` overrides the asset's.
    """

    name_en: str
    name_zh: str
    trigger: str
    condition: str
    formula: str
    asset: str
    validity: str | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class PublishedRule:
    """One immutable version of a rule; `version_id` is what entries carry."""

    code: str
    version: int
    version_id: int
    rule: Rule


@dataclass(frozen=True, slots=True)
class Decision:
    """What one rule decided for one event, and why: the answer to "why" and "why not"."""

    rule: str
    version: int | None
    version_id: int | None
    asset: str
    amount: int
    reason: str
    validity: str | None = None


def check(rule: Rule) -> None:
    """Refuse what could never work or must not be: raises `BadExpression`, `ForbiddenTrigger`, `BadValidity`."""
    if rule.trigger in _FORBIDDEN:
        raise ForbiddenTrigger(trigger=rule.trigger)
    expressions.check(rule.condition)
    expressions.check(rule.formula)
    if rule.validity is not None:
        check_validity(rule.validity)


def context_of(event_type: str, time: datetime, data: dict[str, Any], time_zone: str) -> dict[str, Any]:
    """What expressions see of an event; hours and days in the program's time zone."""
    local = time.astimezone(zone(time_zone))
    event = {
        "type": event_type,
        "hour": local.hour,
        "weekday": local.isoweekday(),
        "day": local.date().isoformat(),
    }
    return {"data": expressions.plain(data), "event": event}


def decide(
    rule: Rule,
    context: dict[str, Any],
    time: datetime,
    *,
    code: str,
    version: int | None = None,
    version_id: int | None = None,
) -> Decision:
    """What the rule awards for the event, or 0 with the reason why not. Never raises on data."""
    award, reason = _award(rule, context, time)
    return Decision(code, version, version_id, rule.asset, award, reason, rule.validity)


def _award(rule: Rule, context: dict[str, Any], time: datetime) -> tuple[int, str]:
    if rule.starts_at and time < rule.starts_at:
        return 0, "not_started"
    if rule.ends_at and time >= rule.ends_at:
        return 0, "ended"
    try:
        if not expressions.holds(rule.condition, context):
            return 0, "condition_false"
        amount = expressions.amount(rule.formula, context)
    except expressions.Undecidable as error:
        return 0, f"undecidable: {error}"
    if amount <= 0:
        return 0, "nothing_to_award"
    return (0, "award_too_large") if amount > LARGEST_AWARD else (amount, "awarded")
