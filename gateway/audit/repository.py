"""Every SQL statement over the audit."""

from typing import Any

from sqlalchemy import insert, select, update
from sqlmodel import Session

from gateway.audit.domain import AuditRecord
from gateway.audit.models import audit

_COLUMNS = (
    audit.c.program_id,
    audit.c.id,
    audit.c.staff,
    audit.c.method,
    audit.c.path,
    audit.c.status,
    audit.c.request_id,
    audit.c.at,
)


def add_record(session: Session, values: dict[str, Any]) -> int:
    """A request whose answer is not known yet; returns the record's id."""
    return int(session.execute(insert(audit).values(values).returning(audit.c.id)).scalar_one())


def mark_answered(session: Session, program_id: int, record_id: int, status: int) -> None:
    """Write what the request was answered with."""
    mine = update(audit).where(audit.c.program_id == program_id, audit.c.id == record_id)
    session.execute(mine.values(status=status))


def list_records(session: Session, program_id: int, *, staff: str | None, before: int, limit: int) -> list[AuditRecord]:
    """The records before an id, the newest first; of one person when given."""
    wanted = select(*_COLUMNS).where(audit.c.program_id == program_id, audit.c.id < before)
    if staff is not None:
        wanted = wanted.where(audit.c.staff == staff)
    return [AuditRecord(*row) for row in session.execute(wanted.order_by(audit.c.id.desc()).limit(limit))]
