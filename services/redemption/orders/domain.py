"""Orders as values, and the saga as a table: which step a state calls for next, and what may still be done to it.

States only move along the arrows of docs/redemption.md; a step's result never takes an order back.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from common.errors import Refusal
from services.redemption.catalog.domain import NoLongerAvailable, NotYetAvailable, Price, SoldOut

#: How long a member's wish to redeem is good for, counted from the last time they said it. Shorter than the hold.
WISH = timedelta(minutes=10)
HOLD_TTL_SECONDS = 900
#: An order whose request still works on it is left alone for so long; so is one that a recovery has taken on.
BEING_DRIVEN = timedelta(seconds=90)
_LONGEST_DELAY = timedelta(minutes=5)


class LimitReached(Refusal):
    """The member would have more of the item than one member may."""

    code = "per_member_limit_reached"


class InsufficientPoints(Refusal):
    """The member has less of the asset than the order costs; `available` and `short_by` as points says."""

    code = "insufficient_points"


class AccountFrozen(Refusal):
    """Nothing may be spent from the member's account now."""

    code = "account_frozen"


class PaymentRefused(Refusal):
    """Points refused to hold the price, with the code in `reason`."""

    code = "payment_refused"


class HoldLost(Refusal):
    """The reserved points went back to the member before the order could take them."""

    code = "hold_lost"


class WishLapsed(Refusal):
    """The order stayed in doubt for too long and was given up."""

    code = "redemption_lapsed"


class OrderInDoubt(Refusal):
    """Points has not decided yet; the order `order_id` goes on by itself, or with the same request sent again."""

    code = "redemption_in_doubt"


class OrderUnsettled(Refusal):
    """The order is on its way to another state; what is asked for can be asked again in a moment."""

    code = "redemption_unsettled"


class NotCancellable(Refusal):
    """The order has ended in a state that cannot be cancelled."""

    code = "not_cancellable"


class NotFulfillable(Refusal):
    """The order is not one that waits for fulfilment."""

    code = "not_fulfillable"


class ReasonMissing(Refusal):
    """Staff must say why they cancel a member's order."""

    code = "reason_missing"


class State(StrEnum):
    """Where an order stands. In doubt are those of `IN_DOUBT`: points and stock may not agree yet."""

    RESERVING = "reserving"
    HELD = "held"
    GIVING_UP = "giving_up"
    REFUSED = "refused"
    COMPLETED = "completed"
    CANCELLING = "cancelling"
    CANCELLED = "cancelled"
    FULFILLED = "fulfilled"


class Step(StrEnum):
    """What takes an order on. All but `GIVE_UP` are a call to points."""

    HOLD = "hold"
    CAPTURE = "capture"
    GIVE_UP = "give_up"
    VOID = "void"
    REVERSE = "reverse"


IN_DOUBT = frozenset({State.RESERVING, State.HELD, State.GIVING_UP, State.CANCELLING})
UNPAID = frozenset({State.RESERVING, State.HELD, State.GIVING_UP})


@dataclass(frozen=True, slots=True)
class Asked:
    """What a member asks for and when, under which idempotency key, and the fingerprint of the request."""

    program_id: int
    member_id: int
    item: str
    quantity: int
    key: str
    fingerprint: bytes
    at: datetime

    @property
    def once(self) -> tuple[int, int, str]:
        """What is answered once: the member's key."""
        return self.program_id, self.member_id, self.key


@dataclass(frozen=True, slots=True)
class Refused:
    """What was refused before anything was reserved, at which version and price of the item, and why."""

    asked: Asked
    item_version: int
    price: Price
    refusal: Refusal


@dataclass(frozen=True, slots=True)
class Order:
    """A redemption. `price` is what it costs in all, at the item's version of then.

    `key` and `fingerprint` are the member's idempotency key and what it was first used for. An order in doubt (and only
    one) has `in_doubt_since`, and `due_at` when it is taken on again: until `wanted_until` forward, then back.
    `replayed`: as an answer it was given before.
    """

    program_id: int
    member_id: int
    order_id: UUID
    key: str
    fingerprint: bytes
    item: str
    item_version: int
    quantity: int
    price: Price
    state: State
    in_doubt_since: datetime | None
    wanted_until: datetime
    due_at: datetime | None
    created_at: datetime
    attempts: int = 0
    last_error: str | None = None
    refusal_code: str | None = None
    refusal_facts: dict[str, Any] | None = None
    hold_id: UUID | None = None
    posting_id: UUID | None = None
    reversal_id: UUID | None = None
    completed_at: datetime | None = None
    cancelled_at: datetime | None = None
    cancelled_by: str | None = None
    cancel_reason: str | None = None
    fulfilled_at: datetime | None = None
    fulfilled_by: str | None = None
    tracking_no: str | None = None
    note: str | None = None
    replayed: bool = False


def next_step(order: Order, now: datetime) -> Step | None:
    """What takes the order on at that instant; None when it has ended.

    To give an order up its hold must be known: the hold is asked for once more under its key, then voided.
    """
    if order.state in (State.RESERVING, State.HELD) and now >= order.wanted_until:
        return Step.GIVE_UP
    if order.state == State.RESERVING:
        return Step.HOLD
    if order.state == State.HELD:
        return Step.CAPTURE
    if order.state == State.GIVING_UP:
        return Step.HOLD if order.hold_id is None else Step.VOID
    return Step.REVERSE if order.state == State.CANCELLING else None


def retry_delay(attempts: int) -> timedelta:
    """How long an order waits after that many attempts without an answer: not at all, 1 s, 2 s, 4 s, … 5 minutes."""
    if attempts <= 1:
        return timedelta(0)
    return min(timedelta(seconds=2 ** min(attempts - 2, 16)), _LONGEST_DELAY)


def check_limit(order: Order, limit: int | None) -> None:
    """Raise `LimitReached` when the order alone is over the limit."""
    if limit is not None and order.quantity > limit:
        raise LimitReached(item=order.item, limit=limit)


def check_reason(reason: str | None, *, by_staff: bool) -> None:
    """Raise `ReasonMissing` when staff give none."""
    if by_staff and reason is None:
        raise ReasonMissing()


def why_not(order: Order, refusal: type[Refusal]) -> Refusal:
    """Why a change that wants a completed order is refused: `OrderUnsettled` for now, or `refusal` for good."""
    if order.state in IN_DOUBT:
        return OrderUnsettled(state=order.state.value)
    return refusal(state=order.state.value)


def refusal_of(order: Order, *, replayed: bool) -> Refusal:
    """The refusal that ended the order, as it was first answered."""
    facts = order.refusal_facts or {}
    for kind in _REFUSALS:
        if kind.code == order.refusal_code:
            refusal = kind(**facts)
            refusal.replayed = replayed
            return refusal
    raise LookupError(f"order {order.order_id} was refused with the unknown code {order.refusal_code}")


def as_first_answered(order: Order, *, replayed: bool) -> Order:
    """The order as the request that made it was answered: what was done to it later is another request's answer."""
    return replace(
        order,
        state=State.COMPLETED,
        reversal_id=None,
        cancelled_at=None,
        cancelled_by=None,
        cancel_reason=None,
        fulfilled_at=None,
        fulfilled_by=None,
        tracking_no=None,
        note=None,
        replayed=replayed,
    )


_REFUSALS: tuple[type[Refusal], ...] = (
    SoldOut,
    NotYetAvailable,
    NoLongerAvailable,
    LimitReached,
    InsufficientPoints,
    AccountFrozen,
    PaymentRefused,
    HoldLost,
    WishLapsed,
)
