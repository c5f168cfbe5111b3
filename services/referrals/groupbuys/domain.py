"""Group-buys and their seats, as values, and what may happen to them (requirements R6).

A seat is reserved before it is paid for, deadlines are stored when they are set and never derived again, a group is
filled by exactly its size of payments, and nothing is ever filled virtually.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from common.errors import Refusal
from services.referrals.orders.domain import PaidOrder
from services.referrals.refunds.domain import Reason
from services.referrals.rewards.domain import Reward


class UnknownCampaign(Refusal):
    """The program has no such group-buy campaign."""

    code = "groupbuy_campaign_not_found"


class CampaignNotOpen(Refusal):
    """The campaign has not begun, or is over."""

    code = "groupbuy_campaign_not_open"


class EndsBeforeItStarts(Refusal):
    """The campaign's end does not lie after its start."""

    code = "ends_before_it_starts"


class GroupFull(Refusal):
    """Every seat is held or paid."""

    code = "group_full"


class GroupOver(Refusal):
    """The group's time is over."""

    code = "group_over"


class GroupLimitReached(Refusal):
    """The member takes part in as many groups of this campaign as are allowed."""

    code = "group_limit_reached"


class NewMembersOnly(Refusal):
    """Only members without a paid order may join groups of this campaign."""

    code = "group_for_new_members_only"


class GroupState(StrEnum):
    """Open until filled or expired, for good."""

    OPEN = "open"
    FILLED = "filled"
    EXPIRED = "expired"


class SeatState(StrEnum):
    """`lapsed`: the hold ran out; anybody may take the seat, its last holder may still pay for it."""

    FREE = "free"
    HELD = "held"
    LAPSED = "lapsed"
    PAID = "paid"


@dataclass(frozen=True, slots=True)
class Terms:
    """What a group-buy is. `seat_hold_seconds` is the time to pay, `window_seconds` the time to fill.

    `per_member_limit`: groups that a member may take part in at a time or successfully; `new_members_only` binds those
    who join, not who opens. `reward_on_fill` goes to each seat, `reward_for_head` to the opener who has a seat.
    """

    item: str
    price_fen: int
    size: int
    window_seconds: int
    seat_hold_seconds: int
    per_member_limit: int
    new_members_only: bool
    reward_on_fill: Reward
    reward_for_head: Reward
    starts_at: datetime | None
    ends_at: datetime | None


@dataclass(frozen=True, slots=True)
class Campaign:
    """One version of a campaign's terms; groups opened under it keep it."""

    program_id: int
    code: str
    version: int
    terms: Terms

    @property
    def rule(self) -> str:
        """How grants name what decided them."""
        return f"groupbuy:{self.code}:v{self.version}"


@dataclass(frozen=True, slots=True)
class Group:
    """One group: filled by payments before `due_at`, else expired."""

    program_id: int
    id: UUID
    campaign: str
    version: int
    head_id: int
    state: GroupState
    opened_at: datetime
    due_at: datetime
    closed_at: datetime | None = None

    @property
    def head_grant_id(self) -> str:
        """The grant to the opener."""
        return f"referrals:groupbuy:{self.id}:head"

    def seat_grant_id(self, number: int) -> str:
        """The grant to the holder of a seat."""
        return f"referrals:groupbuy:{self.id}:seat-{number}"


@dataclass(frozen=True, slots=True)
class Payment:
    """Who paid for a seat, by which order; `cause` is the event that said so."""

    member_id: int
    order_id: str
    cause: str
    paid_at: datetime


@dataclass(frozen=True, slots=True)
class Seat:
    """One seat of a group. A paid seat that is refunded after the group was filled stays paid, with `refunded_at`."""

    number: int
    id: UUID
    state: SeatState = SeatState.FREE
    holder_id: int | None = None
    held_until: datetime | None = None
    payment: Payment | None = None
    refunded_at: datetime | None = None

    @property
    def order_id(self) -> str | None:
        """The order that paid for it."""
        return self.payment.order_id if self.payment else None

    def lapsed(self, now: datetime) -> bool:
        """Whether its hold has run out, noted or not."""
        if self.state is SeatState.HELD:
            return self.held_until is not None and self.held_until <= now
        return self.state is SeatState.LAPSED

    def takeable(self, now: datetime) -> bool:
        """Whether anybody may take it."""
        return self.state is SeatState.FREE or self.lapsed(now)


@dataclass(frozen=True, slots=True)
class SeatView:
    """A seat as somebody sees it: persons only for those in the group, the id only for its holder."""

    number: int
    state: SeatState
    member_id: int | None
    refunded: bool


@dataclass(frozen=True, slots=True)
class GroupView:
    """A group as somebody sees it."""

    group: Group
    campaign: Campaign
    seats: Sequence[SeatView]
    free_seats: int
    head_id: int | None
    my_seat: Seat | None


def check_terms(terms: Terms) -> None:
    """Raises `EndsBeforeItStarts`."""
    if terms.starts_at and terms.ends_at and terms.ends_at <= terms.starts_at:
        raise EndsBeforeItStarts()


def check_open(campaign: Campaign, now: datetime) -> None:
    """Groups may be opened from the start until just before the end; raises `CampaignNotOpen`."""
    starts_at, ends_at = campaign.terms.starts_at, campaign.terms.ends_at
    if (starts_at and now < starts_at) or (ends_at and now >= ends_at):
        raise CampaignNotOpen(campaign=campaign.code)


def open_group(campaign: Campaign, group_id: UUID, head_id: int, now: datetime) -> Group:
    """A new group with its deadline."""
    due_at = now + timedelta(seconds=campaign.terms.window_seconds)
    return Group(campaign.program_id, group_id, campaign.code, campaign.version, head_id, GroupState.OPEN, now, due_at)


def hold_deadline(group: Group, terms: Terms, now: datetime) -> datetime:
    """Until when a seat taken now is held: never beyond the group's own end."""
    return min(now + timedelta(seconds=terms.seat_hold_seconds), group.due_at)


def seat_of(seats: Sequence[Seat], member_id: int, now: datetime) -> Seat | None:
    """The seat that the member has: paid, or held still."""
    return next((seat for seat in seats if seat.holder_id == member_id and not seat.lapsed(now)), None)


def choose_seat(group: Group, seats: Sequence[Seat], member_id: int, now: datetime) -> Seat:
    """The seat to take: the member's own lapsed one before the first that is free. Raises `GroupOver`, `GroupFull`."""
    if group.state is GroupState.EXPIRED or (group.state is GroupState.OPEN and now >= group.due_at):
        raise GroupOver()
    takeable = [seat for seat in seats if seat.takeable(now)]
    if not takeable:
        raise GroupFull()
    return min(takeable, key=lambda seat: (seat.holder_id != member_id, seat.number))


def check_limit(terms: Terms, others: int) -> None:
    """`others` are the member's seats in other groups of the campaign. Raises `GroupLimitReached`."""
    if others >= terms.per_member_limit:
        raise GroupLimitReached(per_member_limit=terms.per_member_limit)


def refuse_payment(group: Group, seat: Seat, terms: Terms, order: PaidOrder, others: int) -> Reason | None:
    """Why a payment cannot confirm its seat and goes back; None when it does.

    It confirms a seat still held by the payer, or whose hold lapsed while nobody else took it: then the limit counts
    anew. What counts as in time is the payment's own time.
    """
    if seat.holder_id != order.member_id:
        return Reason.SEAT_LOST
    if seat.state is SeatState.PAID:
        return Reason.ALREADY_PAID
    if group.state is not GroupState.OPEN or order.paid_at >= group.due_at:
        return Reason.GROUP_OVER
    if order.paid_fen < terms.price_fen:
        return Reason.UNDERPAID
    if seat.lapsed(order.paid_at) and others >= terms.per_member_limit:
        return Reason.LIMIT_REACHED
    return None


def view(campaign: Campaign, group: Group, seats: Sequence[Seat], viewer_id: int | None, now: datetime) -> GroupView:
    """The group as the member `viewer_id` sees it, or staff (None)."""
    my_seat = None if viewer_id is None else seat_of(seats, viewer_id, now)
    inside = viewer_id is None or my_seat is not None
    return GroupView(
        group,
        campaign,
        [_seat_view(seat, inside, now) for seat in seats],
        sum(seat.takeable(now) for seat in seats),
        group.head_id if inside else None,
        my_seat,
    )


def _seat_view(seat: Seat, inside: bool, now: datetime) -> SeatView:
    if seat.takeable(now):
        return SeatView(seat.number, SeatState.FREE, None, refunded=False)
    return SeatView(seat.number, seat.state, seat.holder_id if inside else None, refunded=seat.refunded_at is not None)
