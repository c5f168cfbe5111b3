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
    now_us: int,
    posting_id: bytes = BY_TIME,
    cause: str = "time",
    rule_version: int | None = None,
    meta: dict[str, Any] | None = None,
) -> Entry:
    """Apply the movement to its account and give the entry that says so. Time never goes back within an account."""
    apply(account, movement)
    program_id, member_id, asset_id, seq = account.program_id, account.member_id, account.asset_id, account.seq
    kind, amount, held_delta, moves = movement.kind, movement.amount, movement.held_delta, movement.moves
    reverses, reversed_, hold_id = movement.reverses, movement.reversed, movement.hold_id
    balance, held = account.balance, account.held
    at_us = account.last_at_us = max(now_us, account.last_at_us)
    noted = {**(meta or {}), **movement.meta} if movement.meta else meta or None
    head = account.head = link(
        account.head,
        program_id,
        member_id,
        asset_id,
        seq,
        kind,
        amount,
        held_delta,
        balance,
        held,
        at_us,
        posting_id,
        moves,
        details(cause, rule_version, reverses, reversed_, hold_id, noted),
    )
    return Entry(
        program_id,
        member_id,
        asset_id,
        seq,
        kind,
        amount,
        held_delta,
        balance,
        held,
        posting_id,
        at_us,
        cause,
        rule_version,
        reverses,
        reversed_,
        hold_id,
        moves,
        noted,
        head,
    )
