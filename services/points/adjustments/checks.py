"""What must be true of adjustments: checked over a live database by `verify`."""

from collections.abc import Iterable

from sqlmodel import Session

from common.service import Finding, examine

# Each: the invariant in words, and a query of offenders over all adjustments.
_QUERIES: dict[str, str] = {
    "a posted adjustment is one entry of its amount, a redating of as many lots, any other is none": """
        SELECT a.program_id, a.member_id, a.id FROM points_adjustments a
          LEFT JOIN points_assets s ON (s.program_id, s.code) = (a.program_id, a.asset)
          LEFT JOIN LATERAL (
               SELECT count(*) AS n, sum(e.amount) AS amount, max(e.posting_id::text) AS posting,
                      max(CASE WHEN e.kind = 15 THEN e.lots[cardinality(e.lots)]
                               WHEN a.to_on IS NOT NULL THEN e.reversed END) AS moved FROM points_entries e
                WHERE (e.program_id, e.member_id, e.asset_id) = (a.program_id, a.member_id, s.id)
                  AND e.cause = 'adjustment ' || a.id) e ON true
         CROSS JOIN LATERAL (SELECT CASE WHEN a.to_on IS NULL THEN a.amount ELSE 0 END AS amount) w
         WHERE (e.n, coalesce(e.amount, w.amount), e.posting, e.moved)
               IS DISTINCT FROM ((a.status IN ('posted', 'undone'))::int::bigint, w.amount, a.posting_id::text, a.moved)
         UNION ALL
        SELECT e.program_id, e.member_id, e.posting_id FROM points_entries e
         WHERE e.cause LIKE 'adjustment %' AND NOT EXISTS (
               SELECT FROM points_adjustments a WHERE (a.program_id, a.member_id) = (e.program_id, e.member_id)
                  AND e.cause = 'adjustment ' || a.id)""",
    "an undone adjustment has one posted undoing of the opposite amount": """
        SELECT a.program_id, a.member_id, a.id FROM points_adjustments a
          LEFT JOIN points_adjustments u ON (u.program_id, u.member_id, u.id) = (a.program_id, a.member_id, a.undone_by)
         WHERE a.undone_by IS NOT NULL
           AND (u.undoes, u.amount, u.status) IS DISTINCT FROM (a.id, -a.amount, 'posted')
         UNION ALL
        SELECT u.program_id, u.member_id, u.id FROM points_adjustments u
          LEFT JOIN points_adjustments a ON (a.program_id, a.member_id, a.id) = (u.program_id, u.member_id, u.undoes)
         WHERE u.undoes IS NOT NULL AND u.status = 'posted' AND a.undone_by IS DISTINCT FROM u.id""",
    "what agents used of their day is what was charged to them": """
        SELECT program_id, agent, day FROM points_agent_days d FULL JOIN (
               SELECT program_id, charged_to AS agent, charged_on AS day, asset, sum(abs(amount)) AS charged
                 FROM points_adjustments WHERE charged_to IS NOT NULL GROUP BY 1, 2, 3, 4) a
         USING (program_id, agent, day, asset) WHERE coalesce(d.used, 0) <> coalesce(a.charged, 0)""",
    "what was posted was charged to an agent's limits or approved by a second person": """
        SELECT program_id, member_id, id FROM points_adjustments
         WHERE status IN ('posted', 'undone') AND charged_to IS NULL AND decided_by IS NULL""",
}


def check_adjustments(session: Session) -> Iterable[Finding]:
    """One statement an invariant."""
    for name, query in _QUERIES.items():
        yield examine(session, name, among="points_adjustments", offenders=query)
