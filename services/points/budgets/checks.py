"""The invariants of budgets, checked over a live database: what `verify` prints."""

from collections.abc import Iterable

from sqlmodel import Session

from common.service import Finding, examine

_OFFENDERS = """
SELECT program_id, rule, span FROM points_budget_slots GROUP BY program_id, rule, span
HAVING sum(share) <> max(whole) OR min(whole) <> max(whole) OR count(*) <> 8 OR sum(used) < 0
    OR (sum(used) > max(whole) AND NOT bool_or(lowered))"""


def check_budgets(session: Session) -> Iterable[Finding]:
    """Σ shares = the whole, and no more is used than there is."""
    name = "Σ slots = the budget, no budget is exceeded"
    yield examine(session, name, among="points_budget_slots", offenders=_OFFENDERS)
