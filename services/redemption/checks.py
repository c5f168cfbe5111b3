"""What `verify` asks of this database: points and stock must tell the same story (architecture §6, 4 and 6).

The sums below are taken from the orders alone, which know what was promised and paid.
"""

from collections.abc import Iterable

from sqlalchemy import text
from sqlmodel import Session

from common.service import Check, Finding

_SHOWN = 5

_STOCK = """
WITH told AS (
  SELECT program_id, item AS code,
         coalesce(sum(quantity) FILTER (WHERE state IN ('reserving', 'held', 'giving_up')), 0) AS reserved,
         coalesce(sum(quantity) FILTER (WHERE state IN ('completed', 'cancelling', 'fulfilled')), 0) AS sold
  FROM redemption_orders GROUP BY program_id, item
)
SELECT 'item ' || program_id || '/' || code
FROM redemption_stock FULL JOIN told USING (program_id, code)
WHERE redemption_stock.reserved IS DISTINCT FROM coalesce(told.reserved, 0)
   OR redemption_stock.sold IS DISTINCT FROM coalesce(told.sold, 0)
   OR redemption_stock.reserved + redemption_stock.sold > redemption_stock.total
ORDER BY 1
"""

_TAKEN = """
WITH told AS (
  SELECT program_id, member_id, item, sum(quantity) AS quantity
  FROM redemption_orders WHERE state NOT IN ('refused', 'cancelled') GROUP BY program_id, member_id, item
)
SELECT 'member ' || program_id || '/' || member_id || ' of ' || item
FROM redemption_taken FULL JOIN told USING (program_id, member_id, item)
WHERE coalesce(redemption_taken.quantity, 0) <> coalesce(told.quantity, 0)
ORDER BY 1
"""

_IN_DOUBT = """
SELECT 'order ' || order_id || ' ' || state || ' ' || coalesce(last_error, '')
FROM redemption_orders
WHERE due_at IS NOT NULL AND in_doubt_since < clock_timestamp() - interval '1 hour'
ORDER BY 1
"""

_PAID = """
SELECT 'order ' || order_id || ' ' || state
FROM redemption_orders
WHERE (posting_id IS NOT NULL) <> (state IN ('completed', 'cancelling', 'cancelled', 'fulfilled'))
   OR (reversal_id IS NOT NULL) <> (state = 'cancelled')
ORDER BY 1
"""


def stock_is_what_orders_say(session: Session) -> Iterable[Finding]:
    """Reserved are the pieces of unpaid orders, sold those of paid ones, and never more than there are."""
    yield _finding(session, "stock is what the orders say, never oversold", "redemption_stock", _STOCK)


def limits_count_what_members_have(session: Session) -> Iterable[Finding]:
    """A member's count of an item is the pieces in their orders that were neither refused nor cancelled."""
    yield _finding(session, "members' counts are what their orders say", "redemption_taken", _TAKEN)


def doubt_ends(session: Session) -> Iterable[Finding]:
    """Points and stock agree within an hour: longer in doubt is someone's work."""
    yield _finding(session, "no order is in doubt for more than an hour", "redemption_orders", _IN_DOUBT)


def completed_means_captured(session: Session) -> Iterable[Finding]:
    """Never completed without points taken, nor taken without completed; cancelled means given back."""
    yield _finding(session, "orders are completed exactly when points were captured", "redemption_orders", _PAID)


CHECKS: tuple[Check, ...] = (
    stock_is_what_orders_say,
    limits_count_what_members_have,
    doubt_ends,
    completed_means_captured,
)


def _finding(session: Session, name: str, table: str, offenders: str) -> Finding:
    checked = session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()
    wrong = session.execute(text(offenders)).scalars().all()
    return Finding(name, checked, len(wrong), "; ".join(wrong[:_SHOWN]))
