"""One line of the audit."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """Who asked for what, when, and the status of the answer; None when the process died before it knew."""

    program_id: int
    id: int
    staff: str
    method: str
    path: str
    status: int | None
    request_id: str
    at: datetime
