"""The rules of the ledger: what a line does to an account. Pure: the account is a working copy, time is given.

Of an account: balance = Σ lots + held − debt. Lots are what can be spent; held is reserved by open holds, which keep
their lots; debt is what a clawback found missing, and the next credits pay it first. While there is debt there are no
lots. Instants are microseconds since 1970 UTC, for they go into hashes and arrays by the thousand.
"""

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from common.errors import Refusal
from services.points.ledger import lots

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


class HoldState(IntEnum):
    """Every hold ends in one of the last three."""

    OPEN = 0
    CAPTURED = 1
    VOIDED = 2
    EXPIRED = 3


class InsufficientPoints(Refusal):
    """Less is available than the line takes; answered with the facts `available` and `short_by`."""

    code = "insufficient_points"


class HoldNotOpen(Refusal):
    """The hold was captured, voided or has expired, or never was."""

    code = "hold_not_open"


class HoldExceeded(Refusal):
    """More was to be captured than is held."""

    code = "hold_exceeded"


class NotReversible(Refusal):
    """There is no such posting, or it is none that can be reversed: only earn, spend and capture can."""

    code = "not_reversible"


class ReversalExceeded(Refusal):
    """Together with earlier reversals more would be reversed than was posted."""

    code = "reversal_exceeded"


class BalanceTooLarge(Refusal):
    """The balance would leave the range that every reader keeps exact."""

    code = "balance_too_large"


@dataclass(slots=True)
class Account:
    """The working copy of one account; `due_us` is the earliest lot end or hold deadline, None when nothing is due."""

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

    @property
    def available(self) -> int:
        """What can be spent."""
        return self.balance - self.held + self.debt


@dataclass(slots=True)
class Hold:
    """A reservation of lots: `moves` is the taking that made it (negative, soonest expiry first)."""

    id: bytes
    member_id: int
    asset_id: int
    amount: int
    captured: int
    expires_at_us: int
    state: HoldState
    moves: list[int]


@dataclass(frozen=True, slots=True)
class Original:
    """An entry that may be reversed, and how much of it already was. `moves`: the lots it added or took."""

    seq: int
    kind: Kind
    amount: int
    reversed: int
    moves: list[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One thing to post. `posting_id` is the digest of its idempotency or natural key; `amount` ≥ 0.

    EARN uses `lot_day`; HOLD `ttl_us`; CAPTURE and VOID `hold_id`; REVERSE `reverses` (a seq) or `reverses_posting`.
    CAPTURE and REVERSE with amount 0 mean all that is left. `meta` holds only text, integers and booleans.
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

    @property
    def account(self) -> tuple[int, int, int]:
        """The account's key."""
        return self.program_id, self.member_id, self.asset_id


@dataclass(frozen=True, slots=True)
class Outcome:
    """The answer to a line, as stored: a posted one has its seq and what the account was right after it."""

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
    replayed: bool = False

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


def earn(account: Account, line: Line) -> Movement:
    """Credit: debt is paid first, the rest becomes a lot of `line.lot_day`. Raises `BalanceTooLarge`."""
    _check_range(account.balance + line.amount)
    return Movement(Kind.EARN, line.amount, moves=_credit(account, [line.lot_day, line.amount]))


def spend(account: Account, line: Line) -> Movement:
    """Debit, soonest expiry first. Raises `InsufficientPoints`."""
    _check_available(account, line.amount)
    return Movement(Kind.SPEND, -line.amount, moves=lots.take(account.lots, line.amount))


def hold(account: Account, line: Line, *, now_us: int) -> tuple[Movement, Hold]:
    """Reserve lots until `now + ttl`: an expiring lot cannot break the capture. Raises `InsufficientPoints`."""
    _check_available(account, line.amount)
    moves = lots.take(account.lots, line.amount)
    made = Hold(
        line.posting_id,
        line.member_id,
        line.asset_id,
        line.amount,
        0,
        now_us + line.ttl_us,
        HoldState.OPEN,
        moves,
    )
    return Movement(Kind.HOLD, 0, held_delta=line.amount, moves=moves, hold_id=made.id), made


def capture(account: Account, line: Line, held: Hold | None) -> Movement:
    """Spend a hold, wholly or in part, once; the rest returns to its lots. Raises `HoldNotOpen`, `HoldExceeded`."""
    held = _open(held)
    amount = line.amount or held.amount
    if amount > held.amount:
        raise HoldExceeded()
    held.state, held.captured = HoldState.CAPTURED, amount
    back = _credit(account, lots.stretch(held.moves, amount, held.amount - amount))
    return Movement(Kind.CAPTURE, -amount, held_delta=-held.amount, moves=back, hold_id=held.id)


def void(account: Account, held: Hold | None) -> Movement:
    """Give a hold up: everything returns to its lots and their days. Raises `HoldNotOpen`."""
    held = _open(held)
    held.state = HoldState.VOIDED
    return Movement(
        Kind.VOID, 0, -held.amount, _credit(account, lots.stretch(held.moves, 0, held.amount)), hold_id=held.id
    )


def reverse(account: Account, line: Line, original: Original | None) -> Movement:
    """Undo what an entry really did, wholly or in part; Σ reversals ≤ the original (traps T14, T28).

    An earning is taken back from its own day's lot first, then soonest expiry first, then as debt where the asset
    allows it; where not, what is not there stays uncollected, and the entry says how much. A spending gives its own
    lots back with their own days, the latest-taken first. Raises `NotReversible`, `ReversalExceeded`,
    `BalanceTooLarge`.
    """
    if original is None or original.kind not in (Kind.EARN, Kind.SPEND, Kind.CAPTURE):
        raise NotReversible()
    left = abs(original.amount) - original.reversed
    amount = line.amount or left
    if not 0 < amount <= left:
        raise ReversalExceeded()
    if original.kind == Kind.EARN:
        return _claw_back(account, line, original, amount)
    _check_range(account.balance + amount)
    moves = _credit(account, lots.stretch(original.moves, left - amount, amount))
    return Movement(Kind.REVERSE, amount, moves=moves, reverses=original.seq, reversed=amount)


def expire_hold(account: Account, held: Hold) -> Movement:
    """A hold past its deadline: as `void`, but by time."""
    held.state = HoldState.EXPIRED
    back = _credit(account, lots.stretch(held.moves, 0, held.amount))
    return Movement(Kind.HOLD_EXPIRED, 0, -held.amount, back, hold_id=held.id)


def expire_lots(account: Account, *, last_dead_day: int) -> Movement | None:
    """Take out the lots whose last day has passed; None when there are none."""
    moves = lots.take_dead(account.lots, last_dead_day)
    return Movement(Kind.EXPIRE, sum(moves[1::2]), moves=moves) if moves else None


def apply(account: Account, movement: Movement) -> None:
    """Bring the account's figures to where the movement's lots already are."""
    account.balance += movement.amount
    account.held += movement.held_delta
    account.debt = lots.total(account.lots) + account.held - account.balance
    account.seq += 1


def _claw_back(account: Account, line: Line, original: Original, amount: int) -> Movement:
    if line.debt_allowed:
        _check_range(account.balance - amount)
    own_day = original.moves[-2:-1]  # what stands before it is the merging that made room
    moves = lots.take_from(account.lots, own_day, amount)
    taken = -sum(moves[1::2])
    effect = amount if line.debt_allowed else taken
    meta = {"uncollected": amount - effect} if effect < amount else None
    return Movement(Kind.REVERSE, -effect, moves=moves, reverses=original.seq, reversed=amount, meta=meta)


def _credit(account: Account, moves: list[int]) -> list[int]:
    """Let incoming lots pay the debt first; the rest goes into the buckets. Returns what was done to the buckets."""
    if account.debt:
        paid = min(account.debt, lots.total(moves))
        account.debt -= paid
        lots.take(moves, paid)
    return lots.add(account.lots, moves)


def _check_available(account: Account, amount: int) -> None:
    if amount > account.available:
        raise InsufficientPoints()


def _check_range(balance: int) -> None:
    if abs(balance) > LARGEST:
        raise BalanceTooLarge()


def _open(held: Hold | None) -> Hold:
    if held is None or held.state != HoldState.OPEN:
        raise HoldNotOpen()
    return held
