"""Following members."""

from datetime import datetime

from sqlmodel import Session

from common.feed import Fact
from services.referrals.members import repository
from services.referrals.members.domain import Member


def follow_joins(session: Session, facts: list[Fact]) -> None:
    """Take over when members joined, from `member.joined`; the earliest word counts."""
    joined: dict[tuple[int, int], datetime] = {}
    for fact in facts:
        if fact.member_id is None:
            raise ValueError(f"{fact.natural_key}: member.joined names no member")
        key, at = (fact.program_id, fact.member_id), datetime.fromisoformat(fact.payload["joined_at"])
        joined[key] = min(at, joined.get(key, at))
    repository.note_earliest(session, "joined_at", joined)


def note_first_paid(session: Session, paid: dict[tuple[int, int], datetime]) -> None:
    """Remember the earliest paid order by `(program_id, member_id)`."""
    repository.note_earliest(session, "first_paid_at", paid)


def lock_member(session: Session, *, program_id: int, member_id: int) -> Member:
    """The member as known now, held still until the transaction ends; unknown ones are new."""
    return repository.lock_member(session, program_id, member_id)
