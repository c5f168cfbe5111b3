"""Commands: what somebody wants posted, in their own words, and the line that it is by the asset's rules."""

from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from common.clock import business_day, epoch_us
from services.points.ledger.domain import Bounds, Gift, Kind, Line, Pending, Redating
from services.points.programs.domain import Asset, Limits
from services.points.programs.pending import available_at
from services.points.programs.use_cases import ProgramBook
from services.points.programs.validity import IdleIsTheAssets, idle_until, is_idle, last_day

#: A command's `pending`: as the asset's own rule says.
AS_THE_ASSET = "asset"
#: What keeps an account alive whose asset expires by idleness.
_ACTIVITIES = (Kind.EARN, Kind.SPEND, Kind.CAPTURE, Kind.TRANSFER_OUT)


# Made by the thousand, as lines are: a frozen one would take four times as long to make, one by keywords five times.
@dataclass(slots=True)
class Command:
    """One thing that somebody wants posted, in their own terms: asset by code, key in their own scope.

    `scope` is who names the key (a caller, an event source, a grant's service). `earned_at` starts the lot's validity;
    `validity` overrides the asset's. CAPTURE and REVERSE with amount 0 mean all that is left.

    An EARN is pending until `available_at`, or as long as `pending` says (the grammar of `programs.pending`, or
    `AS_THE_ASSET`); with neither it is available at once. DEFER moves a pending earning to `available_at`, or to now;
    it names it by `hold_id`, the posting id of the earning. A REVERSE `up_to` its amount takes what is left, and is
    refused only when nothing is; one of `pending_only` is refused once the earning is available. A SPEND with
    `allow_debt` may take more than there is of an asset that can be owed. An EARN is cut to what the asset's
    `most_per_member` and `earning_limits` leave room for, or refused if it is to be given `whole`. `to_member_id` is
    who gets a TRANSFER_OUT, `redating` which lots REDATE moves, and to when. `meta` (text, integers, booleans) is kept
    on the entry.
    """

    scope: str
    key: str
    kind: Kind
    member_id: int
    asset: str
    amount: int
    cause: str
    reason: str = ""
    validity: str | None = None
    earned_at: datetime | None = None
    available_at: datetime | None = None
    pending: str | None = None
    ttl_seconds: int = 0
    hold_id: bytes | None = None
    reverses: int | None = None
    reverses_posting: bytes | None = None
    rule_version: int | None = None
    up_to: bool = False
    to_member_id: int | None = None
    meta: dict[str, Any] | None = None
    allow_debt: bool = False
    whole: bool = False
    pending_only: bool = False
    redating: Redating | None = None


def posting_id(program_id: int, scope: str, key: str) -> bytes:
    """The 16 bytes by which the ledger knows an idempotency or natural key: the head of its SHA-256."""
    return sha256(f"{program_id}\n{scope}\n{key}".encode()).digest()[:16]


def line_of(book: ProgramBook, command: Command, *, now: datetime) -> Line:
    """The command as a line of the ledger. Raises `UnknownAsset`, `BadValidity`, `IdleIsTheAssets`, `BadPending`."""
    program, asset, kind = book.program, book.asset(command.asset), command.kind
    lot_day, pending, gift = 0, None, None
    if kind == Kind.EARN:
        lot_day, pending = _lot_of(command, asset, program.time_zone, now)
    elif kind == Kind.DEFER:
        pending = Pending(epoch_us(command.available_at or now), asset.validity)
    elif kind == Kind.TRANSFER_OUT:
        gift = _gift(command, asset)
    elif kind == Kind.REVERSE and asset.debt_allowed:
        lot_day = last_day(asset.validity, now, program.time_zone)
    return Line(
        posting_id(program.program_id, command.scope, command.key),
        _fingerprint(command),
        program.program_id,
        command.member_id,
        asset.id,
        kind,
        command.amount,
        command.cause,
        lot_day,
        command.ttl_seconds * 1_000_000,
        command.hold_id,
        command.reverses,
        command.reverses_posting,
        command.rule_version,
        _meta(command) if command.reason or command.meta else None,
        asset.debt_allowed,
        asset.grace_days,
        _idle_day(command, asset, program.time_zone, now) if is_idle(asset.validity) else None,
        pending,
        command.up_to,
        gift,
        command.allow_debt and asset.debt_allowed,
        command.redating,
        _bounds(command, asset) if asset.bounds_earnings or asset.spending_limits is not None else None,
        command.pending_only,
    )


def _bounds(command: Command, asset: Asset) -> Bounds | None:
    kind, most, spending = command.kind, asset.most_per_member, asset.spending_limits
    if kind == Kind.EARN and asset.bounds_earnings:
        return Bounds(most, asset.earning_limits or Limits(), cuts=not command.whole)
    if kind == Kind.TRANSFER_OUT and most is not None:
        return Bounds(most, cuts=False)
    if kind in (Kind.SPEND, Kind.HOLD) and spending is not None:
        return Bounds(limits=spending)
    return None


def _lot_of(command: Command, asset: Asset, zone: str, now: datetime) -> tuple[int, Pending | None]:
    """The last day of what is earned, counted from when it becomes available, and what it waits for until then."""
    validity = command.validity or asset.validity
    if command.validity and is_idle(command.validity):
        raise IdleIsTheAssets(validity=validity)
    earned_at = command.earned_at or now
    available = command.available_at or _wait(command, asset, earned_at, zone)
    if available is None:
        return last_day(validity, earned_at, zone), None
    return last_day(validity, max(available, earned_at), zone), Pending(epoch_us(available), validity)


def _wait(command: Command, asset: Asset, earned_at: datetime, zone: str) -> datetime | None:
    if command.pending is None:
        return None
    return available_at(asset.pending if command.pending == AS_THE_ASSET else command.pending, earned_at, zone)


def _meta(command: Command) -> dict[str, Any]:
    return {**({"reason": command.reason} if command.reason else {}), **(command.meta or {})}


def _idle_day(command: Command, asset: Asset, zone: str, now: datetime) -> int | None:
    if command.kind not in _ACTIVITIES:
        return None
    return idle_until(asset.validity, business_day(command.earned_at or now, zone))


def _gift(command: Command, asset: Asset) -> Gift:
    assert command.to_member_id is not None, "a transfer says to whom"
    return Gift(command.to_member_id, asset.transferable, asset.transfer_most, asset.transfer_most_per_day)


def _fingerprint(command: Command) -> bytes:
    hold = command.hold_id.hex() if command.hold_id else ""
    reverses = command.reverses_posting.hex() if command.reverses_posting else command.reverses
    earned = command.earned_at.astimezone(UTC).isoformat() if command.earned_at else ""
    said = (
        f"{int(command.kind)}\n{command.member_id}\n{command.asset}\n{command.amount}\n{command.validity}\n{earned}\n"
        f"{command.ttl_seconds}\n{hold}\n{reverses}\n{command.reason}"
    )
    # What came later is named, and only when it is said: a retry of before an upgrade is still the same request.
    if command.available_at:
        said += f"\navailable_at {command.available_at.astimezone(UTC).isoformat()}"
    if command.pending not in (None, AS_THE_ASSET):
        said += f"\npending {command.pending}"
    if command.up_to:
        said += "\nup to"
    if command.to_member_id is not None:
        said += f"\nto {command.to_member_id}"
    if command.allow_debt:
        said += "\ninto debt"
    if command.redating:
        days = command.redating
        said += f"\nredating {days.first_day} {days.last_day} {days.to_day}"
    return sha256(said.encode()).digest()
