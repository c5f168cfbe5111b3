"""Events as values, and what an order's payment, confirmation and refunds make of its awards. Pure.

A refund reverses what the order really awarded, in proportion to what was paid (traps T14, T27, T28): when by now
`refunded` of `paid` is refunded, floor(award × refunded / paid) is reversed in all, and everything once all is
refunded. The running total makes the parts sum to the whole and the order of arrival irrelevant.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from common.errors import Refusal
from services.points.programs.pending import UNCONFIRMED, after, available_at
from services.points.rules.caps import Limits, returned

#: Events that our own services cause; nobody outside may send their types, nor under a source that begins like ours.
OUR_TYPES = ("anniversary.reached", "birthday.reached", "code.redeemed", "segment.entered", "tag.entered")
OUR_SOURCES = "jifen:"
#: The event that says that the customer keeps the goods.
CONFIRMED = "order.confirmed"
#: How the reason begins why an award is less than wanted: its asset's `most_per_member`, or its limits.
CAPPED_BY_ASSET = "capped: balance", "capped: earning_limits."
#: Why a refund takes nothing back: the award is available, and its asset's `returns` says `pending`.
KEPT = "kept: available"
_CAUSE = re.compile(r"^[!-~]{1,128} [!-~]{1,128}\Z")

#: The source and id of an event.
EventKey = tuple[str, str]
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


# Events are made by the thousand; frozen ones would take three times as long to make.
@dataclass(slots=True)
class Event:
    """One outside event of one member; `source` and `id` name it for ever. `text` is its data as canonical JSON."""

    source: str
    id: str
    type: str
    member_id: int
    time: datetime
    data: dict[str, Any]
    fingerprint: bytes
    text: str | None = None

    @property
    def key(self) -> EventKey:
        """Its natural key."""
        return self.source, self.id

    @property
    def cause(self) -> str:
        """How entries name it; neither half has a space."""
        return f"{self.source} {self.id}"


def our_event(source: str, id: str, type: str, *, member_id: int, time: datetime, data: dict[str, Any]) -> Event:
    """An event that our own service `source` causes; its `id` names what happened, so that it happens once."""
    fingerprint = sha256(f"OUR EVENT\n{source}\n{id}".encode()).digest()
    return Event(OUR_SOURCES + source, id, type, member_id, time, data, fingerprint)


@dataclass(slots=True)
class Award:
    """What one version of a rule gave for one event, and what became of it.

    `amount` of what was `wanted` is awarded after caps and budgets; `reversed` of it was taken back by refunds.
    `parts` is what is left of each posting that gave it. `limits` are those that bind one member: an award that has
    any is a claim on its member's windows. `spans` are the budgets it drew on, with their size; `most` is what they
    had for it, and `short` names the one that had too little.
    """

    event: str
    at: datetime
    rule: str
    version: int
    version_id: int
    asset: str
    wanted: int
    pending: str = "none"
    validity: str | None = None
    limits: Limits = ()
    spans: dict[str, int] = field(default_factory=dict)
    most: int | None = None
    short: str | None = None
    meta: dict[str, Any] | None = None
    order_id: str | None = None
    amount: int = 0
    reversed: int = 0
    parts: list[int] = field(default_factory=list)

    @property
    def is_claim(self) -> bool:
        """Whether it shares windows with the member's other awards of the rule."""
        return bool(self.limits)


@dataclass(frozen=True, slots=True)
class ClaimKey:
    """Where an award that is a claim is found: by its rule and event; `at` is the event's time."""

    rule: str
    event: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Refund:
    """One refund of an order, at the time that its event says."""

    id: str
    at: datetime
    fen: int


@dataclass(slots=True)
class Order:
    """What is known of one order, in whatever order it became known. `claims` are its awards that caps bind.

    `told` is when an event of a type first happened for which awards of it wait, None while there was none. An event
    whose awards wait for another one that names it is kept as an order as well, under the id of `own_order`.
    """

    member_id: int
    order_id: str
    paid_event: str | None = None
    paid_fen: int = 0
    refunded_fen: int = 0
    refunds: list[Refund] = field(default_factory=list)
    awards: list[Award] = field(default_factory=list)
    claims: list[ClaimKey] = field(default_factory=list)
    confirmed_event: str | None = None
    confirmed_at: datetime | None = None
    told: dict[str, datetime | None] = field(default_factory=dict)

    def told_at(self, event_type: str | None) -> datetime | None:
        """When an event of that type first named it; None when none did."""
        return self.confirmed_at if event_type == CONFIRMED else self.told.get(event_type or "")

    @property
    def is_to_keep(self) -> bool:
        """Whether it is an order, or an event that something waits for."""
        return bool(self.told) or self.order_id.isprintable()


def pay(order: Order, event: Event) -> str | None:
    """Note the payment. Returns why nothing is awarded for it, None when rules may decide (traps T35)."""
    if order.paid_event is not None:
        return "order_already_paid"
    order.paid_event, order.paid_fen = event.cause, event.data["paid_fen"]
    return None


def refund(order: Order, event: Event) -> str | None:
    """Note a refund. Returns why it changes nothing, None when awards may have to be reversed."""
    if any(known.id == event.data["refund_id"] for known in order.refunds):
        return "refund_already_known"
    order.refunds.append(Refund(event.data["refund_id"], event.time, event.data["refunded_fen"]))
    order.refunded_fen += event.data["refunded_fen"]
    return None


def confirm(order: Order, event: Event) -> str | None:
    """Note that the customer keeps the goods. Returns why nothing is awarded for it, None when rules may decide."""
    if order.confirmed_event is not None:
        return "order_already_confirmed"
    order.confirmed_event, order.confirmed_at = event.cause, event.time
    return None


#: What each kind of event says of its order.
ORDER_EVENTS = {"order.paid": pay, "order.refunded": refund, CONFIRMED: confirm}


def tell(order: Order, event: Event) -> bool:
    """Note that the event named the order. Returns whether it is the earliest of its type."""
    known = order.told_at(event.type)
    if known is not None and known <= event.time:
        return False
    order.told[event.type] = event.time
    return True


def own_order(cause: str) -> str:
    """The id under which an event is kept whose awards wait; no order has it, for theirs are printable."""
    return f"event\t{cause}"


def orders_named(event: Event) -> list[str]:
    """The ids of what an event names that somebody may wait for: an order, or an event as `source id`."""
    order_id, cause = event.data.get("order_id"), event.data.get("event")
    named = [order_id] if isinstance(order_id, str) and order_id.isprintable() else []
    if isinstance(cause, str) and _CAUSE.match(cause):
        named.append(own_order(cause))
    return named


def to_reverse(award: Award, *, refunded_fen: int, paid_fen: int) -> int:
    """How much more of the award is to be reversed, when so much of its order is refunded by now."""
    return returned(award.amount, refunded_fen, paid_fen) - award.reversed


def awaits(award: Award, told_at: datetime | None, *, time_zone: str) -> datetime | None:
    """Until when the award is pending; None when it is available at once. `told_at`: when what it waits for happened.

    What waits for the confirmation of an order waits for that of its own; without an order it counts from the event.
    """
    until = available_at(award.pending, award.at, time_zone)
    if until == UNCONFIRMED:
        since = told_at if award.order_id is not None else award.at
        until = released_at(award, since, time_zone=time_zone) if since else UNCONFIRMED
    return until


def released_at(award: Award, told_at: datetime, *, time_zone: str) -> datetime | None:
    """When the award becomes available, now that what it waits for happened; never before it was earned."""
    until = after(award.pending, told_at, time_zone)
    return None if until is None else max(until, award.at)


def take_parts(award: Award, amount: int) -> list[tuple[int, int]]:
    """Take the amount from the award's postings, the last first: `(number, amount)` of each. Changes `parts`."""
    taken = []
    for number in range(len(award.parts) - 1, -1, -1):
        part = min(amount, award.parts[number])
        if part:
            award.parts[number] -= part
            taken.append((number, part))
            amount -= part
    return taken


def check_times(events: Iterable[Event], *, now: datetime) -> None:
    """Raise `EventFromTheFuture` for one whose clock is too far ahead."""
    latest = now + CLOCK_SKEW
    for event in events:
        if event.time > latest:
            raise EventFromTheFuture(event=event.cause)
