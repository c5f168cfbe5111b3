"""Bindings, and what becomes of them: the rules of requirements R1, R2 and the simple form of R19.

A binding qualifies at most once, by the first order paid after it that reaches the minimum. When that order is refunded
in full the binding is revoked for good; partial refunds do not touch it. A binding lives by the version of the
campaign under which it was made.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from common.clock import business_day
from common.errors import Refusal
from services.referrals.invitations.domain import Terms
from services.referrals.orders.domain import PaidOrder

VELOCITY_WINDOW = timedelta(hours=1)


class SelfInvite(Refusal):
    """The code is the member's own."""

    code = "self_invite"


class AlreadyBound(Refusal):
    """The member came by somebody's invitation already; by whose stays secret."""

    code = "already_bound"


class NotNew(Refusal):
    """The member has a paid order."""

    code = "not_new"


class NotHeld(Refusal):
    """The binding does not wait for a review."""

    code = "binding_not_held"


class MonthlyCapReached(Refusal):
    """The inviter's rewarded invitations of this month are used up."""

    code = "monthly_cap_reached"


class State(StrEnum):
    """What has become of a binding. Only `bound` and `held` go on from here; `qualified` may still be revoked."""

    BOUND = "bound"
    QUALIFIED = "qualified"
    HELD = "held"
    REJECTED = "rejected"
    REVOKED = "revoked"
    VOID = "void"
    REPLACED = "replaced"


class Reason(StrEnum):
    """Why a binding stands where it stands."""

    BELOW_MINIMUM = "below_minimum"
    VELOCITY = "velocity"
    MONTHLY_CAP = "monthly_cap"
    NOT_NEW = "not_new"
    REFUNDED = "refunded"
    REVIEWED = "reviewed"


@dataclass(frozen=True, slots=True)
class Binding:
    """One member's `number`-th binding. `order_id` and `cause` are of the order that qualified, or would have.

    `counted_month` is the first day of the business month whose cap it counts against.
    """

    program_id: int
    member_id: int
    number: int
    inviter_id: int
    campaign: str
    version: int
    code: str
    channel: str | None
    touch: str | None
    state: State
    bound_at: datetime
    protected_until: datetime
    reason: Reason | None = None
    order_id: str | None = None
    cause: str | None = None
    qualified_at: datetime | None = None
    counted_month: date | None = None
    reviewed_by: str | None = None
    review_note: str | None = None

    @property
    def id(self) -> str:
        """How the world names it: the invitee and which of their bindings."""
        return f"{self.member_id}-{self.number}"

    @property
    def inviter_grant_id(self) -> str:
        """The grant to the inviter."""
        return f"referrals:invitation:{self.id}:inviter"

    @property
    def invitee_grant_id(self) -> str:
        """The grant to the invitee."""
        return f"referrals:invitation:{self.id}:invitee"


@dataclass(frozen=True, slots=True)
class Usage:
    """How much of an inviter's limits is used: bindings in the hour up to and with this one, rewarded this month."""

    bound_this_hour: int
    qualified_this_month: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an order does to a binding: the state it takes and why."""

    state: State
    reason: Reason | None


@dataclass(frozen=True, slots=True)
class Tally:
    """An invitation of mine, and how many it brought, by what became of them."""

    campaign: str
    code: str
    bound: int
    qualified: int
    held: int
    revoked: int


@dataclass(frozen=True, slots=True)
class Relations:
    """Who brought a member, by their present binding; whom they brought, newest first, and how many in all."""

    invited_by: Binding | None
    invited: list[Binding]
    tallies: list[Tally]


def check_not_self(inviter_id: int, member_id: int) -> None:
    """Raises `SelfInvite`."""
    if inviter_id == member_id:
        raise SelfInvite()


def next_number(present: Binding | None, now: datetime) -> int:
    """The number of the member's next binding: the first touch stays while protected, and for good once it came to
    anything. Raises `AlreadyBound`."""
    if present is None:
        return 1
    if present.state is not State.BOUND or now < present.protected_until:
        raise AlreadyBound()
    return present.number + 1


def judge(binding: Binding, order: PaidOrder, terms: Terms, usage: Usage) -> Verdict:
    """What a paid order makes of a bound member's binding, at most one of these, in this order:

    void when it was paid before the binding (the member was not new), still bound below the minimum, revoked without
    any grant when it is known to be refunded already, held beyond the velocity limit or the monthly cap, qualified.
    """
    if order.paid_at < binding.bound_at:
        return Verdict(State.VOID, Reason.NOT_NEW)
    if order.paid_fen < terms.minimum_paid_fen:
        return Verdict(State.BOUND, Reason.BELOW_MINIMUM)
    if order.fully_refunded:
        return Verdict(State.REVOKED, Reason.REFUNDED)
    if usage.bound_this_hour > terms.hourly_limit:
        return Verdict(State.HELD, Reason.VELOCITY)
    if usage.qualified_this_month >= terms.monthly_cap:
        return Verdict(State.HELD, Reason.MONTHLY_CAP)
    return Verdict(State.QUALIFIED, None)


def check_held(binding: Binding) -> None:
    """Raises `NotHeld`."""
    if binding.state is not State.HELD:
        raise NotHeld(state=binding.state)


def check_cap(terms: Terms, qualified_this_month: int) -> None:
    """A review may overrule suspicion, never the cap. Raises `MonthlyCapReached`."""
    if qualified_this_month >= terms.monthly_cap:
        raise MonthlyCapReached(monthly_cap=terms.monthly_cap)


def business_month(instant: datetime, time_zone: str) -> date:
    """The first day of the month in which `instant` falls in the zone."""
    return business_day(instant, time_zone).replace(day=1)
