"""What `verify` asks of this database: points and stock must tell the same story (architecture §6, 4 and 6).

The sums below are taken from the orders alone, which know what was promised and paid.
"""

from common.service import Check, invariant

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


CHECKS: tuple[Check, ...] = (
    invariant("stock is what the orders say, never oversold", "redemption_stock", _STOCK),
    invariant("members' counts are what their orders say", "redemption_taken", _TAKEN),
    # Longer in doubt is someone's work.
    invariant("no order is in doubt for more than an hour", "redemption_orders", _IN_DOUBT),
    invariant("orders are completed exactly when points were captured", "redemption_orders", _PAID),
)
