"""Finding out who somebody is, and showing a member."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from common import feed as facts
from services.levels.badges import use_cases as badges
from services.levels.badges.domain import HeldBadge
from services.levels.checkins import use_cases as checkins
from services.levels.database import feed
from services.levels.members import domain, repository
from services.levels.members.domain import IdentitiesOfSeveral, Member, Person, Resolved, UnknownMember
from services.levels.tiers import use_cases as tiers


@dataclass(frozen=True, slots=True)
class Profile:
    """A member as the front end and customer service see one."""

    member: Member
    place: tiers.Place
    badges: list[HeldBadge]
    streaks: list[checkins.Streak]


def resolve(
    session: Session, *, program_id: int, persons: Sequence[Person], create: bool, joined_at: datetime, now: datetime
) -> list[Resolved]:
    """Who each person is, in order; with `create`, strangers become members and new identities are linked (G1).

    Takes the same few statements for a thousand persons as for one. Safe under races: the same stranger resolved by
    two processes at once is one member. An identity of another member is left where it is and noted as a conflict.
    """
    keys = sorted({key for person in persons for key in person})
    found = repository.find_members_of(session, program_id, keys)
    if not create:
        return [Resolved(domain.look_up(person, found), created=False) for person in persons]
    if strange := domain.incomplete(persons, found):
        repository.lock_identities(session, program_id, strange)
        found |= repository.find_members_of(session, program_id, strange)
    plan = domain.plan(persons, found)
    new = _join(session, program_id, plan.new, joined_at)
    links = {key: _member(reference, new) for key, reference in plan.links.items()}
    if links:
        repository.add_identities(session, program_id, links, now)
    if plan.conflicts:
        repository.add_conflicts(session, program_id, plan.conflicts, now)
    first = {reference: place for place, reference in reversed(list(enumerate(plan.references)))}
    return [
        Resolved(_member(reference, new), created=reference < 0 and first[reference] == place)
        for place, reference in enumerate(plan.references)
    ]


def find_or_create(
    session: Session, *, program_id: int, person: Person, joined_at: datetime, now: datetime
) -> Resolved:
    """The member with these identities, made if there is none. Raises `IdentitiesOfSeveral`."""
    repository.lock_identities(session, program_id, person)
    found = repository.find_members_of(session, program_id, person)
    if len(set(found.values())) > 1:
        raise IdentitiesOfSeveral()
    return resolve(session, program_id=program_id, persons=[person], create=True, joined_at=joined_at, now=now)[0]


def existing_members(session: Session, *, program_id: int, member_ids: Sequence[int]) -> list[int]:
    """Those of the numbers that are members of the program."""
    return repository.existing_members(session, program_id, member_ids)


def require(session: Session, *, program_id: int, member_id: int) -> None:
    """Raise `UnknownMember` unless the program has the member."""
    if repository.find_member(session, program_id, member_id) is None:
        raise UnknownMember()


def first_joined_at(session: Session, *, program_id: int) -> datetime | None:
    """When the program's first member joined; None without any."""
    return repository.first_joined_at(session, program_id)


def joined_in(
    session: Session, *, program_id: int, spans: Sequence[tuple[datetime, datetime]], after: int, limit: int
) -> list[Member]:
    """The next members behind the id `after` who joined in one of the spans (half-open)."""
    return repository.list_joined_in(session, program_id, spans, after=after, limit=limit)


def profile_of(session: Session, *, program_id: int, person: Person, now: datetime) -> Profile:
    """The member an identity leads to; raises `UnknownMember`."""
    member_id = domain.look_up(person, repository.find_members_of(session, program_id, person))
    if member_id is None:
        raise UnknownMember()
    return profile(session, program_id=program_id, member_id=member_id, now=now)


def profile(session: Session, *, program_id: int, member_id: int, now: datetime) -> Profile:
    """The member with tier, growth, badges and streaks; raises `UnknownMember`."""
    member = repository.find_member(session, program_id, member_id)
    if member is None:
        raise UnknownMember()
    whose = {"program_id": program_id, "member_id": member_id}
    return Profile(
        member,
        tiers.place(session, **whose),
        badges.held(session, **whose),
        checkins.streaks(session, **whose, now=now),
    )


def _join(session: Session, program_id: int, count: int, joined_at: datetime) -> list[int]:
    if not count:
        return []
    new = repository.add_members(session, program_id, joined_at, count)
    tiers.enrol(session, program_id=program_id, member_ids=new, now=joined_at)
    payload = {"joined_at": joined_at.isoformat()}
    facts.append_many(session, feed, "member.joined", [(program_id, member_id, payload) for member_id in new])
    return new


def _member(reference: int, new: Sequence[int]) -> int:
    return reference if reference > 0 else new[-reference - 1]
