"""A set of rules as one document: what it says, and what is wrong with it by itself. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from common.errors import FieldFault, FieldsRefused, Refusal

#: What a document says of itself; another format is refused.
FORMAT = "jifen.rules/1"


class BadRuleSet(FieldsRefused):
    """The set cannot be imported here; one fault a place, and nothing was written."""

    code = "bad_rule_set"


class UnknownTemplate(Refusal):
    """There is no such template: `template`."""

    code = "template_not_found"


@dataclass(frozen=True, slots=True)
class RuleSetDocument:
    """Rules by code, and the modes of the stacking groups that they name."""

    rules: Mapping[str, Mapping[str, Any]]
    groups: Mapping[str, str]


def document_of(rules: Mapping[str, Mapping[str, Any]], modes: Mapping[str, str]) -> dict[str, Any]:
    """The document of rules, with those of the groups that they name."""
    named = {document["group"] for document in rules.values() if document.get("group") is not None}
    return {
        "format": FORMAT,
        "groups": [{"code": code, "mode": modes[code]} for code in sorted(named)],
        "rules": [{"code": code, "document": document} for code, document in sorted(rules.items())],
    }


def repeated(items: Sequence[Mapping[str, Any]], place: str) -> Iterator[FieldFault]:
    """Codes that stand in the list twice."""
    codes = [item["code"] for item in items]
    for number, code in enumerate(codes):
        if code in codes[:number]:
            yield FieldFault(
                f"{place}/{number}/code", f"{code} stands here twice; keep one.", f"{code} 重复,请保留一个。"
            )


def at(place: str, fault: FieldFault) -> FieldFault:
    """The fault of a part, where that part stands."""
    return FieldFault(place + fault.pointer, fault.en, fault.zh)
