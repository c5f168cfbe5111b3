"""The invariants of exchanges: what `verify` prints."""

from collections.abc import Iterable

from sqlmodel import Session

from common.service import Finding, examine

# Each: the invariant in words, and a query of offenders over all exchanges.
_QUERIES: dict[str, str] = {
    "every exchange is an entry of its points, and reversed wholly or not": """
        SELECT x.program_id, x.partner, x.partner_order_id FROM points_exchanges x
          LEFT JOIN points_assets s ON (s.program_id, s.code) = (x.program_id, x.asset)
          LEFT JOIN points_postings p ON (p.program_id, p.id) = (x.program_id, x.posting_id)
          LEFT JOIN points_entries e
            ON (e.program_id, e.member_id, e.asset_id, e.seq) = (x.program_id, x.member_id, s.id, p.seq)
           AND e.posting_id = x.posting_id
          LEFT JOIN LATERAL (
               SELECT sum(r.reversed) AS points FROM points_entries r
                WHERE (r.program_id, r.member_id, r.asset_id, r.reverses)
                    = (e.program_id, e.member_id, e.asset_id, e.seq)) r ON true
         WHERE e.amount IS DISTINCT FROM CASE x.direction WHEN 'in' THEN x.points ELSE -x.points END
            OR x.reversed_at IS NOT NULL AND r.points IS DISTINCT FROM x.points
         ORDER BY 1, 2, 3""",
    "what caps of exchanges count is what was exchanged and not reversed": """
        WITH standing AS (SELECT * FROM points_exchanges WHERE reversed_at IS NULL), counted AS (
             SELECT program_id, member_id, partner, direction, 'day' AS span, day AS since, points FROM standing
             UNION ALL
             SELECT program_id, member_id, partner, direction, 'month', date_trunc('month', day)::date, points
               FROM standing
             UNION ALL
             SELECT program_id, 0, partner, direction, 'day', day, points FROM standing)
        SELECT program_id, member_id, partner, direction, span, since
          FROM points_exchange_windows w FULL JOIN (
               SELECT program_id, member_id, partner, direction, span, since, sum(points) AS points
                 FROM counted GROUP BY 1, 2, 3, 4, 5, 6) c
         USING (program_id, member_id, partner, direction, span, since)
         WHERE coalesce(w.used, 0) <> coalesce(c.points, 0) ORDER BY 1, 2, 3, 4, 5, 6""",
}


def check_exchanges(session: Session) -> Iterable[Finding]:
    """Every exchange is one entry of its points, reversed wholly or not at all; caps count what stands."""
    for name, query in _QUERIES.items():
        yield examine(session, name, among="points_exchanges", offenders=query)
