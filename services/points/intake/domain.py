"""Events as values, and what an order's payments and refunds make of its awards. Pure.

A refund reverses what the order really awarded, in proportion to what was paid (traps T14, T27, T28): when by now
`refunded` of `paid` is refunded, floor(award × refunded / paid) is reversed in all, and everything once all is
refunded. The running total makes the parts sum to the whole and the order of arrival irrelevant.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from common.errors import Refusal

#: Clocks differ; an event may be this far ahead of ours.
CLOCK_SKEW = timedelta(days=1)


class EventReused(Refusal):
    """The same source and id came before with another content: `event`."""

    code = "event_id_reused"


class EventFromTheFuture(Refusal):
    """The event's time is more than a day ahead: `event`."""

    code = "event_from_the_future"


class SubjectRefused(Refusal):
    """Levels cannot say who the event's subject is: `subject`, `reason`."""

    code = "subject_refused"


@dataclass(frozen=True, slots=True)
class Event:
    """One outside event of one member; `source` and `id` name it for ever."""

    source: str
    id: str
    type: str
    member_id: int
    time: datetime
    data: dict[str, Any]
    fingerprint: bytes

    @property
    def key(self) -> tuple[str, str]:
        """Its natural key."""
        return self.source, self.id

    @property
    def cause(self) -> str:
        """How entries name it."""
        return f"{self.source} {self.id}"


@dataclass(slots=True)
class Award:
    """What a rule gave for an event, and how much of it refunds took back."""

    rule: str
    version: int
    version_id: int
    asset: str
    amount: int
    posting_id: str
    reversed: int = 0


@dataclass(slots=True)
class Order:
    """What is known of one order, in whatever order it became known."""

    member_id: int
    order_id: str
    paid_event: str | None = None
    paid_fen: int = 0
    refunded_fen: int = 0
    refunds: list[str] = field(default_factory=list)
    awards: list[Award] = field(default_factory=list)


def pay(order: Order, event: Event) -> str | None:
    """Note the payment. Returns why nothing is awarded for it, None when rules may decide (traps T35)."""
    if order.paid_event is not None:
        return "order_already_paid"
    order.paid_event, order.paid_fen = event.cause, event.data["paid_fen"]
    return None


def refund(order: Order, event: Event) -> str | None:
    """Note a refund. Returns why it changes nothing, None when awards may have to be reversed."""
    if event.data["refund_id"] in order.refunds:
        return "refund_already_known"
    order.refunds.append(event.data["refund_id"])
    order.refunded_fen += event.data["refunded_fen"]
    return None


def to_reverse(order: Order, award: Award) -> int:
    """How much more of the award is to be reversed, given what is refunded by now."""
    if order.paid_event is None or not order.refunded_fen:
        return 0
    whole = order.refunded_fen >= order.paid_fen
    target = award.amount if whole else award.amount * order.refunded_fen // order.paid_fen
    return target - award.reversed


def check_time(event: Event, *, now: datetime) -> None:
    """Raise `EventFromTheFuture` when its clock is too far ahead."""
    if event.time > now + CLOCK_SKEW:
        raise EventFromTheFuture(event=event.cause)
