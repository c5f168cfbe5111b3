"""Commands: what somebody wants posted, in their own words, and the line that it is by the asset's rules."""

from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from common.clock import business_day, epoch_us
from services.points.ledger.domain import Gift, Kind, Line, Pending
from services.points.programs.domain import Asset
from services.points.programs.pending import available_at
from services.points.programs.use_cases import ProgramBook
from services.points.programs.validity import IdleIsTheAssets, idle_until, is_idle, last_day

#: A command's `pending`: as the asset's own rule says.
AS_THE_ASSET = "asset"
#: What keeps an account alive whose asset expires by idleness.
_ACTIVITIES = (Kind.EARN, Kind.SPEND, Kind.CAPTURE, Kind.TRANSFER_OUT)


# Made by the thousand, as lines are; a frozen one would take four times as long to make.
@dataclass(slots=True, kw_only=True)
class Command:
    """One thing that somebody wants posted, in their own terms: asset by code, key in their own scope.

    `scope` is who names the key (a caller, an event source, a grant's service). `earned_at` starts the lot's validity;
    `validity` overrides the asset's. CAPTURE and REVERSE with amount 0 mean all that is left.

    An EARN is pending until `available_at`, or as long as `pending` says (the grammar of `programs.pending`, or
    `AS_THE_ASSET`); with neither it is available at once. DEFER moves a pending earning to `available_at`, or to now;
    it names it by `hold_id`, the posting id of the earning. A REVERSE `up_to` its amount takes what is left, and is
    refused only when nothing is. A SPEND with `allow_debt` may take more than there is of an asset that can be owed.
    `to_member_id` is who gets a TRANSFER_OUT. `meta` (text, integers, booleans) is kept on the entry.
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
    ttl_seconds: int = 0
    hold_id: bytes | None = None
    reverses: int | None = None
    reverses_posting: bytes | None = None
    rule_version: int | None = None
    available_at: datetime | None = None
    pending: str | None = None
    up_to: bool = False
    to_member_id: int | None = None
    meta: dict[str, Any] | None = None
    allow_debt: bool = False


def posting_id(program_id: int, scope: str, key: str) -> bytes:
    """The 16 bytes by which the ledger knows an idempotency or natural key: the head of its SHA-256."""
    return sha256(f"{program_id}\n{scope}\n{key}".encode()).digest()[:16]


def line_of(book: ProgramBook, command: Command, *, now: datetime) -> Line:
    """The command as a line of the ledger. Raises `UnknownAsset`, `BadValidity`, `IdleIsTheAssets`, `BadPending`."""
    asset, kind = book.asset(command.asset), command.kind
    lot_day, pending = 0, None
    if kind == Kind.EARN:
        lot_day, pending = _lot_of(command, asset, book.program.time_zone, now)
    elif kind == Kind.DEFER:
        pending = Pending(epoch_us(command.available_at or now), asset.validity)
    elif kind == Kind.REVERSE and asset.debt_allowed:
        lot_day = last_day(asset.validity, business_day(now, book.program.time_zone))
    return Line(
        posting_id=posting_id(book.program.program_id, command.scope, command.key),
        fingerprint=_fingerprint(command),
        program_id=book.program.program_id,
        member_id=command.member_id,
        asset_id=asset.id,
        kind=kind,
        amount=command.amount,
        cause=command.cause,
        lot_day=lot_day,
        ttl_us=command.ttl_seconds * 1_000_000,
        hold_id=command.hold_id,
        reverses=command.reverses,
        reverses_posting=command.reverses_posting,
        rule_version=command.rule_version,
        meta={**({"reason": command.reason} if command.reason else {}), **(command.meta or {})} or None,
        debt_allowed=asset.debt_allowed,
        grace_days=asset.grace_days,
        idle_day=_idle_day(command, asset, book.program.time_zone, now),
        pending=pending,
        up_to=command.up_to,
        gift=_gift(command, asset),
        into_debt=command.allow_debt and asset.debt_allowed,
    )


def _lot_of(command: Command, asset: Asset, zone: str, now: datetime) -> tuple[int, Pending | None]:
    """The last day of what is earned, counted from when it becomes available, and what it waits for until then."""
    validity = command.validity or asset.validity
    if command.validity and is_idle(command.validity):
        raise IdleIsTheAssets(validity=command.validity)
    earned_at = command.earned_at or now
    available = command.available_at or _wait(command, asset, earned_at, zone)
    if available is None:
        return last_day(validity, business_day(earned_at, zone)), None
    counted_from = max(available, earned_at)
    return last_day(validity, business_day(counted_from, zone)), Pending(epoch_us(available), validity)


def _wait(command: Command, asset: Asset, earned_at: datetime, zone: str) -> datetime | None:
    if command.pending is None:
        return None
    return available_at(asset.pending if command.pending == AS_THE_ASSET else command.pending, earned_at, zone)


def _idle_day(command: Command, asset: Asset, zone: str, now: datetime) -> int | None:
    if not is_idle(asset.validity) or command.kind not in _ACTIVITIES:
        return None
    return idle_until(asset.validity, business_day(command.earned_at or now, zone))


def _gift(command: Command, asset: Asset) -> Gift | None:
    if command.kind != Kind.TRANSFER_OUT:
        return None
    assert command.to_member_id is not None, "a transfer says to whom"
    return Gift(command.to_member_id, asset.transferable, asset.transfer_most, asset.transfer_most_per_day)


def _fingerprint(command: Command) -> bytes:
    hold = command.hold_id.hex() if command.hold_id else ""
    reverses = command.reverses_posting.hex() if command.reverses_posting else command.reverses
    earned = command.earned_at.astimezone(UTC).isoformat() if command.earned_at else ""
    parts = [
        int(command.kind),
        command.member_id,
        command.asset,
        command.amount,
        command.validity,
        earned,
        command.ttl_seconds,
        hold,
        reverses,
        command.reason,
    ]
    # What came later is named, and only when it is said: a retry of before an upgrade is still the same request.
    if command.available_at:
        parts.append(f"available_at {command.available_at.astimezone(UTC).isoformat()}")
    if command.pending not in (None, AS_THE_ASSET):
        parts.append(f"pending {command.pending}")
    if command.up_to:
        parts.append("up to")
    if command.to_member_id is not None:
        parts.append(f"to {command.to_member_id}")
    if command.allow_debt:
        parts.append("into debt")
    return sha256("\n".join(map(str, parts)).encode()).digest()
