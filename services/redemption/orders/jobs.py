"""What the worker does for orders."""

from common.clock import now
from common.errors import NeighbourUnavailable
from common.queue import job
from services.redemption.database import transaction
from services.redemption.orders import saga, use_cases


@job("redemption")
def recover_orders() -> None:
    """Drive every order in doubt that is due; stop when points does not answer, the next run goes on.

    An answer that decides nothing holds up only its own order.
    """
    while True:
        with transaction() as session:
            order = use_cases.lease_order_in_doubt(session, now=now())
        if order is None:
            return
        try:
            saga.drive(order)
        except NeighbourUnavailable:
            return
        except saga.NO_DECISION:
            continue
