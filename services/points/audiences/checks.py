"""What must hold of audiences: checked over a live database by `verify`."""

from collections.abc import Iterable

from sqlmodel import Session

from common.service import Finding, examine

# Each: the invariant in words, and a query of offenders over all stays.
_QUERIES: dict[str, str] = {
    "members stand in a list once": """
        SELECT program_id, member_id, kind, code FROM (
               SELECT *, lead(since) OVER (PARTITION BY program_id, member_id, kind, code ORDER BY since) AS next
                 FROM points_list_stays) s
         WHERE next IS NOT NULL AND (until IS NULL OR until > next)""",
    "lists of members exist": """
        SELECT program_id, member_id, kind, code FROM points_list_stays s
         WHERE NOT EXISTS (SELECT FROM points_member_lists l
                            WHERE (l.program_id, l.kind, l.code) = (s.program_id, s.kind, s.code))""",
}


def check_stays(session: Session) -> Iterable[Finding]:
    """Nobody stands in one list twice at a time, and every list that somebody stands in exists."""
    for name, query in _QUERIES.items():
        yield examine(session, name, among="points_list_stays", offenders=query)
