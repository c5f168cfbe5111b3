"""What must hold of audiences."""

from collections.abc import Iterable

from sqlalchemy import text
from sqlmodel import Session

from common.service import Finding


def check_stays(session: Session) -> Iterable[Finding]:
    """Nobody stands in one list twice at a time, and every list that somebody stands in exists."""
    count = session.execute(text("SELECT count(*) FROM points_list_stays")).scalar_one()
    overlapping = (
        "SELECT s.program_id, s.member_id, s.kind, s.code FROM (SELECT *, lead(since) OVER"
        " (PARTITION BY program_id, member_id, kind, code ORDER BY since) AS next FROM points_list_stays) s"
        " WHERE s.next IS NOT NULL AND (s.until IS NULL OR s.until > s.next)"
    )
    homeless = (
        "SELECT s.program_id, s.member_id, s.kind, s.code FROM points_list_stays s WHERE NOT EXISTS"
        " (SELECT FROM points_member_lists l WHERE (l.program_id, l.kind, l.code) = (s.program_id, s.kind, s.code))"
    )
    for name, statement in (("members stand in a list once", overlapping), ("lists of members exist", homeless)):
        found = session.execute(text(statement)).all()
        detail = ", ".join(f"program {p} member {m} {k}/{c}" for p, m, k, c in found[:5])
        yield Finding(name, count, len(found), detail)
