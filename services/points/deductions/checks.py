"""The invariants of deductions: what `verify` prints."""

from collections.abc import Iterable

from sqlmodel import Session

from common.service import Finding, examine

# Each: the invariant in words, and a query of offenders over all deductions. `kind` 4 are captures.
_QUERIES: dict[str, str] = {
    "every deduction is a hold of its points": """
        SELECT d.program_id, d.member_id, d.id FROM points_deductions d
          LEFT JOIN points_holds h ON (h.program_id, h.member_id, h.id) = (d.program_id, d.member_id, d.id)
         WHERE h.amount IS DISTINCT FROM d.points""",
    "deductions gave back what their refunds say and the ledger reversed": """
        SELECT d.program_id, d.member_id, d.id FROM points_deductions d
          LEFT JOIN (SELECT program_id, member_id, deduction_id AS id, sum(refunded_fen) AS fen, sum(points) AS points,
                            sum(deducted_fen) AS deducted FROM points_deduction_refunds GROUP BY 1, 2, 3) r
            USING (program_id, member_id, id)
          LEFT JOIN (SELECT c.program_id, c.member_id, c.hold_id AS id, sum(e.reversed) AS points
                       FROM points_entries c JOIN points_entries e
                         ON (e.program_id, e.member_id, e.asset_id, e.reverses)
                          = (c.program_id, c.member_id, c.asset_id, c.seq)
                      WHERE c.kind = 4 GROUP BY 1, 2, 3) l USING (program_id, member_id, id)
         WHERE (d.refunded_fen, d.returned_points, d.returned_fen, d.returned_points)
               <> (coalesce(r.fen, 0), coalesce(r.points, 0), coalesce(r.deducted, 0), coalesce(l.points, 0))""",
}


def check_deductions(session: Session) -> Iterable[Finding]:
    """Every deduction is a hold of its points, and gave back what the ledger reversed."""
    for name, query in _QUERIES.items():
        yield examine(session, name, among="points_deductions", offenders=query)
