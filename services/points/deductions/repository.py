"""Every SQL statement over deduction policies, deductions and their refunds."""

import uuid
from dataclasses import asdict, fields
from typing import Any

from sqlalchemy import Row, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session

from common.errors import NotFound
from services.points.deductions.domain import Back, NoPolicy, Policy
from services.points.deductions.models import deductions, policies, refunds


def find_policy(session: Session, program_id: int) -> Row[Any] | None:
    """The newest version of the program's policy, or None."""
    mine = select(policies).where(policies.c.program_id == program_id)
    return session.execute(mine.order_by(policies.c.version.desc()).limit(1)).one_or_none()


def get_policy(session: Session, program_id: int) -> tuple[Policy, int]:
    """The policy in force and its version; raises `NoPolicy`."""
    row = find_policy(session, program_id)
    if row is None:
        raise NoPolicy()
    return policy_of(row), row.version


def policy_of(row: Row[Any]) -> Policy:
    """The row as the rules know it."""
    return Policy(**{field.name: getattr(row, field.name) for field in fields(Policy)})


def add_policy(session: Session, program_id: int, version: int, policy: Policy, actor: str) -> Row[Any] | None:
    """Put this version in force; None when somebody else has just written it."""
    row = insert(policies).values(program_id=program_id, version=version, set_by=actor, **asdict(policy))
    return session.execute(row.on_conflict_do_nothing().returning(policies)).one_or_none()


def lock_newest(session: Session, program_id: int, member_id: int, order_id: str) -> Row[Any] | None:
    """The newest deduction of the order, locked, or None."""
    mine = select(deductions).where(
        deductions.c.program_id == program_id,
        deductions.c.member_id == member_id,
        deductions.c.order_id == order_id,
    )
    return session.execute(mine.order_by(deductions.c.attempt.desc()).limit(1).with_for_update()).one_or_none()


def add_deduction(session: Session, **values: Any) -> Row[Any] | None:
    """A new deduction; None when a twin has just made the same attempt (it waits for the twin to end)."""
    return session.execute(
        insert(deductions).values(values).on_conflict_do_nothing().returning(deductions)
    ).one_or_none()


def get_deduction(
    session: Session, program_id: int, member_id: int, deduction_id: uuid.UUID, *, lock: bool = False
) -> Row[Any]:
    """One deduction of a member; raises `NotFound`."""
    mine = select(deductions).where(
        deductions.c.program_id == program_id, deductions.c.member_id == member_id, deductions.c.id == deduction_id
    )
    row = session.execute(mine.with_for_update() if lock else mine).one_or_none()
    if row is None:
        raise NotFound()
    return row


def find_refund(session: Session, deduction: Row[Any], refund_id: str) -> Row[Any] | None:
    """One refund of a deduction, or None."""
    return session.execute(
        select(refunds).where(*_refunds_of(deduction), refunds.c.refund_id == refund_id)
    ).one_or_none()


def list_refunds(session: Session, deduction: Row[Any]) -> list[Row[Any]]:
    """The refunds of a deduction, in the order in which they came."""
    mine = select(refunds).where(*_refunds_of(deduction))
    return list(session.execute(mine.order_by(refunds.c.made_at, refunds.c.refund_id)))


def add_refund(
    session: Session, deduction: Row[Any], refund_id: str, refunded_fen: int, back: Back, actor: str
) -> Row[Any]:
    """Note a refund and what it gave back; the caller holds the deduction's lock."""
    own = {"program_id": deduction.program_id, "member_id": deduction.member_id, "deduction_id": deduction.id}
    row = insert(refunds).values(**own, refund_id=refund_id, refunded_fen=refunded_fen, made_by=actor, **asdict(back))
    mine = (
        deductions.c.program_id == deduction.program_id,
        deductions.c.member_id == deduction.member_id,
        deductions.c.id == deduction.id,
    )
    session.execute(
        update(deductions)
        .where(*mine)
        .values(
            refunded_fen=deductions.c.refunded_fen + refunded_fen,
            returned_points=deductions.c.returned_points + back.points,
            returned_fen=deductions.c.returned_fen + back.deducted_fen,
        )
    )
    return session.execute(row.returning(refunds)).one()


def _refunds_of(deduction: Row[Any]) -> tuple[Any, ...]:
    return (
        refunds.c.program_id == deduction.program_id,
        refunds.c.member_id == deduction.member_id,
        refunds.c.deduction_id == deduction.id,
    )
