"""The invariants of budgets, checked over a live database: what `verify` prints."""

from collections.abc import Iterable

from sqlalchemy import text
from sqlmodel import Session

from common.service import Finding

_OFFENDERS = """
SELECT program_id, rule, span FROM points_budget_slots GROUP BY program_id, rule, span
HAVING sum(share) <> max(whole) OR min(whole) <> max(whole) OR count(*) <> 8 OR sum(used) < 0
    OR (sum(used) > max(whole) AND NOT bool_or(lowered))"""


def check_budgets(session: Session) -> Iterable[Finding]:
    """Σ shares = the whole, and no more is used than there is."""
    checked = session.execute(text("SELECT count(*) FROM points_budget_slots")).scalar_one()
    offenders = session.execute(text(f"SELECT *, count(*) OVER () FROM ({_OFFENDERS}) q LIMIT 3")).all()
    yield Finding(
        "Σ slots = the budget, no budget is exceeded",
        checked,
        int(offenders[0][-1]) if offenders else 0,
        "; ".join("/".join(map(str, row[:-1])) for row in offenders),
    )
