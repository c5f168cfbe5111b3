"""The report's one statement, over what adjustments and changesets keep."""

from datetime import datetime

from sqlalchemy import text
from sqlmodel import Session

from services.points.reasons.domain import Row, Sums

# Each thing done by hand, when it was posted: adjustments, lines of changesets, and the undoing of either.
_REPORT = text("""
WITH done AS (
  SELECT posted_at AS at, asset, reason_code AS reason, requested_by AS agent, undoes IS NOT NULL AS undoing,
         CASE WHEN to_on IS NULL THEN amount ELSE 0 END AS amount,
         CASE WHEN undoes IS NULL THEN moved ELSE -moved END AS moved
    FROM points_adjustments
   WHERE program_id = :p AND posted_at >= :first AND posted_at < :after AND posting_id IS NOT NULL
  UNION ALL
  SELECT c.at, s.code, l.reason, c.agent, c.undoing, CASE WHEN c.undoing THEN -l.amount ELSE l.amount END, 0
    FROM (SELECT id, applied_at AS at, uploaded_by AS agent, false AS undoing FROM points_changesets
           WHERE program_id = :p AND status IN ('applied', 'undo_requested', 'undoing', 'undone')
          UNION ALL
          SELECT id, undone_at, undo_requested_by, true FROM points_changesets
           WHERE program_id = :p AND status = 'undone') c
    JOIN points_changeset_lines l ON (l.program_id, l.changeset_id) = (:p, c.id)
    JOIN points_assets s ON (s.program_id, s.id) = (l.program_id, l.asset_id)
   WHERE c.at >= :first AND c.at < :after)
SELECT to_char(at AT TIME ZONE :zone, 'YYYY-MM') AS month, asset, reason, agent,
       count(*) FILTER (WHERE NOT undoing) AS count,
       coalesce(sum(amount) FILTER (WHERE NOT undoing AND amount > 0), 0)::bigint AS given,
       coalesce(-sum(amount) FILTER (WHERE NOT undoing AND amount < 0), 0)::bigint AS taken,
       coalesce(sum(amount) FILTER (WHERE undoing), 0)::bigint AS undone,
       coalesce(sum(moved), 0)::bigint AS moved
  FROM done WHERE CAST(:asset AS text) IS NULL OR asset = :asset
 GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4""")


def sum_by_reason(
    session: Session, program_id: int, *, first: datetime, after: datetime, asset: str | None, zone: str
) -> list[Row]:
    """What was posted by hand from `first` on and before `after`, by month in the zone, asset, reason and agent."""
    values = {"p": program_id, "first": first, "after": after, "asset": asset, "zone": zone}
    found = session.execute(_REPORT, values)
    return [Row(row.month, row.asset, row.reason, row.agent, Sums(*row[4:])) for row in found]
