"""The rules of identity: which of the given identities belong together, and to whom.

`unique(program, type, app, value) -> member` (G1). Identities given together are one person's. Whoever they lead to is
the member; if nobody, a new one. If to several, each keeps its own: joining members is a merge, not a look-up.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from common.errors import Refusal

#: An openid means something only together with the app it was given for (platform rules, login).
NEEDS_APP = frozenset({"wechat_openid"})


class UnknownMember(Refusal):
    """The program has no such member."""

    code = "member_not_found"


class IdentitiesOfSeveral(Refusal):
    """The identities belong to several members already; they are not joined by a look-up."""

    code = "identities_of_several_members"


@dataclass(frozen=True, slots=True, order=True)
class IdentityKey:
    """An identity: personal data, never logged, so its text says only its type. `app` is "" where none is needed."""

    type: str
    app: str
    value: str

    def __repr__(self) -> str:
        return f"IdentityKey({self.type}, …)"


#: The identities of one person, the one they come with first.
Person = tuple[IdentityKey, ...]


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a program."""

    program_id: int
    member_id: int
    joined_at: datetime


@dataclass(frozen=True, slots=True)
class Resolved:
    """Whom a person turned out to be; None when nobody and none was to be made."""

    member_id: int | None
    created: bool


@dataclass(frozen=True, slots=True)
class Conflict:
    """An identity that came with a person resolved to `member_id`, but belongs to `holder_id`: a case for merging."""

    key: IdentityKey
    member_id: int
    holder_id: int


@dataclass(frozen=True, slots=True)
class Plan:
    """What a batch needs: a reference per person (a member id, or the n-th new member as -n), new links, conflicts."""

    references: list[int]
    new: int
    links: dict[IdentityKey, int]
    conflicts: list[Conflict]


def plan(persons: Sequence[Person], found: dict[IdentityKey, int]) -> Plan:
    """Decide a batch at once, so that the same stranger given twice, or by two of their identities, is one member."""
    roots = _groups(persons)
    holders: dict[IdentityKey, int] = {}
    for key, root in roots.items():
        if key in found:
            holders[root] = min(found[key], holders.get(root, found[key]))
    new = 0
    references: list[int] = []
    links: dict[IdentityKey, int] = {}
    conflicts: list[Conflict] = []
    for person in persons:
        root = roots[person[0]]
        if root not in holders:
            new += 1
            holders[root] = -new
        reference = next((found[key] for key in person if key in found), holders[root])
        references.append(reference)
        for key in person:
            holder = found[key] if key in found else links.setdefault(key, reference)
            if holder != reference:
                conflicts.append(Conflict(key, reference, holder))
    return Plan(references, new, links, conflicts)


def incomplete(persons: Sequence[Person], found: dict[IdentityKey, int]) -> list[IdentityKey]:
    """The identities, in order, of every person of whom not all is known."""
    return sorted({key for person in persons if any(one not in found for one in person) for key in person})


def look_up(person: Person, found: dict[IdentityKey, int]) -> int | None:
    """The member a person's first known identity leads to, or None."""
    return next((found[key] for key in person if key in found), None)


def _groups(persons: Sequence[Person]) -> dict[IdentityKey, IdentityKey]:
    """For each identity the one that stands for its group: identities given together belong together."""
    roots: dict[IdentityKey, IdentityKey] = {}

    def root_of(key: IdentityKey) -> IdentityKey:
        while roots.setdefault(key, key) != key:
            roots[key] = roots[roots[key]]
            key = roots[key]
        return key

    for person in persons:
        for key in person:
            roots[root_of(key)] = root_of(person[0])
    return {key: root_of(key) for key in list(roots)}
