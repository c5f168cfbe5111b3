"""What can be done with the ledger, one function a sentence."""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from sqlmodel import Session

from common.clock import business_day
from common.errors import KeyReused, NotFound, Refusal
from services.points.ledger import balances, books_repository, domain, repository
from services.points.ledger.domain import HoldState, Kind, Line, Outcome, Status
from services.points.ledger.fold import AccountKey, fold
from services.points.programs.domain import last_day
from services.points.programs.use_cases import ProgramBook, program_book

_REFUSALS: dict[Status, type[Refusal]] = {
    Status.HOLD_NOT_OPEN: domain.HoldNotOpen,
    Status.HOLD_EXCEEDED: domain.HoldExceeded,
    Status.NOT_REVERSIBLE: domain.NotReversible,
    Status.REVERSAL_EXCEEDED: domain.ReversalExceeded,
    Status.BALANCE_TOO_LARGE: domain.BalanceTooLarge,
    Status.KEY_REUSED: KeyReused,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One thing that somebody wants posted, in their own terms: asset by code, key in their own scope.

    `scope` is who names the key (a caller, an event source, a grant's service). `earned_at` starts the lot's validity;
    `validity` overrides the asset's. CAPTURE and REVERSE with amount 0 mean all that is left.
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


def posting_id(program_id: int, scope: str, key: str) -> bytes:
    """The 16 bytes by which the ledger knows an idempotency or natural key: the head of its SHA-256."""
    return sha256(f"{program_id}\n{scope}\n{key}".encode()).digest()[:16]


def line_of(book: ProgramBook, command: Command, *, now: datetime) -> Line:
    """The command as a line of the ledger. Raises `UnknownAsset`, `BadValidity`."""
    asset = book.asset(command.asset)
    lot_day = 0
    if command.kind == Kind.EARN:
        earned_on = business_day(command.earned_at or now, book.program.time_zone)
        lot_day = last_day(command.validity or asset.validity, earned_on)
    return Line(
        posting_id=posting_id(book.program.program_id, command.scope, command.key),
        fingerprint=_fingerprint(command),
        program_id=book.program.program_id,
        member_id=command.member_id,
        asset_id=asset.id,
        kind=command.kind,
        amount=command.amount,
        cause=command.cause,
        lot_day=lot_day,
        ttl_us=command.ttl_seconds * 1_000_000,
        hold_id=command.hold_id,
        reverses=command.reverses,
        reverses_posting=command.reverses_posting,
        rule_version=command.rule_version,
        meta={"reason": command.reason} if command.reason else None,
        debt_allowed=asset.debt_allowed,
    )


def post(session: Session, lines: Sequence[Line], *, zones: dict[int, str]) -> list[Outcome]:
    """Post the lines; each is posted or refused by itself, and both are remembered under its key."""
    books = books_repository.load_books(session, lines, zones=zones)
    outcomes = fold(books, lines)
    books_repository.write_books(session, books)
    return outcomes


def post_all_or_nothing(session: Session, lines: Sequence[Line], *, zones: dict[int, str]) -> list[Outcome]:
    """Post every line, or none when one is refused; then the others are `NOT_ATTEMPTED` and no key is used up.

    What was posted before under a line's key stays posted, and is answered so.
    """
    books = books_repository.load_books(session, lines, zones=zones)
    answered = {posting_id for _, posting_id in books.known}
    outcomes = fold(books, lines)
    if all(outcome.status == Status.POSTED for outcome in outcomes):
        books_repository.write_books(session, books)
        return outcomes
    return [
        _unattempted(outcome) if outcome.status == Status.POSTED and outcome.posting_id not in answered else outcome
        for outcome in outcomes
    ]


def settle(session: Session, accounts: Iterable[AccountKey], *, zones: dict[int, str]) -> int:
    """Let what is due on these accounts happen now; returns how many entries that made."""
    books = books_repository.load_books(session, (), zones=zones, touch=accounts)
    fold(books, ())
    books_repository.write_books(session, books)
    return len(books.entries)


def settle_due(session: Session, *, after: AccountKey, limit: int = 500) -> AccountKey | None:
    """Settle the next accounts behind `after` on which something is due; returns the last of them, None at the end.

    Correctness does not wait for this: whoever touches an account settles it first. It serves reports and accounts
    that nobody touches.
    """
    due = repository.due_accounts(session, after=after, limit=limit)
    if not due:
        return None
    zones = {key[0]: program_book(session, key[0]).program.time_zone for key in due}
    settle(session, due, zones=zones)
    return due[-1]


def refusal_of(outcome: Outcome) -> Refusal:
    """Why the line was refused, with the numbers behind it: the same at the first answer and at every replay."""
    if outcome.status == Status.INSUFFICIENT:
        available = outcome.available
        return domain.InsufficientPoints(available=available, short_by=outcome.amount - available)
    return _REFUSALS[outcome.status]()


def show_accounts(session: Session, *, program_id: int, member_id: int, now: datetime) -> list[balances.Balance]:
    """What a member owns of each asset, with what is due already subtracted; reading writes nothing."""
    book = program_book(session, program_id)
    views = {view.asset: view for view in repository.list_accounts(session, program_id, member_id)}
    return [
        _balance(session, book, member_id, views[code], now) if code in views else balances.nothing(code)
        for code in book.by_code
    ]


def show_account(session: Session, *, program_id: int, member_id: int, asset: str, now: datetime) -> balances.Balance:
    """What a member owns of one asset. Raises `UnknownAsset`."""
    book = program_book(session, program_id)
    view = repository.find_account(session, program_id, member_id, book.asset(asset).id)
    return _balance(session, book, member_id, view, now) if view else balances.nothing(asset)


def show_hold(
    session: Session, *, program_id: int, hold_id: uuid.UUID, member_id: int, now: datetime
) -> tuple[Any, HoldState]:
    """A hold's row and its state at `now`: until it is settled, one past its deadline still stands as open in its row.

    Raises `NotFound`, also for another member's hold.
    """
    row = repository.find_hold(session, program_id, hold_id, member_id)
    if row is None:
        raise NotFound()
    state = HoldState(row.state)
    return row, HoldState.EXPIRED if state == HoldState.OPEN and row.expires_at <= now else state


def list_entries(
    session: Session, *, program_id: int, member_id: int, asset: str, before: int | None, limit: int
) -> dict[str, Any]:
    """A page of the account's journal, newest first, and the seq to go on below (None at the end)."""
    asset_id = program_book(session, program_id).asset(asset).id
    rows = repository.list_entries(session, program_id, member_id, asset_id, before=before, limit=limit)
    return {"entries": rows, "next": rows[-1].seq if len(rows) == limit else None}


def statement(
    session: Session, *, program_id: int, member_id: int, asset: str, month: str | None, now: datetime
) -> balances.Statement:
    """A member's month: opening balance, every entry with its cause, closing balance; opening + Σ entries = closing."""
    book = program_book(session, program_id)
    asset_id, zone = book.asset(asset).id, book.program.time_zone
    month = month or business_day(now, zone).strftime("%Y-%m")
    start, end = balances.month_bounds(month, zone)
    opening = repository.balance_before(session, program_id, member_id, asset_id, start)
    rows = repository.entries_between(session, program_id, member_id, asset_id, start, end)
    return balances.Statement(asset, month, opening, rows, opening + sum(row.amount for row in rows))


def asset_totals(session: Session, *, program_id: int, asset: str, now: datetime) -> dict[str, Any]:
    """What was issued, redeemed, expired and is outstanding of an asset, over its whole life."""
    asset_id = program_book(session, program_id).asset(asset).id
    members, outstanding, debt = repository.outstanding(session, program_id, asset_id)
    return {
        "asset": asset,
        "members": members,
        "outstanding": outstanding,
        "debt": debt,
        "as_of": now,
        **balances.flows(repository.totals(session, program_id, asset_id)),
    }


def _balance(
    session: Session, book: ProgramBook, member_id: int, view: repository.AccountView, now: datetime
) -> balances.Balance:
    held: list[tuple[datetime, int, list[int]]] = []
    if view.held:
        held = repository.open_holds(session, book.program.program_id, member_id, view.asset_id)
    return balances.present(
        view.asset, view.balance, view.held, view.debt, view.lots, held, now=now, zone=book.program.time_zone
    )


def _fingerprint(command: Command) -> bytes:
    hold = command.hold_id.hex() if command.hold_id else ""
    reverses = command.reverses_posting.hex() if command.reverses_posting else command.reverses
    earned = command.earned_at.astimezone(UTC).isoformat() if command.earned_at else ""
    parts = (
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
    )
    return sha256("\n".join(map(str, parts)).encode()).digest()


def _unattempted(outcome: Outcome) -> Outcome:
    return Outcome(
        outcome.posting_id,
        Status.NOT_ATTEMPTED,
        outcome.kind,
        outcome.member_id,
        outcome.asset_id,
        outcome.amount,
        0,
        0,
        0,
        0,
        outcome.at_us,
    )
