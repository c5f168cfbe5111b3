"""What must be true of changesets: checked over a live database by `verify`."""

from collections.abc import Iterable

from sqlmodel import Session

from common.service import Finding, examine

# What the entries of each changeset come to by account; `kind` 8 are reversals.
_ENTRIES = """
    SELECT program_id, member_id, asset_id, cause, count(*) FILTER (WHERE kind <> 8) AS posted,
           sum(amount) FILTER (WHERE kind <> 8) AS amount,
           count(*) FILTER (WHERE kind = 8) AS reversed, sum(amount) AS net
      FROM points_entries WHERE cause LIKE 'changeset %' GROUP BY 1, 2, 3, 4"""
_LINES = """
    SELECT l.program_id, l.member_id, l.asset_id, 'changeset ' || l.changeset_id AS cause, count(*) AS lines,
           sum(l.amount) AS amount, max(c.status) AS status
      FROM points_changeset_lines l JOIN points_changesets c ON (c.program_id, c.id) = (l.program_id, l.changeset_id)
     WHERE c.status IN ('applied', 'undo_requested', 'undoing', 'undone') GROUP BY 1, 2, 3, 4"""

_QUERIES: dict[str, str] = {
    "an applied changeset is one entry a line, any other is none": f"""
        SELECT program_id, cause, member_id FROM ({_LINES}) l FULL JOIN ({_ENTRIES}) e
         USING (program_id, member_id, asset_id, cause)
         WHERE (l.lines, l.amount) IS DISTINCT FROM (e.posted, e.amount::numeric)""",
    "an undone changeset is reversed line by line, any other not at all": f"""
        SELECT program_id, cause, member_id FROM ({_LINES}) l JOIN ({_ENTRIES}) e
         USING (program_id, member_id, asset_id, cause)
         WHERE e.reversed <> (CASE l.status WHEN 'undone' THEN l.lines ELSE 0 END)
            OR (l.status = 'undone' AND e.net <> 0)""",
    "an account has at most one opening balance": """
        SELECT l.program_id, l.member_id, l.asset_id FROM points_changeset_lines l
          JOIN points_changesets c ON (c.program_id, c.id) = (l.program_id, l.changeset_id)
         WHERE c.kind = 'opening' AND c.status IN ('applied', 'undo_requested', 'undoing')
         GROUP BY 1, 2, 3 HAVING count(*) > 1""",
}


def check_changesets(session: Session) -> Iterable[Finding]:
    """One statement an invariant."""
    for name, query in _QUERIES.items():
        yield examine(session, name, among="points_changesets", offenders=query)
