"""Keeping who a member was when, and answering it for a batch of events."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session

from common import feed as facts
from common.feed import Fact
from services.points import wakeups
from services.points.audiences import domain, repository
from services.points.audiences.domain import (
    MOST_LISTS,
    ListKind,
    Membership,
    TierChange,
    TooManyLists,
    memberships_at,
)
from services.points.database import feed


@dataclass(frozen=True, slots=True)
class Kept:
    """What a request changed of a list; `unchanged` of its members were as it wanted them already."""

    kind: ListKind
    code: str
    added: int
    removed: int
    unchanged: int


def learn_tiers(session: Session, told: list[Fact]) -> None:
    """`tier.changed` of levels, in any order: each is kept at its own instant."""
    repository.add_tier_changes(session, [_change(fact) for fact in told])


def memberships(
    session: Session, *, program_id: int, asked: Mapping[int, Sequence[datetime]]
) -> dict[tuple[int, datetime], Membership]:
    """Who each member was at each instant asked about, by `(member_id, instant)`; one statement for all."""
    instants = [at for some in asked.values() for at in some]
    if not instants:
        return {}
    found = repository.histories(session, program_id, asked, first=min(instants), last=max(instants))
    return memberships_at(found, asked)


def find_empty(session: Session, *, program_id: int, groups: Collection[tuple[str, str]]) -> frozenset[tuple[str, str]]:
    """Those of the groups (`tiers`, `tags` or `segments`, and a code) that no member is in.

    Which tiers there are is for levels to say: one that no member ever had is taken for empty.
    """
    return frozenset(groups) - repository.find_filled(session, program_id, groups)


def keep_list(
    session: Session,
    *,
    program_id: int,
    kind: ListKind,
    code: str,
    add: Sequence[int],
    remove: Sequence[int],
    actor: str,
    now: datetime,
) -> Kept:
    """Put members into a list and take others out, from now on; a list begins with its first use. Safe to repeat.

    Who was not in it is told of on our own feed (`list.joined`), for rules that reward entering it.
    Raises `AddedAndRemoved`, `TooManyLists`.
    """
    domain.check_apart(add, remove)
    if not repository.lock_list(session, program_id, kind, code):
        _begin(session, program_id, kind, code, actor)
    added = repository.begin_stays(session, program_id, kind, code, sorted(set(add)), actor=actor, now=now)
    removed = repository.end_stays(session, program_id, kind, code, sorted(set(remove)), actor=actor, now=now)
    if added:
        said = {"kind": kind, "list": code, "at": now.isoformat()}
        facts.append_many(session, feed, "list.joined", [(program_id, member_id, said) for member_id in added])
        wakeups.ask(session, "take_in_joined")
    return Kept(kind, code, len(added), removed, len(set(add)) + len(set(remove)) - len(added) - removed)


def list_lists(session: Session, *, program_id: int, kind: ListKind) -> Any:
    """The program's tags or segments with how many members stand in each."""
    return repository.list_lists(session, program_id, kind)


def list_members(
    session: Session, *, program_id: int, kind: ListKind, code: str, after: int, limit: int
) -> tuple[Any, int | None]:
    """Who stands in a list, by member id, and where to go on. Raises `UnknownList`."""
    found = repository.list_members(session, program_id, kind, code, after=after, limit=limit + 1)
    page = found[:limit]
    return page, page[-1].member_id if len(found) > limit else None


def show_member(session: Session, *, program_id: int, member_id: int, at: datetime) -> Membership:
    """Who a member was at an instant, as rules see it."""
    return memberships(session, program_id=program_id, asked={member_id: [at]})[member_id, at]


def _begin(session: Session, program_id: int, kind: ListKind, code: str, actor: str) -> None:
    repository.lock_lists(session, program_id, kind)
    if repository.lock_list(session, program_id, kind, code):
        return  # a twin began it while we waited
    if repository.count_lists(session, program_id, kind) >= MOST_LISTS:
        raise TooManyLists(kind=kind, most=MOST_LISTS)
    repository.add_list(session, program_id, kind, code, actor=actor)


def _change(fact: Fact) -> TierChange:
    assert fact.member_id is not None, "a tier is always of a member"
    told = fact.payload
    at = datetime.fromisoformat(told["at"])
    return TierChange(fact.program_id, fact.member_id, at, fact.id, told["from"], told["to"])
