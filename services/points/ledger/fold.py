"""The fold: a list of lines over locked accounts, giving the answers and everything there is to write. Pure.

A single posting is a list of one. Every touched account is settled first (what is due expires), then keys seen before
replay, then the line moves the account. One refused line refuses nothing but itself.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from common.clock import business_day, day_end, epoch_day, from_epoch_day
from common.errors import Refusal
from services.points.ledger import domain, lots
from services.points.ledger.chain import link
from services.points.ledger.domain import (
    Account,
    Hold,
    HoldState,
    Kind,
    Line,
    Movement,
    Original,
    Outcome,
    Status,
)
from services.points.programs.domain import NEVER

#: Entries that no caller asked for carry no posting.
BY_TIME = bytes(16)

AccountKey = tuple[int, int, int]

_STATUS: dict[type[Refusal], Status] = {
    domain.InsufficientPoints: Status.INSUFFICIENT,
    domain.HoldNotOpen: Status.HOLD_NOT_OPEN,
    domain.HoldExceeded: Status.HOLD_EXCEEDED,
    domain.NotReversible: Status.NOT_REVERSIBLE,
    domain.ReversalExceeded: Status.REVERSAL_EXCEEDED,
    domain.BalanceTooLarge: Status.BALANCE_TOO_LARGE,
}


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


@dataclass(slots=True)
class Known:
    """An earlier posting under the same key: its fingerprint and its answer."""

    fingerprint: bytes
    outcome: Outcome


@dataclass(slots=True)
class Books:
    """What the database said, locked, and what the fold changed of it.

    `known` by (program, posting id); `holds` by (program, hold id): those the lines name, and all open ones of
    accounts where something is due; `originals` by account and seq; `posted_seq` finds an original by its posting id.
    `settled` are the accounts whose deadline was looked at anew.
    """

    now_us: int
    zones: dict[int, str]
    accounts: dict[AccountKey, Account]
    reversing: bool = False
    known: dict[tuple[int, bytes], Known] = field(default_factory=dict)
    holds: dict[tuple[int, bytes], Hold] = field(default_factory=dict)
    originals: dict[tuple[AccountKey, int], Original] = field(default_factory=dict)
    posted_seq: dict[tuple[AccountKey, bytes], int] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)
    new_holds: dict[tuple[int, bytes], Hold] = field(default_factory=dict)
    ended_holds: dict[tuple[int, bytes], Hold] = field(default_factory=dict)
    settled: set[AccountKey] = field(default_factory=set)
    outcomes: list[tuple[Line, Outcome]] = field(default_factory=list)


def fold(books: Books, lines: Iterable[Line]) -> list[Outcome]:
    """Post the lines in order; the books then hold all that is to be written. Returns one outcome a line."""
    for account in books.accounts.values():
        settle(books, account)
    answers = [_answer(books, line) for line in lines]
    for account in books.accounts.values():
        settle(books, account)
    return answers


def settle(books: Books, account: Account) -> None:
    """Let what is due on the account happen: dead holds return their lots, then dead lots expire."""
    if account.due_us is None or account.due_us > books.now_us:
        return
    mine = [hold for key, hold in _open_holds(books) if _is_of(hold, key[0], account)]
    for hold in sorted(mine, key=lambda hold: (hold.expires_at_us, hold.id)):
        if hold.expires_at_us <= books.now_us:
            _write(books, account, domain.expire_hold(account, hold), posting_id=BY_TIME, cause="time")
            books.ended_holds[account.program_id, hold.id] = hold
    zone = books.zones[account.program_id]
    dead = domain.expire_lots(account, last_dead_day=today(books.now_us, zone) - 1)
    if dead:
        _write(books, account, dead, posting_id=BY_TIME, cause="time")
    still_open = [hold for hold in mine if hold.state == HoldState.OPEN]
    deadlines = [hold.expires_at_us for hold in still_open]
    if account.held > sum(hold.amount for hold in still_open):
        # Something became due within this fold, for which not every hold was read: the next touch looks again.
        deadlines.append(books.now_us)
    account.due_us = min([*deadlines, *_lot_deadline(account, zone)], default=None)
    books.settled.add((account.program_id, account.member_id, account.asset_id))


def today(now_us: int, zone: str) -> int:
    """The epoch day that `now` falls on in the zone."""
    return _day_of_hour(now_us // 900_000_000, zone)


@lru_cache(maxsize=4096)
def _day_of_hour(quarter: int, zone: str) -> int:
    # Every zone's midnight falls on a quarter of an hour, so the day is looked up once a quarter.
    return epoch_day(business_day(datetime.fromtimestamp(quarter * 900, UTC), zone))


@lru_cache(maxsize=16_384)
def lot_end_us(day: int, zone: str) -> int:
    """The instant after the last at which a lot of that day can be used, in microseconds."""
    return int(day_end(from_epoch_day(day), zone).timestamp()) * 1_000_000


def _answer(books: Books, line: Line) -> Outcome:
    earlier = books.known.get((line.program_id, line.posting_id))
    if earlier:
        if earlier.fingerprint != line.fingerprint:
            return _refused(books, line, Status.KEY_REUSED)
        known = earlier.outcome
        return Outcome(
            known.posting_id,
            known.status,
            known.kind,
            known.member_id,
            known.asset_id,
            known.amount,
            known.seq,
            known.balance,
            known.held,
            known.debt,
            known.at_us,
            known.hold_id,
            replayed=True,
        )
    account = books.accounts[line.account]
    settle(books, account)  # what an earlier line of this list brought back may be dead already
    try:
        movement = _move(books, account, line)
    except Refusal as refusal:
        outcome = _refused(books, line, _STATUS[type(refusal)])
    else:
        entry = _write(
            books,
            account,
            movement,
            posting_id=line.posting_id,
            cause=line.cause,
            rule_version=line.rule_version,
            meta=line.meta,
        )
        outcome = _outcome(
            account, line, Status.POSTED, entry.amount or entry.held_delta, movement.hold_id, entry.at_us
        )
    books.outcomes.append((line, outcome))
    books.known[line.program_id, line.posting_id] = Known(line.fingerprint, outcome)
    return outcome


def _move(books: Books, account: Account, line: Line) -> Movement:
    kind, key = line.kind, (line.program_id, line.hold_id or b"")
    if kind == Kind.EARN:
        movement = domain.earn(account, line)
        _due_at(account, None if line.lot_day == NEVER else lot_end_us(line.lot_day, books.zones[line.program_id]))
        return movement
    if kind == Kind.SPEND:
        return domain.spend(account, line)
    if kind == Kind.HOLD:
        movement, made = domain.hold(account, line, now_us=books.now_us)
        books.holds[line.program_id, made.id] = books.new_holds[line.program_id, made.id] = made
        _due_at(account, made.expires_at_us)
        return movement
    if kind in (Kind.CAPTURE, Kind.VOID):
        held = books.holds.get(key)
        if held is not None and not _is_of(held, line.program_id, account):
            held = None
        movement = domain.capture(account, line, held) if kind == Kind.CAPTURE else domain.void(account, held)
        books.ended_holds[key] = books.holds[key]
        _due_at(account, *_lot_deadline(account, books.zones[line.program_id]))
        return movement
    return _reverse(books, account, line)


def _reverse(books: Books, account: Account, line: Line) -> Movement:
    seq = line.reverses
    if seq is None:
        seq = books.posted_seq.get((line.account, line.reverses_posting or b""), 0)
    original = books.originals.get((line.account, seq))
    movement = domain.reverse(account, line, original)
    assert original is not None  # else the reversal was refused
    done = original.reversed + (movement.reversed or 0)
    books.originals[line.account, seq] = Original(seq, original.kind, original.amount, done, original.moves)
    _due_at(account, *_lot_deadline(account, books.zones[line.program_id]))
    return movement


def _write(
    books: Books,
    account: Account,
    movement: Movement,
    *,
    posting_id: bytes,
    cause: str,
    rule_version: int | None = None,
    meta: dict[str, Any] | None = None,
) -> Entry:
    domain.apply(account, movement)
    account.last_at_us = max(books.now_us, account.last_at_us)
    noted = {**(meta or {}), **(movement.meta or {})} or None
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
    entry = Entry(
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
    books.entries.append(entry)
    if books.reversing and movement.kind in (Kind.EARN, Kind.SPEND, Kind.CAPTURE):
        _remember_original(books, entry)
    return entry


def _remember_original(books: Books, entry: Entry) -> None:
    """A line of the same list may reverse what was posted a moment ago."""
    key = (entry.program_id, entry.member_id, entry.asset_id)
    moves = entry.moves
    if entry.kind == Kind.CAPTURE and entry.hold_id:
        moves = books.holds[entry.program_id, entry.hold_id].moves
    books.originals[key, entry.seq] = Original(entry.seq, entry.kind, entry.amount, 0, moves)
    books.posted_seq[key, entry.posting_id] = entry.seq


def details(
    cause: str,
    rule_version: int | None,
    reverses: int | None,
    reversed_: int | None,
    hold_id: bytes | None,
    meta: dict[str, Any] | None,
) -> tuple[Any, ...]:
    """What the hash covers beyond the figures, in the order it covers it."""
    return cause, rule_version, reverses, reversed_, hold_id.hex() if hold_id else None, meta


def _refused(books: Books, line: Line, status: Status) -> Outcome:
    return _outcome(books.accounts[line.account], line, status, line.amount, line.hold_id, books.now_us)


def _outcome(account: Account, line: Line, status: Status, amount: int, hold_id: bytes | None, at_us: int) -> Outcome:
    return Outcome(
        line.posting_id,
        status,
        line.kind,
        line.member_id,
        line.asset_id,
        amount,
        account.seq if status == Status.POSTED else 0,
        account.balance,
        account.held,
        account.debt,
        at_us,
        hold_id,
    )


def _due_at(account: Account, *instants: int | None) -> None:
    """Bring `due` forward; it may be early (then settling finds nothing), never late."""
    known = [instant for instant in (account.due_us, *instants) if instant is not None]
    account.due_us = min(known, default=None)


def _lot_deadline(account: Account, zone: str) -> list[int]:
    day = lots.earliest(account.lots)
    return [] if day == NEVER else [lot_end_us(day, zone)]


def _open_holds(books: Books) -> list[tuple[tuple[int, bytes], Hold]]:
    return [(key, hold) for key, hold in books.holds.items() if hold.state == HoldState.OPEN]


def _is_of(hold: Hold, program_id: int, account: Account) -> bool:
    mine = (account.program_id, account.member_id, account.asset_id)
    return (program_id, hold.member_id, hold.asset_id) == mine
