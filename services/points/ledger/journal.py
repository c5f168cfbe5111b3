"""The journal: a movement written down as an entry, chained to the one before it."""

from dataclasses import dataclass
from typing import Any

from services.points.ledger.chain import details, link
from services.points.ledger.domain import Account, Kind, Movement
from services.points.ledger.movements import apply

#: Entries that no caller asked for carry no posting.
BY_TIME = bytes(16)


@dataclass(slots=True)
class Entry:
    """One line of the journal, as it will stand for ever."""

    program_id: int
    member_id: int
    asset_id: int
    seq: int
    kind: Kind
    amount: int
    held_delta: int
    balance_after: int
    held_after: int
    posting_id: bytes
    at_us: int
    cause: str
    rule_version: int | None
    reverses: int | None
    reversed: int | None
    hold_id: bytes | None
    moves: list[int]
    meta: dict[str, Any] | None
    hash: bytes


def write(
    account: Account,
    movement: Movement,
    *,
    now_us: int,
    posting_id: bytes = BY_TIME,
    cause: str = "time",
    rule_version: int | None = None,
    meta: dict[str, Any] | None = None,
) -> Entry:
    """Apply the movement to its account and give the entry that says so. Time never goes back within an account."""
    apply(account, movement)
    account.last_at_us = max(now_us, account.last_at_us)
    noted = {**(meta or {}), **movement.meta} if movement.meta else meta or None
    account.head = link(
        account.head,
        program_id=account.program_id,
        member_id=account.member_id,
        asset_id=account.asset_id,
        seq=account.seq,
        kind=movement.kind,
        amount=movement.amount,
        held_delta=movement.held_delta,
        balance_after=account.balance,
        held_after=account.held,
        at_us=account.last_at_us,
        posting_id=posting_id,
        moves=movement.moves,
        details=details(cause, rule_version, movement.reverses, movement.reversed, movement.hold_id, noted),
    )
    return Entry(
        account.program_id,
        account.member_id,
        account.asset_id,
        account.seq,
        movement.kind,
        movement.amount,
        movement.held_delta,
        account.balance,
        account.held,
        posting_id,
        account.last_at_us,
        cause,
        rule_version,
        movement.reverses,
        movement.reversed,
        movement.hold_id,
        movement.moves,
        noted,
        account.head,
    )
