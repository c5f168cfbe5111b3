"""Redeeming an item, cancelling and fulfilling an order, and what each answer of points means for it.

What an answer of points does is done once: whoever brings it second finds the order moved on, and gets it as it is.
Rows are locked in one order, so that nobody waits in a circle: the order, the member's count, the stock.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlmodel import Session

from common import feed as facts
from common.database import DriverConnection, driver_connection
from common.errors import KeyReused, Refusal
from services.redemption.catalog import use_cases as catalog
from services.redemption.catalog.domain import Item, Price
from services.redemption.database import feed
from services.redemption.orders import repository
from services.redemption.orders.domain import (
    BEING_DRIVEN,
    IN_DOUBT,
    WISH,
    Asked,
    LimitReached,
    NotCancellable,
    NotFulfillable,
    Order,
    Refused,
    WishLapsed,
    check_limit,
    check_reason,
    retry_delay,
    why_not,
)


class CapturedAfterRefusal(Exception):
    """Points took points for an order that has ended unpaid. Cannot be; someone must look."""


def refuse_at_once(connection: DriverConnection, asked: Sequence[Asked]) -> list[Refusal | None]:
    """For each, what now keeps everybody from the item, kept as the answer to its key; None for whom `place` decides.

    When thousands want what ten can have, nearly all are refused here: by two statements that neither lock nor wait.
    """
    items = catalog.find_items(connection, {(one.program_id, one.item) for one in asked})
    refused: dict[tuple[int, int, str], Refused] = {}
    for one in asked:
        item = items.get((one.program_id, one.item))
        # Of an item that there is not, the key may have an answer of before; and so for who asks twice at once.
        refusal = item and catalog.why_not_on_sale(item, quantity=one.quantity, now=one.at)
        if item and refusal:
            refused.setdefault(one.once, Refused(one, item.version, _price(item, one), refusal))
    kept = repository.add_refused(connection, list(refused.values())) if refused else set()
    return [refused[one.once].refusal if one.once in kept and refused[one.once].asked is one else None for one in asked]


def place(session: Session, asked: Asked) -> tuple[Order, bool]:
    """Order pieces of an item: the order, and whether this key had made it before.

    A new order has its stock and its share of the member's limit reserved, or is refused and says why. Asked for
    again, one in doubt is wanted anew. Raises `UnknownItem` (nothing is kept then), `KeyReused`.
    """
    earlier = repository.find_by_key(session, asked.program_id, asked.member_id, asked.key)
    if earlier is None:
        offered = catalog.show_item(
            driver_connection(session), program_id=asked.program_id, code=asked.item, active_only=True
        )
        order = repository.add_order(
            session,
            asked,
            item_version=offered.version,
            price=_price(offered, asked),
            wanted_until=asked.at + WISH,
            due_at=asked.at + BEING_DRIVEN,
        )
        if order is not None:
            return _reserve(session, order, offered, asked.at), False
        earlier = repository.find_by_key(session, asked.program_id, asked.member_id, asked.key)
        assert earlier is not None  # its twin has just committed it
    if earlier.fingerprint != asked.fingerprint:
        raise KeyReused()
    if earlier.state not in IN_DOUBT:
        return earlier, True
    renewed = repository.renew_wish(session, earlier, wanted_until=asked.at + WISH, due_at=asked.at + BEING_DRIVEN)
    return renewed or earlier, True


def record_hold(session: Session, order: Order, *, hold_id: UUID) -> Order:
    """Points holds the price."""
    return repository.mark_held(session, order, hold_id=hold_id) or _as_it_is(session, order)


def complete(session: Session, order: Order, *, posting_id: UUID, now: datetime) -> Order:
    """Points has taken the price: the pieces are sold, and the fact `redemption.completed` says so."""
    completed = repository.mark_completed(session, order, posting_id=posting_id, now=now)
    if completed is None:
        found = _as_it_is(session, order)
        if found.posting_id is None:
            raise CapturedAfterRefusal(str(order.order_id))
        return found
    catalog.sell_stock(session, program_id=order.program_id, code=order.item, quantity=order.quantity)
    _tell(session, "redemption.completed", completed)
    return completed


def refuse(session: Session, order: Order, refusal: Refusal) -> Order:
    """The order ends unpaid: what it reserved is available again."""
    refused = repository.mark_refused(session, order, refusal)
    if refused is None:
        return _as_it_is(session, order)
    repository.give_taken_back(session, order)
    catalog.release_stock(session, program_id=order.program_id, code=order.item, quantity=order.quantity)
    return refused


def give_up(session: Session, order: Order) -> Order:
    """The order has been in doubt for longer than it is wanted: from now on it only goes back."""
    return repository.mark_giving_up(session, order) or _as_it_is(session, order)


def let_go(session: Session, order: Order) -> Order:
    """The hold of an order that is given up is gone: it ends unpaid."""
    return refuse(session, order, WishLapsed(order_id=str(order.order_id)))


def request_cancellation(
    session: Session,
    *,
    program_id: int,
    order_id: UUID,
    member_id: int | None,
    by: str,
    reason: str | None,
    key: str,
    fingerprint: bytes,
    now: datetime,
) -> tuple[Order, bool]:
    """Begin to cancel a completed order: the order, and whether this key had begun it before.

    `member_id` is the member who asks; None when staff do, who give a reason. Raises `NotFound`, `ReasonMissing`,
    `OrderUnsettled`, `NotCancellable`, `KeyReused`.
    """
    check_reason(reason, by_staff=member_id is None)
    again = _claimed(session, program_id, by, "cancellation", key, fingerprint)
    order = repository.get_order(session, program_id, order_id, member_id=member_id)
    if again:
        return order, True
    cancelling = repository.mark_cancelling(session, order, by=by, reason=reason, due_at=now + BEING_DRIVEN, now=now)
    if cancelling is None:
        raise why_not(_as_it_is(session, order), NotCancellable)
    return cancelling, False


def finish_cancellation(session: Session, order: Order, *, reversal_id: UUID, now: datetime) -> Order:
    """Points has given the price back: the pieces are available again, and `redemption.cancelled` says so."""
    cancelled = repository.mark_cancelled(session, order, reversal_id=reversal_id, now=now)
    if cancelled is None:
        return _as_it_is(session, order)
    repository.give_taken_back(session, order)
    catalog.take_stock_back(session, program_id=order.program_id, code=order.item, quantity=order.quantity)
    _tell(session, "redemption.cancelled", cancelled)
    return cancelled


def fulfil(
    session: Session,
    *,
    program_id: int,
    order_id: UUID,
    by: str,
    tracking_no: str | None,
    note: str | None,
    key: str,
    fingerprint: bytes,
    now: datetime,
) -> tuple[Order, bool]:
    """Note that a completed order is delivered or sent: the order, and whether this key had noted it before.

    Raises `NotFound`, `OrderUnsettled`, `NotFulfillable`, `KeyReused`.
    """
    again = _claimed(session, program_id, by, "fulfilment", key, fingerprint)
    order = repository.get_order(session, program_id, order_id, member_id=None)
    if again:
        return order, True
    fulfilled = repository.mark_fulfilled(session, order, by=by, tracking_no=tracking_no, note=note, now=now)
    if fulfilled is None:
        raise why_not(_as_it_is(session, order), NotFulfillable)
    return fulfilled, False


def show_order(session: Session, *, program_id: int, order_id: UUID, member_id: int | None) -> Order:
    """The order; raises `NotFound`, also for another member's."""
    return repository.get_order(session, program_id, order_id, member_id=member_id)


def list_orders(
    session: Session, *, program_id: int, member_id: int, after: UUID | None, limit: int, state: str | None
) -> list[Order]:
    """At most `limit` of a member's orders older than `after`, newest first; only those in `state` when given."""
    return repository.list_orders(session, program_id, member_id, after=after, limit=limit, state=state)


def lease_order_in_doubt(session: Session, *, now: datetime) -> Order | None:
    """The next order in doubt that is due, for the caller to drive; None when there is none."""
    return repository.lease_due(session, now=now, until=now + BEING_DRIVEN)


def postpone(session: Session, order: Order, *, error: str, now: datetime) -> None:
    """Points did not decide: try again later, the longer the more often that happened."""
    attempts = order.attempts + 1
    repository.postpone(session, order, attempts=attempts, due_at=now + retry_delay(attempts), error=error)


def _price(offered: Item, asked: Asked) -> Price:
    return offered.offer.price.times(asked.quantity)


def _reserve(session: Session, order: Order, item: Item, now: datetime) -> Order:
    try:
        with session.begin_nested():
            limit = item.offer.per_member_limit
            check_limit(order, limit)
            if not repository.add_taken(session, order, limit=limit):
                raise LimitReached(item=order.item, limit=limit or 0)
            # The stock comes last: every buyer of the item waits for its row.
            catalog.reserve_stock(session, item, quantity=order.quantity, now=now)
    except Refusal as refusal:
        refused = repository.mark_refused(session, order, refusal)
        assert refused is not None  # nobody else knows of the order yet
        return refused
    return order


def _claimed(session: Session, program_id: int, by: str, change: str, key: str, fingerprint: bytes) -> bool:
    """Whether the key has begun this change before; a twin in flight is waited for, so read the order after this."""
    earlier = repository.claim_key(session, program_id, by, f"redemptions/{change}", key, fingerprint)
    if earlier is not None and earlier != fingerprint:
        raise KeyReused()
    return earlier is not None


def _as_it_is(session: Session, order: Order) -> Order:
    return repository.get_order(session, order.program_id, order.order_id, member_id=order.member_id)


def _tell(session: Session, topic: str, order: Order) -> None:
    payload = {
        "order_id": str(order.order_id),
        "item": order.item,
        "quantity": order.quantity,
        "price": {"asset": order.price.asset, "amount": order.price.amount},
    }
    facts.append(session, feed, topic, program_id=order.program_id, member_id=order.member_id, payload=payload)
