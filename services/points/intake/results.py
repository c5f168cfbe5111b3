"""What came of an event, as it is answered and as it is kept: every decision with its reason, and what was taken back.

Most rules say no to most events, in the same words. An answer spells every refusal out; what is kept names the versions
that were asked by what they said (`asked`), and `in_full` spells it out again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from common.json_text import encoder
from services.points.rules.domain import Decision, PublishedRule
from services.points.rules.panel import Panel

#: JSON text; exact decimals stay numbers.
as_json = encoder()
#: Stands in no JSON text.
_GAP = "\0"
#: What a version said that wants something, whatever becomes of it.
_WANTED = "awarded"


@dataclass(frozen=True, slots=True)
class Refusals:
    """What those rules say of an event that want nothing: the text around the decisions of the others, and the kept."""

    around: tuple[str, ...] = ("",)
    asked: str = ""


#: Nobody was asked.
NONE_ASKED = Refusals()


def refusals(panel: Panel, decisions: Sequence[Decision]) -> Refusals:
    """What those of the panel's decisions come to that want nothing."""
    return _refusals(panel, tuple([None if one.wanted else one.reason for one in decisions]))


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
    if decision.variant is not None:
        made["variant"] = decision.variant
    return made


def result_texts(
    member_id: int,
    said: Refusals,
    decisions: Sequence[Mapping[str, Any]],
    reversed_: Sequence[Mapping[str, Any]],
    reason: str | None,
) -> tuple[str, str]:
    """The JSON of a result as it is answered, and as it is kept; `decisions` are those that want something."""
    texts = [as_json(one) for one in decisions]
    whole = said.around[0] + "".join([text + after for text, after in zip(texts, said.around[1:], strict=True)])
    back = as_json(reversed_) if reversed_ else "[]"
    why = as_json(reason) if reason else "null"
    head, tail = f'{{"member_id":{member_id},"decisions":[', f'"reversed":{back},"reason":{why}}}'
    return f"{head}{whole}],{tail}", f"{head}{','.join(texts)}],{said.asked}{tail}"


def in_full(result: Mapping[str, Any], versions: Mapping[int, PublishedRule]) -> dict[str, Any]:
    """A kept result as it was answered, given every version that was asked, by id."""
    full = {name: value for name, value in result.items() if name != "asked"}
    asked = _ids(result)
    told = list(zip(asked.get(_WANTED, ()), full["decisions"], strict=True)) if asked else []
    told += [(one, _refused(versions[one], why)) for why, ids in asked.items() if why != _WANTED for one in ids]
    if told:
        told.sort(key=lambda one: (-versions[one[0]].rule.priority, versions[one[0]].code))
        full["decisions"] = [decision for _, decision in told]
    return full


def versions_asked(results: Sequence[Mapping[str, Any]]) -> set[int]:
    """The ids of all versions that `in_full` needs for the results."""
    return {one for result in results for ids in _ids(result).values() for one in ids}


@lru_cache(maxsize=1024)
def _refusals(panel: Panel, reasons: tuple[str | None, ...]) -> Refusals:
    """By the reason of each of the panel's rules, None of one that wants something."""
    texts: list[str] = []
    asked: dict[str, list[str]] = {}
    for published, reason in zip(panel.rules, reasons, strict=True):
        asked.setdefault(_WANTED if reason is None else reason, []).append(str(published.version_id))
        texts.append(_GAP if reason is None else as_json(_refused(published, reason)))
    # Ids as one text a reason: numbers would take PostgreSQL as long to read as the rest of the result.
    kept = as_json({reason: " ".join(ids) for reason, ids in asked.items()}) if asked.keys() - {_WANTED} else ""
    return Refusals(tuple(",".join(texts).split(_GAP)), f'"asked":{kept},' if kept else "")


def _ids(result: Mapping[str, Any]) -> dict[str, list[int]]:
    """By what they said, the ids of the versions that a kept result names, in the order of the rules."""
    return {reason: [int(one) for one in ids.split()] for reason, ids in (result.get("asked") or {}).items()}


def _refused(published: PublishedRule, reason: str) -> dict[str, Any]:
    rule = published.rule
    return {"rule": published.code, "version": published.version, "asset": rule.asset, "amount": 0, "reason": reason}
