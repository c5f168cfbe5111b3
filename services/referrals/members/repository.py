"""Every SQL statement over members."""

from datetime import datetime
from typing import Literal

from sqlalchemy import BigInteger, DateTime, Integer, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session

from common.arrays import values_of
from services.referrals.members.domain import Member
from services.referrals.members.models import members

_KEY = ["program_id", "member_id"]


def note_earliest(
    session: Session,
    column: Literal["joined_at", "first_paid_at"],
    instants: dict[tuple[int, int], datetime],
) -> None:
    """Keep the earliest instant by `(program_id, member_id)`, rows touched in key order, by one statement."""
    if not instants:
        return
    keys = sorted(instants)
    told = values_of(
        program_id=(Integer, [program_id for program_id, _ in keys]),
        member_id=(BigInteger, [member_id for _, member_id in keys]),
        instant=(DateTime(timezone=True), [instants[key] for key in keys]),
    )
    row = insert(members).from_select([*_KEY, column], select(told))
    earliest = func.least(members.c[column], row.excluded[column])
    session.execute(row.on_conflict_do_update(index_elements=_KEY, set_={column: earliest}))


def lock_member(session: Session, program_id: int, member_id: int) -> Member:
    """The member, locked against a first order that is just being recorded; created when never heard of."""
    key = {"program_id": program_id, "member_id": member_id}
    session.execute(insert(members).values(key).on_conflict_do_nothing())
    mine = select(members).where(members.c.program_id == program_id, members.c.member_id == member_id)
    row = session.execute(mine.with_for_update(key_share=True)).one()
    return Member(program_id, member_id, row.joined_at, row.first_paid_at)
