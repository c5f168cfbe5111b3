"""Every SQL statement over groups and their seats."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Integer, Row, Text, Uuid, and_, func, insert, or_, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlmodel import Session

from common.arrays import values_of
from common.errors import NotFound
from services.referrals.groupbuys.domain import Group, GroupFull, GroupState, Payment, Seat, SeatState
from services.referrals.groupbuys.models import groups, participants, seats

GroupKey = tuple[int, UUID]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a seat is: its group, its number there, and the group's campaign."""

    group_id: UUID
    number: int
    campaign: str


def add_group(session: Session, group: Group, seat_ids: Sequence[UUID]) -> None:
    """Insert a group with all its seats, free."""
    session.execute(insert(groups).values(asdict(group)))
    rows = [
        {"program_id": group.program_id, "group_id": group.id, "number": number, "seat_id": seat_id}
        for number, seat_id in enumerate(seat_ids, start=1)
    ]
    session.execute(insert(seats), rows)


def get_group(session: Session, program_id: int, group_id: UUID) -> Group:
    """The group; raises `NotFound`."""
    row = session.execute(
        select(groups).where(groups.c.program_id == program_id, groups.c.id == group_id)
    ).one_or_none()
    if row is None:
        raise NotFound()
    return _group(row)


def lock_groups(session: Session, keys: Iterable[GroupKey]) -> dict[GroupKey, Group]:
    """The groups, locked in key order: their seats change only under this."""
    wanted = sorted(set(keys))
    key = values_of(program_id=(Integer, [k[0] for k in wanted]), group_id=(Uuid, [k[1] for k in wanted]))
    mine = and_(groups.c.program_id == key.c.program_id, groups.c.id == key.c.group_id)
    ordered = select(groups).join(key, mine).order_by(groups.c.program_id, groups.c.id)
    locked = session.execute(ordered.with_for_update(of=groups, key_share=True))
    return {(row.program_id, row.id): _group(row) for row in locked}


def lock_participants(session: Session, keys: Iterable[tuple[int, int, str]]) -> None:
    """Lock `(program_id, member_id, campaign)` in key order, made when absent: seats are counted under this."""
    names = ("program_id", "member_id", "campaign")
    wanted = sorted(set(keys))
    if not wanted:
        return
    session.execute(upsert(participants).on_conflict_do_nothing(), [dict(zip(names, k, strict=True)) for k in wanted])
    key = values_of(
        program_id=(Integer, [k[0] for k in wanted]),
        member_id=(BigInteger, [k[1] for k in wanted]),
        campaign=(Text, [k[2] for k in wanted]),
    )
    columns = [participants.c[name] for name in names]
    ordered = select(*columns).join(key, and_(*(column == key.c[column.name] for column in columns))).order_by(*columns)
    session.execute(ordered.with_for_update(of=participants, key_share=True)).all()


def list_seats(session: Session, group: Group) -> list[Seat]:
    """The group's seats by number."""
    mine = select(seats).where(seats.c.program_id == group.program_id, seats.c.group_id == group.id)
    return [_seat(row) for row in session.execute(mine.order_by(seats.c.number))]


def count_seats_elsewhere(session: Session, group: Group, member_id: int, now: datetime) -> int:
    """The member's seats in other groups of the campaign: paid and not refunded, or held still, unless it is over."""
    going = or_(groups.c.state == GroupState.FILLED, and_(groups.c.state == GroupState.OPEN, groups.c.due_at > now))
    held = and_(seats.c.state == SeatState.HELD, seats.c.held_until > now)
    paid = and_(seats.c.state == SeatState.PAID, seats.c.refunded_at.is_(None))
    theirs = (
        select(func.count())
        .select_from(seats)
        .join(groups, and_(groups.c.program_id == seats.c.program_id, groups.c.id == seats.c.group_id))
        .where(
            seats.c.program_id == group.program_id,
            seats.c.holder_id == member_id,
            groups.c.campaign == group.campaign,
            groups.c.id != group.id,
            going,
            or_(held, paid),
        )
    )
    return int(session.execute(theirs).scalar_one())


def hold_seat(session: Session, group: Group, number: int, *, member_id: int, until: datetime, now: datetime) -> None:
    """Hold a seat that is free or whose hold has lapsed; raises `GroupFull` when somebody else was faster."""
    takeable = or_(
        seats.c.state.in_([SeatState.FREE, SeatState.LAPSED]),
        and_(seats.c.state == SeatState.HELD, seats.c.held_until <= now),
    )
    taken = update(seats).where(*_key(group, number), takeable).returning(seats.c.number)
    values = {"state": SeatState.HELD, "holder_id": member_id, "held_until": until}
    if session.execute(taken.values(values)).first() is None:
        raise GroupFull()


def mark_paid(session: Session, group: Group, number: int, payment: Payment) -> None:
    """Confirm a seat by its payment; the caller holds the group."""
    values = {"order_id": payment.order_id, "cause": payment.cause, "paid_at": payment.paid_at}
    session.execute(update(seats).where(*_key(group, number)).values(state=SeatState.PAID, **values))


def mark_free(session: Session, group: Group, number: int) -> None:
    """Give a seat back to the group; the caller holds the group."""
    left = dict.fromkeys(("holder_id", "held_until", "order_id", "cause", "paid_at"))
    session.execute(update(seats).where(*_key(group, number)).values(state=SeatState.FREE, **left))


def mark_refunded(session: Session, group: Group, number: int, *, at: datetime) -> None:
    """Note that a paid seat of a closed group was paid back; the caller holds the group."""
    session.execute(update(seats).where(*_key(group, number)).values(refunded_at=at))


def mark_closed(session: Session, group: Group, state: GroupState, at: datetime) -> None:
    """Fill or expire an open group; the caller holds it."""
    mine = update(groups).where(groups.c.program_id == group.program_id, groups.c.id == group.id)
    session.execute(mine.values(state=state, closed_at=at))


def locate_seats(session: Session, wanted: Sequence[tuple[int, UUID]]) -> dict[tuple[int, UUID], Place]:
    """Where the seats are that `(program_id, seat_id)` name, by one statement."""
    key = values_of(program_id=(Integer, [k[0] for k in wanted]), seat_id=(Uuid, [k[1] for k in wanted]))
    found = (
        select(seats.c.program_id, seats.c.seat_id, seats.c.group_id, seats.c.number, groups.c.campaign)
        .join(key, and_(seats.c.program_id == key.c.program_id, seats.c.seat_id == key.c.seat_id))
        .join(groups, and_(groups.c.program_id == seats.c.program_id, groups.c.id == seats.c.group_id))
    )
    return {
        (row.program_id, row.seat_id): Place(row.group_id, row.number, row.campaign) for row in session.execute(found)
    }


def locate_orders(session: Session, orders: Sequence[tuple[int, str]]) -> dict[tuple[int, str], UUID]:
    """The group of the seat that each of `(program_id, order_id)` paid for, by one statement."""
    key = values_of(program_id=(Integer, [k[0] for k in orders]), order_id=(Text, [k[1] for k in orders]))
    mine = and_(seats.c.program_id == key.c.program_id, seats.c.order_id == key.c.order_id)
    found = select(seats.c.program_id, seats.c.order_id, seats.c.group_id).join(key, mine)
    return {(row.program_id, row.order_id): row.group_id for row in session.execute(found)}


def list_due(session: Session, now: datetime, *, after: tuple[datetime, int, UUID] | None, limit: int) -> list[Group]:
    """Open groups of all programs whose time is over, soonest first, behind `(due_at, program_id, id)`."""
    place = tuple_(groups.c.due_at, groups.c.program_id, groups.c.id)
    due = select(groups).where(groups.c.state == GroupState.OPEN, groups.c.due_at <= now)
    if after is not None:
        due = due.where(place > after)
    ordered = due.order_by(groups.c.due_at, groups.c.program_id, groups.c.id).limit(limit)
    return [_group(row) for row in session.execute(ordered)]


def release_lapsed(session: Session, now: datetime) -> int:
    """Note all holds that have run out; answers how many."""
    lapsed = update(seats).where(seats.c.state == SeatState.HELD, seats.c.held_until <= now)
    return session.connection().execute(lapsed.values(state=SeatState.LAPSED)).rowcount


def list_to_join(
    session: Session, program_id: int, campaign: str, now: datetime, *, after: UUID | None, limit: int
) -> list[Group]:
    """Open groups of a campaign with a seat to take, soonest to end first, behind the group `after`."""
    place = tuple_(groups.c.due_at, groups.c.id)
    seat_left = (
        select(seats.c.number)
        .where(
            seats.c.program_id == groups.c.program_id,
            seats.c.group_id == groups.c.id,
            or_(
                seats.c.state.in_([SeatState.FREE, SeatState.LAPSED]),
                and_(seats.c.state == SeatState.HELD, seats.c.held_until <= now),
            ),
        )
        .exists()
    )
    joinable = select(groups).where(
        groups.c.program_id == program_id,
        groups.c.campaign == campaign,
        groups.c.state == GroupState.OPEN,
        groups.c.due_at > now,
        seat_left,
    )
    if after is not None:
        last = get_group(session, program_id, after)
        joinable = joinable.where(place > (last.due_at, last.id))
    return [_group(row) for row in session.execute(joinable.order_by(groups.c.due_at, groups.c.id).limit(limit))]


def list_open_of(session: Session, program_id: int, member_id: int, now: datetime, *, limit: int) -> list[Group]:
    """The groups that are open and in which the member has a seat, paid or held still; soonest to end first."""
    theirs = and_(seats.c.program_id == groups.c.program_id, seats.c.group_id == groups.c.id)
    seated = or_(seats.c.state == SeatState.PAID, and_(seats.c.state == SeatState.HELD, seats.c.held_until > now))
    wanted = (
        select(groups)
        .join(seats, theirs)
        .where(
            seats.c.program_id == program_id,
            seats.c.holder_id == member_id,
            seated,
            groups.c.state == GroupState.OPEN,
            groups.c.due_at > now,
        )
    )
    return [_group(row) for row in session.execute(wanted.order_by(groups.c.due_at, groups.c.id).limit(limit))]


def _key(group: Group, number: int) -> tuple[Any, Any, Any]:
    return seats.c.program_id == group.program_id, seats.c.group_id == group.id, seats.c.number == number


def _group(row: Row[Any]) -> Group:
    values = {field.name: row._mapping[field.name] for field in fields(Group)}
    return Group(**{**values, "state": GroupState(row.state)})


def _seat(row: Row[Any]) -> Seat:
    payment = Payment(row.holder_id, row.order_id, row.cause, row.paid_at) if row.order_id else None
    state = SeatState(row.state)
    return Seat(row.number, row.seat_id, state, row.holder_id, row.held_until, payment, row.refunded_at)
