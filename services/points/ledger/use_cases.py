"""What can be done with the ledger, one function a sentence."""

import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlmodel import Session

from common.errors import KeyReused, NotFound, Refusal
from services.points.ledger import books_repository, repository
from services.points.ledger.books import AccountKey
from services.points.ledger.commands import AS_THE_ASSET as AS_THE_ASSET
from services.points.ledger.commands import Command as Command
from services.points.ledger.commands import line_of as line_of
from services.points.ledger.commands import posting_id as posting_id
from services.points.ledger.domain import HoldState, Line, Outcome, Purpose, Status
from services.points.ledger.domain import Redating as Redating
from services.points.ledger.fold import fold
from services.points.ledger.refusals import STATUS, InsufficientPoints, SaleProhibited, UndoneElsewhere, UnknownReceiver
from services.points.programs.use_cases import program_book

_REFUSALS: dict[Status, type[Refusal]] = {
    Status.KEY_REUSED: KeyReused,
    **{status: refusal for refusal, status in STATUS.items()},
}


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


def rehearse(session: Session, lines: Sequence[Line], *, zones: dict[int, str]) -> list[Outcome]:
    """What posting the lines would answer now. Nothing is posted; accounts that there were none of are made, empty."""
    return fold(books_repository.load_books(session, lines, zones=zones), lines)


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
        return InsufficientPoints(available=available, short_by=outcome.amount - available)
    return _REFUSALS[outcome.status](**(outcome.facts or {}))


def reversed_by(session: Session, account: AccountKey, *, seq: int) -> int | None:
    """How much of the entry that it reverses an entry undid; None of one that reverses nothing."""
    [entry] = repository.entries_from(session, account, first=seq, last=seq, limit=1)
    return entry.reversed if entry.reversed is None else int(entry.reversed)


def check_unpaid(price_fen: int | None) -> None:
    """Raise `SaleProhibited` for a transfer that names a price, whatever it is: a gift has none."""
    if price_fen is not None:
        raise SaleProhibited()


def check_reversible(session: Session, *, program_id: int, posting_id: uuid.UUID) -> None:
    """Raise `UndoneElsewhere` for what an adjustment or exchange posted: past it, it would still stand as posted."""
    entry = repository.find_posted(session, program_id, posting_id)
    if entry is None or not entry.meta:
        return
    # Others may choose their causes, but nobody outside the details of an entry.
    kind, _, name = entry.cause.partition(" ")
    if kind == "adjustment" and "reason_code" in entry.meta:
        raise UndoneElsewhere(path=f"/v1/adjustments/{name}/undo")
    if kind == "exchange" and "exchange" in entry.meta:
        raise UndoneElsewhere(path=f"/v1/exchanges/{entry.meta['exchange']}/reversal")


def check_receiver(session: Session, *, program_id: int, member_id: int) -> None:
    """Raise `UnknownReceiver` unless the ledger knows the member: what is given to nobody would be lost."""
    if not repository.has_account(session, program_id, member_id):
        raise UnknownReceiver()


def show_hold(
    session: Session, *, program_id: int, hold_id: uuid.UUID, member_id: int, now: datetime
) -> tuple[Any, HoldState]:
    """A hold's row and its state at `now`: until it is settled, one past its instant still stands as open in its row.

    Raises `NotFound`, also for another member's hold.
    """
    row = repository.find_hold(session, program_id, hold_id, member_id)
    if row is None:
        raise NotFound()
    state = HoldState(row.state)
    if state != HoldState.OPEN or row.expires_at > now:
        return row, state
    return row, HoldState.RELEASED if row.purpose == Purpose.PENDING else HoldState.EXPIRED


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
