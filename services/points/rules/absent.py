"""Whom a rule is for and nobody is: tiers, tags and segments that no member has. Pure."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from services.points.rules.rule import Audience

#: `("tiers" | "tags" | "segments", code)`.
Group = tuple[str, str]

_WORDS = {"tiers": ("tier", "等级"), "tags": ("tag", "标签"), "segments": ("segment", "分群")}


@dataclass(frozen=True, slots=True)
class Absent:
    """Codes of one list that nobody has, in both languages; `wholly`: it names no others, so nobody is awarded."""

    wholly: bool
    en: str
    zh: str


def groups_of(audience: Audience) -> Iterator[Group]:
    """Every group that the audience names; channels are the events' own and known to nobody."""
    for kind in _WORDS:
        yield from ((kind, code) for code in getattr(audience, kind))


def absent(audience: Audience, nobody: Collection[Group]) -> Iterator[Absent]:
    """What the audience names of the groups that `nobody` is in, list by list."""
    for kind, (en, zh) in _WORDS.items():
        named = getattr(audience, kind)
        missing = [code for code in named if (kind, code) in nobody]
        if missing:
            yield Absent(len(missing) == len(named), f"the {en} {', '.join(missing)}", f"{zh} {'、'.join(missing)}")
