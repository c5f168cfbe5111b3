"""What must be true at the door, checked on the live database by `verify`."""

from collections.abc import Iterator

from sqlalchemy import text
from sqlmodel import Session

from common.service import Finding

_LOCKED_OUT = text(
    "SELECT p.code, bool_and(s.disabled) AS broken FROM gateway_programs p JOIN gateway_staff s USING (program_id)"
    " WHERE 'admin' = ANY(s.roles) GROUP BY p.code ORDER BY p.code"
)
_FIRST = 5


def admins_remain(session: Session) -> Iterator[Finding]:
    """A program that has admins has one who is not disabled."""
    rows = session.execute(_LOCKED_OUT).all()
    broken = [row.code for row in rows if row.broken]
    yield Finding("every program with admins has an enabled one", len(rows), len(broken), ", ".join(broken[:_FIRST]))


CHECKS = (admins_remain,)
