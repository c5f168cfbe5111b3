"""What came of an event, as it is kept and answered: every decision with its reason, and what refunds took back."""

from functools import lru_cache
from typing import Any

from common.json_text import encoder
from services.points.rules.domain import Decision

#: JSON text; exact decimals stay numbers.
as_json = encoder()


def shown(decision: Decision) -> dict[str, Any]:
    """A decision that wants something; its factor and base only when a campaign multiplied it."""
    made: dict[str, Any] = {
        "rule": decision.rule,
        "version": decision.version,
        "asset": decision.asset,
        "amount": decision.amount,
        "reason": decision.reason,
    }
    if decision.factor is not None:
        made |= {"base": decision.base, "factor": decision.factor, "campaign": decision.campaign}
    return made


@lru_cache(maxsize=8192)
def refused(rule: str, version: int | None, asset: str, reason: str) -> str:
    """The text of a decision that awards nothing; most rules say the same to most events."""
    return as_json({"rule": rule, "version": version, "asset": asset, "amount": 0, "reason": reason})


def result_text(
    member_id: int, decisions: list[dict[str, Any] | str], reversed_: list[dict[str, Any]], reason: str | None
) -> str:
    """The JSON of a result; decisions that refuse are texts already."""
    texts = ",".join([one if isinstance(one, str) else as_json(one) for one in decisions])
    back = as_json(reversed_) if reversed_ else "[]"
    why = as_json(reason) if reason else "null"
    return f'{{"member_id":{member_id},"decisions":[{texts}],"reversed":{back},"reason":{why}}}'
