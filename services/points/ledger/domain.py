"""The ledger's nouns. Instants are microseconds since 1970 UTC, for they go into hashes and arrays by the thousand.

Of an account: balance = Σ lots + held − debt. Lots are what can be spent; held is reserved by open holds, which keep
their lots, and pending earnings are holds too; debt is what a clawback found missing, and the next credits pay it
first. While there is debt there are no lots. What a line does to an account is in `movements` and its neighbours.
"""

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from services.points.programs.domain import Limits

#: No balance goes beyond what every JSON reader keeps exact.
LARGEST = 2**53 - 1


class Kind(IntEnum):
    """What an entry is."""

    EARN = 1
    SPEND = 2
    HOLD = 3
    CAPTURE = 4
    VOID = 5
    EXPIRE = 6
    HOLD_EXPIRED = 7
    REVERSE = 8
    RELEASE = 9
    DEFER = 10
    FREEZE = 11
    UNFREEZE = 12
    TRANSFER_OUT = 13
    TRANSFER_IN = 14
    REDATE = 15


class Status(IntEnum):
    """How a posting ended. Refusals are stored too, so that a retry gets the first answer."""

    POSTED = 1
    INSUFFICIENT = 2
    HOLD_NOT_OPEN = 3
    HOLD_EXCEEDED = 4
    NOT_REVERSIBLE = 5
    REVERSAL_EXCEEDED = 6
    BALANCE_TOO_LARGE = 7
    KEY_REUSED = 8
    NOT_ATTEMPTED = 9
    ACCOUNT_FROZEN = 10
    TRANSFER_FORBIDDEN = 11
    TRANSFER_CAPPED = 12
    ALREADY_FROZEN = 13
    NOT_FROZEN = 14
    TRANSFER_TO_SELF = 15
    HOLD_IS_PENDING = 16
    NOT_PENDING = 17
    TRANSFER_DAY_CAPPED = 18
    LOTS_NOT_THERE = 19
    DAY_PASSED = 20
    NO_ROOM_FOR_LOT = 21
    BALANCE_CAPPED = 22
    EARNING_TOO_LARGE = 23
    EARNING_LIMITED = 24
    SPENDING_TOO_LARGE = 25
    SPENDING_LIMITED = 26


class Purpose(IntEnum):
    """What a hold waits for: to be spent, or to become available."""

    SPENDING = 0
    PENDING = 1


class HoldState(IntEnum):
    """Every hold ends in one of the last four."""

    OPEN = 0
    CAPTURED = 1
    VOIDED = 2
    EXPIRED = 3
    RELEASED = 4


@dataclass(slots=True)
class Account:
    """The working copy of one account; `due_us` is the earliest lot end or hold deadline, None when nothing is due.

    `idle_day` is the last day of the lots that live until the account falls idle (`programs.validity.IDLE`).
    """

    program_id: int
    member_id: int
    asset_id: int
    balance: int
    held: int
    debt: int
    seq: int
    last_at_us: int
    due_us: int | None
    head: bytes
    lots: list[int]
    frozen: bool = False
    idle_day: int | None = None

    @property
    def key(self) -> tuple[int, int, int]:
        """Program, member and asset."""
        return self.program_id, self.member_id, self.asset_id

    @property
    def available(self) -> int:
        """What can be spent."""
        return self.balance - self.held + self.debt


@dataclass(slots=True)
class Hold:
    """A reservation of lots: `moves` is the taking that made it (negative, soonest expiry first).

    A pending earning is a hold as well: `moves` names the lot it will become, counted by `validity` from the day on
    which it becomes available (`expires_at_us`), and `captured` is what reversals have taken of it.
    """

    id: bytes
    member_id: int
    asset_id: int
    amount: int
    captured: int
    expires_at_us: int
    state: HoldState
    moves: list[int]
    purpose: Purpose = Purpose.SPENDING
    validity: str | None = None
    grace_days: int = 0

    @property
    def left(self) -> int:
        """What it still holds while it is open."""
        return self.amount - self.captured


@dataclass(frozen=True, slots=True)
class Original:
    """An entry that may be reversed, and how much of it already was. `moves`: the lots it added or took.

    `hold_id` of an earning says that it was, and may still be, pending.
    """

    seq: int
    kind: Kind
    amount: int
    reversed: int
    moves: list[int]
    hold_id: bytes | None = None


@dataclass(frozen=True, slots=True)
class Pending:
    """An earning's wait: until when, and by which validity its lot's last day is counted from then."""

    available_us: int
    validity: str


@dataclass(frozen=True, slots=True)
class Gift:
    """A transfer's receiver and its bounds: at most so much at once, and so much a business day; None is no bound."""

    to_member_id: int
    allowed: bool
    most: int | None = None
    most_per_day: int | None = None


@dataclass(frozen=True, slots=True)
class Redating:
    """Lots that end on one of the days from `first_day` to `last_day` end on `to_day` instead."""

    first_day: int
    last_day: int
    to_day: int


@dataclass(frozen=True, slots=True)
class Bounds:
    """What the asset's settings leave room for: the most that a member may have, held and pending included; `limits`.

    What is earned beyond `most` or a period's limit is cut to what there is room for, or with `cuts` false refused.
    What comes back is neither.
    """

    most: int | None = None
    limits: Limits = field(default_factory=Limits)
    cuts: bool = True


# Lines and outcomes are made by the thousand: frozen ones would take four times as long to make, and on the hot path
# they are made by position, for to match twenty keywords takes five times as long.
@dataclass(slots=True)
class Line:
    """One thing to post. `posting_id` is the digest of its idempotency or natural key; `amount` ≥ 0.

    EARN uses `lot_day`, `pending` and `bounds`; SPEND `bounds`; HOLD `ttl_us` and `bounds`; CAPTURE, VOID, DEFER
    `hold_id`, DEFER also `pending`; REVERSE `reverses` (a seq) or `reverses_posting`, `up_to` and `pending_only`;
    TRANSFER_OUT `gift` and, of its receiver, `bounds`; REDATE `redating`. CAPTURE and REVERSE with amount 0 mean all
    that is left. A SPEND `into_debt` may take more than there is. `idle_day` is until when its account lives without
    another line like it. `meta` holds only text, integers and booleans.
    """

    posting_id: bytes
    fingerprint: bytes
    program_id: int
    member_id: int
    asset_id: int
    kind: Kind
    amount: int
    cause: str
    lot_day: int = 0
    ttl_us: int = 0
    hold_id: bytes | None = None
    reverses: int | None = None
    reverses_posting: bytes | None = None
    rule_version: int | None = None
    meta: dict[str, Any] | None = None
    debt_allowed: bool = False
    grace_days: int = 0
    idle_day: int | None = None
    pending: Pending | None = None
    up_to: bool = False
    gift: Gift | None = None
    into_debt: bool = False
    redating: Redating | None = None
    bounds: Bounds | None = None
    pending_only: bool = False

    @property
    def account(self) -> tuple[int, int, int]:
        """The account's key."""
        return self.program_id, self.member_id, self.asset_id

    @property
    def receiver(self) -> tuple[int, int, int] | None:
        """The key of the account that a transfer goes to."""
        return (self.program_id, self.gift.to_member_id, self.asset_id) if self.gift else None


@dataclass(slots=True)
class Outcome:
    """The answer to a line, as stored: a posted one has its seq and what the account was right after it.

    `wanted` is what was to be earned, where the asset's bounds left room for less. `facts` are those behind a refusal,
    and what cut an earning.
    """

    posting_id: bytes
    status: Status
    kind: Kind
    member_id: int
    asset_id: int
    amount: int
    seq: int
    balance: int
    held: int
    debt: int
    at_us: int
    hold_id: bytes | None = None
    wanted: int | None = None
    facts: dict[str, int | str] | None = None
    replayed: bool = False

    @property
    def capped(self) -> str | None:
        """Which setting cut the earning: `balance`, or such as `earning_limits.day`; None when it is whole."""
        if self.wanted is None:
            return None
        # Postings of before there were limits say nothing: it was the balance.
        return str((self.facts or {}).get("capped", "balance"))

    @property
    def available(self) -> int:
        """What could be spent right after."""
        return self.balance - self.held + self.debt


@dataclass(slots=True)
class Movement:
    """What a line does to its account, before it is written down as an entry."""

    kind: Kind
    amount: int
    held_delta: int = 0
    moves: list[int] = field(default_factory=list)
    hold_id: bytes | None = None
    reverses: int | None = None
    reversed: int | None = None
    meta: dict[str, Any] | None = None
