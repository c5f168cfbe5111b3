"""What may be wrong with a set of rules, as a value: a concern, the event that shows it, what else is known. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any, Literal

from services.points.rules.absent import Group
from services.points.rules.decisions import Decision
from services.points.rules.samples import Sample

Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True, slots=True)
class Example:
    """A made-up event, and what each rule decides about it."""

    sample: Sample
    decisions: tuple[Decision, ...]

    @property
    def awards(self) -> dict[str, int]:
        """What the rules that award give."""
        return {one.rule: one.amount for one in self.decisions if one.amount}

    def of(self, code: str) -> Decision:
        """What the rule of that code decides."""
        return next(one for one in self.decisions if one.rule == code)

    @property
    def event(self) -> dict[str, Any]:
        """What happened, as one document."""
        facts, member = self.sample.facts, self.sample.facts.member
        who = {"id": self.sample.member_id, "tier": member.tier}
        lists = {"tags": sorted(member.tags), "segments": sorted(member.segments)}
        return {"type": facts.type, "time": facts.time, "data": facts.data, "member": {**who, **lists}}


@dataclass(frozen=True, slots=True)
class Concern:
    """Something about the set: `code`, how bad it is, which rules it is about, a sentence in each language."""

    code: str
    severity: Severity
    rules: tuple[str, ...]
    en: str
    zh: str
    example: Example | None = None


@dataclass(frozen=True, slots=True)
class Setting:
    """What else is known of the program. `fen_per_unit`: what a unit of an asset is worth when paid with, by asset.

    `nobody`: the groups named by audiences that no member is in.
    """

    time_zone: str
    program_id: int
    now: datetime
    groups: Mapping[str, str]
    fen_per_unit: Mapping[str, Fraction]
    nobody: frozenset[Group] = frozenset()


def listed(codes: Sequence[str]) -> str:
    """`a, b and c`."""
    return " and ".join([", ".join(codes[:-1]), codes[-1]] if len(codes) > 1 else codes)


def listed_zh(codes: Sequence[str]) -> str:
    """`a、b、c`."""
    return "、".join(codes)
