"""Every SQL statement over bindings."""

from collections.abc import Sequence
from dataclasses import asdict, fields, replace
from datetime import date
from typing import Any

from sqlalchemy import BigInteger, Integer, Row, and_, func, insert, select, tuple_, update
from sqlmodel import Session

from common.arrays import values_of
from common.errors import NotFound
from services.referrals.bindings.domain import VELOCITY_WINDOW, Binding, Reason, State
from services.referrals.bindings.models import bindings

_KEY = (bindings.c.program_id, bindings.c.member_id, bindings.c.number)


def find_present(session: Session, program_id: int, member_id: int) -> Binding | None:
    """The member's present binding."""
    mine = select(bindings).where(bindings.c.program_id == program_id, bindings.c.member_id == member_id)
    row = session.execute(mine.order_by(bindings.c.number.desc()).limit(1)).one_or_none()
    return _binding(row) if row else None


def add_binding(session: Session, binding: Binding) -> None:
    """Insert a binding; its key may not be taken."""
    session.execute(insert(bindings).values(asdict(binding)))


def get_binding(session: Session, program_id: int, member_id: int, number: int) -> Binding:
    """That binding; raises `NotFound`."""
    wanted = select(bindings).where(tuple_(*_KEY) == (program_id, member_id, number))
    row = session.execute(wanted).one_or_none()
    if row is None:
        raise NotFound()
    return _binding(row)


def list_of_members(session: Session, members: Sequence[tuple[int, int]], states: Sequence[State]) -> list[Binding]:
    """The bindings of `(program_id, member_id)` in one of the states, by one statement for a page of members."""
    if not members:
        return []
    key = values_of(
        program_id=(Integer, [member[0] for member in members]),
        member_id=(BigInteger, [member[1] for member in members]),
    )
    mine = and_(bindings.c.program_id == key.c.program_id, bindings.c.member_id == key.c.member_id)
    wanted = select(bindings).join(key, mine).where(bindings.c.state.in_(states))
    return [_binding(row) for row in session.execute(wanted)]


def lock_bindings(session: Session, found: Sequence[Binding]) -> list[Binding]:
    """The bindings as they stand, locked in key order; the caller holds their inviters' invitations."""
    wanted = sorted((binding.program_id, binding.member_id, binding.number) for binding in found)
    key = values_of(
        program_id=(Integer, [k[0] for k in wanted]),
        member_id=(BigInteger, [k[1] for k in wanted]),
        number=(BigInteger, [k[2] for k in wanted]),
    )
    mine = and_(*(column == key.c[column.name] for column in _KEY))
    ordered = select(bindings).join(key, mine).order_by(*_KEY).with_for_update(of=bindings, key_share=True)
    return [_binding(row) for row in session.execute(ordered)]


def count_bound_this_hour(session: Session, binding: Binding) -> int:
    """How many the inviter bound in the campaign in the hour up to this binding, itself among them."""
    place = tuple_(bindings.c.bound_at, bindings.c.member_id, bindings.c.number)
    theirs = select(func.count()).where(
        bindings.c.program_id == binding.program_id,
        bindings.c.inviter_id == binding.inviter_id,
        bindings.c.campaign == binding.campaign,
        bindings.c.bound_at > binding.bound_at - VELOCITY_WINDOW,
        place <= (binding.bound_at, binding.member_id, binding.number),
    )
    return int(session.execute(theirs).scalar_one())


def count_qualified(session: Session, binding: Binding, month: date) -> int:
    """How many of the inviter's invitations in the campaign count against that business month's cap."""
    theirs = select(func.count()).where(
        bindings.c.program_id == binding.program_id,
        bindings.c.inviter_id == binding.inviter_id,
        bindings.c.campaign == binding.campaign,
        bindings.c.state == State.QUALIFIED,
        bindings.c.counted_month == month,
    )
    return int(session.execute(theirs).scalar_one())


def put_binding(session: Session, binding: Binding, **changes: Any) -> Binding:
    """Write changes to a binding that the caller has locked; answers it as it now stands."""
    mine = update(bindings).where(tuple_(*_KEY) == (binding.program_id, binding.member_id, binding.number))
    session.execute(mine.values(changes))
    return replace(binding, **changes)


def list_by_state(
    session: Session, program_id: int, state: State, *, after: tuple[int, int] | None, limit: int
) -> list[Binding]:
    """Bindings in a state, oldest first, behind `(member_id, number)`."""
    place = tuple_(bindings.c.bound_at, bindings.c.member_id, bindings.c.number)
    wanted = select(bindings).where(bindings.c.program_id == program_id, bindings.c.state == state)
    if after is not None:
        last = get_binding(session, program_id, *after)
        wanted = wanted.where(place > (last.bound_at, last.member_id, last.number))
    ordered = wanted.order_by(bindings.c.bound_at, bindings.c.member_id, bindings.c.number).limit(limit)
    return [_binding(row) for row in session.execute(ordered)]


def list_of_inviter(session: Session, program_id: int, inviter_id: int, *, limit: int) -> list[Binding]:
    """The bindings that an inviter's invitations brought, newest first."""
    theirs = select(bindings).where(bindings.c.program_id == program_id, bindings.c.inviter_id == inviter_id)
    ordered = theirs.order_by(bindings.c.bound_at.desc(), bindings.c.member_id, bindings.c.number).limit(limit)
    return [_binding(row) for row in session.execute(ordered)]


def count_by_campaign(session: Session, program_id: int, inviter_id: int) -> dict[tuple[str, State], int]:
    """How many bindings the inviter's invitations brought, by campaign and state."""
    theirs = select(bindings.c.campaign, bindings.c.state, func.count().label("found")).where(
        bindings.c.program_id == program_id, bindings.c.inviter_id == inviter_id
    )
    grouped = theirs.group_by(bindings.c.campaign, bindings.c.state)
    return {(row.campaign, State(row.state)): row.found for row in session.execute(grouped)}


def _binding(row: Row[Any]) -> Binding:
    values = {field.name: row._mapping[field.name] for field in fields(Binding)}
    values["state"] = State(values["state"])
    values["reason"] = values["reason"] and Reason(values["reason"])
    return Binding(**values)
