"""The slice of points that orders use: hold, capture, void, reverse. Every call has a key of its own for the order,

so each may be repeated: points does it once and answers the same.
"""

from typing import Any
from uuid import UUID

from common.errors import Refusal
from common.service_client import Neighbour, NeighbourRefused
from services.redemption.orders.domain import HOLD_TTL_SECONDS, AccountFrozen, InsufficientPoints, Order, PaymentRefused

points = Neighbour("points", caller="redemption")

#: 404, 409 and 422 are decisions, which points keeps under the key; these two codes are not.
_DECISIONS = (404, 409, 422)
_NO_DECISION = ("busy", "idempotency_key_reused")


class HoldNotOpen(Exception):
    """The hold is `state`: captured, voided or expired."""

    def __init__(self, state: str) -> None:
        super().__init__(state)
        self.state = state


def hold(order: Order) -> UUID:
    """Reserve the price; the hold's id. Raises the refusal with which the order ends when points says no."""
    body = {
        "member_id": order.member_id,
        "asset": order.price.asset,
        "amount": order.price.amount,
        "ttl_seconds": HOLD_TTL_SECONDS,
        "reason": f"redemption {order.order_id}",
    }
    try:
        return UUID(_post(order, "/v1/holds", "hold", body)["hold_id"])
    except NeighbourRefused as error:
        if error.status not in _DECISIONS or error.code in _NO_DECISION:
            raise
        raise _refusal(error) from error


def capture(order: Order) -> UUID:
    """Take the held points; the posting's id. Raises `HoldNotOpen`."""
    return UUID(_end_hold(order, "capture")["posting_id"])


def void(order: Order) -> None:
    """Let the held points go. Raises `HoldNotOpen`."""
    _end_hold(order, "void")


def reverse(order: Order) -> UUID:
    """Give the captured points back, into the lots they came from; the reversal's id."""
    body = {
        "member_id": order.member_id,
        "asset": order.price.asset,
        "posting_id": str(order.posting_id),
        "reason": f"cancellation of redemption {order.order_id}",
    }
    return UUID(_post(order, "/v1/reversals", "reverse", body)["posting_id"])


def _end_hold(order: Order, how: str) -> Any:
    path = f"/v1/holds/{order.hold_id}"
    try:
        return _post(order, f"{path}/{how}", how, {"member_id": order.member_id})
    except NeighbourRefused as error:
        if error.code != "hold_not_open":
            raise
        # The refusal is the same for ever; how the hold ended says the hold.
        query = {"member_id": order.member_id}
        raise HoldNotOpen(points.get(path, program_id=order.program_id, query=query)["state"]) from error


def _post(order: Order, path: str, step: str, body: dict[str, Any]) -> Any:
    return points.post(path, program_id=order.program_id, body=body, key=f"redemption:{order.order_id}:{step}")


def _refusal(error: NeighbourRefused) -> Refusal:
    if error.code == InsufficientPoints.code:
        facts = error.problem["facts"]
        return InsufficientPoints(available=facts["available"], short_by=facts["short_by"])
    if error.code == AccountFrozen.code:
        return AccountFrozen()
    return PaymentRefused(reason=error.code)
