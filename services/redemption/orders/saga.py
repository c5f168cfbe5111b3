"""Taking an order to its end: each step is a call to points outside any transaction, then one transaction.

Whoever has the order may drive it: the request that made it, that request sent again, a recovery, all at once if it so
happens. Nothing is locked meanwhile. Every call to points has the order's own key, so it has one effect and one
answer, and every answer is recorded by a guarded update, so it counts once. A process killed anywhere leaves an order
that is due, and the next driver goes on from its state.
"""

from collections.abc import Callable

import structlog
from redis.exceptions import RedisError

from common.clock import now
from common.errors import NeighbourUnavailable, Refusal
from common.queue import enqueue_once
from common.service_client import NeighbourRefused
from services.redemption.database import transaction
from services.redemption.orders import clients, use_cases
from services.redemption.orders.domain import HoldLost, Order, Step, next_step

log = structlog.get_logger()

#: Points did not answer, or with something that decides nothing; and a hold in a state that cannot be.
NO_DECISION = (NeighbourUnavailable, NeighbourRefused, clients.HoldNotOpen)


def drive(order: Order) -> Order:
    """The order when it has ended. One of `NO_DECISION` when points does not decide: recovery goes on then."""
    try:
        while (step := next_step(order, now())) is not None:
            order = _STEPS[step](order)
    except NO_DECISION as error:
        _postpone(order, error)
        raise
    return order


def _hold(order: Order) -> Order:
    try:
        hold_id = clients.hold(order)
    except NeighbourUnavailable:
        raise
    except Refusal as refusal:
        with transaction() as session:
            return use_cases.refuse(session, order, refusal)
    with transaction() as session:
        return use_cases.record_hold(session, order, hold_id=hold_id)


def _capture(order: Order) -> Order:
    try:
        posting_id = clients.capture(order)
    except clients.HoldNotOpen as hold:
        if hold.state not in ("expired", "voided"):
            raise
        with transaction() as session:
            return use_cases.refuse(session, order, HoldLost(hold=hold.state))
    with transaction() as session:
        return use_cases.complete(session, order, posting_id=posting_id, now=now())


def _give_up(order: Order) -> Order:
    with transaction() as session:
        return use_cases.give_up(session, order)


def _void(order: Order) -> Order:
    try:
        clients.void(order)
    except clients.HoldNotOpen as hold:
        if hold.state == "captured":
            # A driver that was slow took the points after all: then the member gets what they paid for.
            return _capture(order)
        if hold.state != "expired":
            raise
    with transaction() as session:
        return use_cases.let_go(session, order)


def _reverse(order: Order) -> Order:
    reversal_id = clients.reverse(order)
    with transaction() as session:
        return use_cases.finish_cancellation(session, order, reversal_id=reversal_id, now=now())


_STEPS: dict[Step, Callable[[Order], Order]] = {
    Step.HOLD: _hold,
    Step.CAPTURE: _capture,
    Step.GIVE_UP: _give_up,
    Step.VOID: _void,
    Step.REVERSE: _reverse,
}


def _postpone(order: Order, error: Exception) -> None:
    log.warning("redemption_in_doubt", order_id=str(order.order_id), state=order.state.value, error=str(error))
    with transaction() as session:
        use_cases.postpone(session, order, error=str(error), now=now())
    if order.attempts == 0:
        _wake_recovery()


def _wake_recovery() -> None:
    try:
        enqueue_once("redemption", "services.redemption.orders.jobs.recover_orders", within_seconds=10)
    except RedisError as error:
        # The cron recovers anyway.
        log.warning("recovery_wake_failed", error=str(error))
