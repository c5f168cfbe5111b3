"""Every SQL statement over adjustments, agents' days and the settings."""

import uuid
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session

from common.errors import NotFound
from services.points.adjustments.domain import DEFAULT_REASONS, Limit, Policy, Reason, Status, Wanted
from services.points.adjustments.models import adjustments, agent_days, settings


def get_policy(session: Session, program_id: int) -> Policy:
    """The program's settings, or what holds until somebody sets them."""
    row = session.execute(select(settings).where(settings.c.program_id == program_id)).one_or_none()
    if row is None:
        return Policy(reasons=DEFAULT_REASONS)
    reasons = DEFAULT_REASONS if row.reasons is None else tuple(Reason(**reason) for reason in row.reasons)
    return Policy(tuple(Limit(**limit) for limit in row.limits or ()), reasons, row.pending_days)


def put_limits(session: Session, program_id: int, limits: Sequence[Limit], pending_days: int, actor: str) -> None:
    """Replace the program's limits."""
    _put(session, program_id, actor, limits=[asdict(limit) for limit in limits], pending_days=pending_days)


def put_reasons(session: Session, program_id: int, reasons: Sequence[Reason], actor: str) -> None:
    """Replace the program's reasons."""
    _put(session, program_id, actor, reasons=[asdict(reason) for reason in reasons])


def lock_day(session: Session, program_id: int, agent: str, day: date, asset: str) -> int:
    """What the agent has used of the day, locked, so that one adjustment of an agent is decided at a time."""
    key = {"program_id": program_id, "agent": agent, "day": day, "asset": asset}
    session.execute(insert(agent_days).values(key).on_conflict_do_nothing())
    mine = [agent_days.c[name] == value for name, value in key.items()]
    return int(session.execute(select(agent_days.c.used).where(*mine).with_for_update()).scalar_one())


def add_used(session: Session, program_id: int, agent: str, day: date, asset: str, amount: int) -> None:
    """Count the amount into the agent's day; the caller holds its lock."""
    mine = (
        agent_days.c.program_id == program_id,
        agent_days.c.agent == agent,
        agent_days.c.day == day,
        agent_days.c.asset == asset,
    )
    session.execute(update(agent_days).where(*mine).values(used=agent_days.c.used + amount))


def add_adjustment(
    session: Session,
    program_id: int,
    wanted: Wanted,
    *,
    agent: str,
    now: datetime,
    expires_at: datetime,
    beyond: str | None,
    undoes: uuid.UUID | None = None,
) -> Row[Any]:
    """A new adjustment, waiting; the caller posts it at once when the agent may."""
    values = {
        **asdict(wanted),
        "program_id": program_id,
        "status": Status.PENDING.value,
        "beyond": beyond,
        "requested_by": agent,
        "requested_at": now,
        "expires_at": expires_at,
        "undoes": undoes,
    }
    return session.execute(insert(adjustments).values(values).returning(adjustments)).one()


def get_adjustment(session: Session, program_id: int, adjustment_id: uuid.UUID, *, lock: bool = False) -> Row[Any]:
    """One adjustment; raises `NotFound`."""
    wanted = select(adjustments).where(adjustments.c.program_id == program_id, adjustments.c.id == adjustment_id)
    row = session.execute(wanted.with_for_update() if lock else wanted).one_or_none()
    if row is None:
        raise NotFound()
    return row


def has_undoing(session: Session, row: Row[Any]) -> bool:
    """Whether somebody asked already, and it was not turned down, to undo the adjustment; the caller holds its lock."""
    live = select(adjustments.c.id).where(
        adjustments.c.program_id == row.program_id,
        adjustments.c.member_id == row.member_id,
        adjustments.c.undoes == row.id,
        adjustments.c.status.in_((Status.PENDING.value, Status.POSTED.value)),
    )
    return session.execute(live).first() is not None


def change(session: Session, row: Row[Any], **values: Any) -> Row[Any]:
    """Write what changed of an adjustment whose lock the caller holds."""
    mine = (
        adjustments.c.program_id == row.program_id,
        adjustments.c.member_id == row.member_id,
        adjustments.c.id == row.id,
    )
    return session.execute(update(adjustments).where(*mine).values(values).returning(adjustments)).one()


def list_adjustments(
    session: Session,
    program_id: int,
    *,
    status: str | None,
    agent: str | None,
    member_id: int | None,
    between: tuple[datetime, datetime] | None,
    after: uuid.UUID | None,
    limit: int,
) -> Sequence[Row[Any]]:
    """Adjustments, newest first, behind `after`; with each filter that is given."""
    mine = select(adjustments).where(adjustments.c.program_id == program_id)
    given = {"status": status, "requested_by": agent, "member_id": member_id}
    for name, value in given.items():
        if value is not None:
            mine = mine.where(adjustments.c[name] == value)
    if between is not None:
        mine = mine.where(adjustments.c.requested_at >= between[0], adjustments.c.requested_at < between[1])
    if after is not None:
        mine = mine.where(adjustments.c.id < after)
    return session.execute(mine.order_by(adjustments.c.id.desc()).limit(limit)).all()


def expire(session: Session, *, limit: int) -> int:
    """End requests past their deadline, at most `limit`; returns how many."""
    ended = text(
        "UPDATE points_adjustments a SET status = 'expired' FROM ("
        " SELECT program_id, member_id, id FROM points_adjustments"
        " WHERE status = 'pending_approval' AND expires_at <= clock_timestamp()"
        " ORDER BY expires_at LIMIT :limit FOR UPDATE SKIP LOCKED) due"
        " WHERE (a.program_id, a.member_id, a.id) = (due.program_id, due.member_id, due.id) RETURNING a.id"
    )
    return len(session.execute(ended, {"limit": limit}).all())


def _put(session: Session, program_id: int, actor: str, **values: Any) -> None:
    changes = {**values, "changed_by": actor, "changed_at": func.clock_timestamp()}
    row = {"program_id": program_id, "changed_by": actor, **values}
    session.execute(insert(settings).values(row).on_conflict_do_update(index_elements=["program_id"], set_=changes))
