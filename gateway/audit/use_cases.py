"""The audit is written before a request of staff goes on, and finished when it is answered.

So nothing staff changes is unaudited: when the first write fails, the request goes no further.
"""

from dataclasses import dataclass

from sqlmodel import Session

from common.identity import Identity
from gateway.audit import repository
from gateway.audit.domain import AuditRecord

NEWEST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class AuditPage:
    """Records, the newest first, and what to send as `after` for the ones before them; None when there are none."""

    records: list[AuditRecord]
    next: int | None


def begin(session: Session, *, caller: Identity, method: str, path: str, request_id: str) -> int:
    """Note what staff asks for; returns the record's id."""
    values = {
        "program_id": caller.program_id,
        "staff": caller.subject,
        "method": method,
        "path": path,
        "request_id": request_id,
    }
    return repository.add_record(session, values)


def finish(session: Session, *, program_id: int, record_id: int, status: int) -> None:
    """Note what it was answered with."""
    repository.mark_answered(session, program_id, record_id, status)


def list_records(session: Session, *, program_id: int, staff: str | None, after: int | None, limit: int) -> AuditPage:
    """A page of the program's audit, the newest first."""
    records = repository.list_records(session, program_id, staff=staff, before=after or NEWEST, limit=limit + 1)
    more = len(records) > limit
    return AuditPage(records[:limit], records[limit - 1].id if more else None)
