"""Applying a changeset and undoing it: every line in one transaction, or none.

Accounts are opened before, in transactions of their own: within the one that holds thousands of locks nothing waits to
be made. What can be prepared is prepared before the first account is locked, for others wait only for what comes then.
Chunks follow each other in account order, as every posting takes its locks, so that nobody deadlocks with it.
"""

import uuid
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlmodel import Session

from services.points.changesets import clients, posting, repository
from services.points.changesets.domain import Fault, Kind, Line, LinesRefused, State
from services.points.ledger import use_cases as ledger
from services.points.ledger.domain import Line as Posting
from services.points.ledger.domain import Status
from services.points.ledger.use_cases import Command
from services.points.programs.use_cases import ProgramBook, read_book

_CHUNK = 1_000


def strangers(session: Session, *, program_id: int, changeset_id: uuid.UUID) -> list[str]:
    """The next identities of an approved changeset that lead to nobody yet, at most as many as levels takes at once."""
    row = repository.get_changeset(session, program_id, changeset_id)
    if row.status != State.APPROVED:
        return []
    return repository.unresolved_subjects(session, row, limit=clients.MOST_AT_ONCE)


def note_members(session: Session, *, program_id: int, changeset_id: uuid.UUID, members: dict[str, int]) -> None:
    """Note who the strangers have become."""
    repository.set_members(session, repository.get_changeset(session, program_id, changeset_id), members)


def open_accounts(session: Session, *, program_id: int, changeset_id: uuid.UUID, after: Any) -> Any:
    """Make the accounts of the next thousand lines where there are none; returns the last line, None at the end."""
    book = read_book(session, program_id)
    rows = repository.list_lines(session, program_id, changeset_id, after=after, limit=_CHUNK)
    keys = {(program_id, row.member_id, row.asset_id) for row in rows}
    if keys:
        ledger.settle(session, keys, zones={program_id: book.program.time_zone})
    return rows[-1] if len(rows) == _CHUNK else None


def apply(session: Session, *, program_id: int, changeset_id: uuid.UUID, now: datetime) -> bool:
    """Post every line; false when it is not awaited or another worker is at it. Raises `LinesRefused`."""
    row = repository.lock_free(session, program_id, changeset_id, State.APPROVED)
    if row is None:
        return False
    book, faults = read_book(session, program_id), []
    for lines, drafted in _drafted(session, row, book, posting.command, now=now):
        outcomes = ledger.post_all_or_nothing(session, drafted, zones=_zones(book))
        faults += [
            posting.refused(line, outcome)
            for line, outcome in zip(lines, outcomes, strict=True)
            if outcome.status not in (Status.POSTED, Status.NOT_ATTEMPTED)
        ]
    if row.kind == Kind.OPENING:
        faults += posting.opened_twice(session, row)
    if faults:
        raise LinesRefused(faults)
    repository.drop_sheets(session, row)
    repository.change(session, row, status=State.APPLIED.value, applied_at=now)
    return True


def undo(session: Session, *, program_id: int, changeset_id: uuid.UUID, now: datetime) -> bool:
    """Reverse every line, the last one of an account first; false when it is not awaited. Raises `LinesRefused`.

    Points that are gone meanwhile are not taken from elsewhere, nor as debt: then nothing is undone.
    """
    row = repository.lock_free(session, program_id, changeset_id, State.UNDOING)
    if row is None:
        return False
    book, faults = read_book(session, program_id), []
    for lines, drafted in _drafted(session, row, book, posting.reversal, now=now, backwards=True):
        outcomes = ledger.post_all_or_nothing(session, drafted, zones=_zones(book))
        for line, outcome in zip(lines, outcomes, strict=True):
            if outcome.status == Status.POSTED:
                missing = max(outcome.amount + line.amount, outcome.debt if line.amount > 0 else 0)
                if missing:
                    faults.append(line.fault("points_spent", "amount", missing=missing))
            elif outcome.status != Status.NOT_ATTEMPTED:
                faults.append(posting.refused(line, outcome))
    if faults:
        raise LinesRefused(faults)
    repository.replace_faults(session, row, ())
    repository.change(session, row, status=State.UNDONE.value, undone_at=now)
    return True


def note_refused(session: Session, *, program_id: int, changeset_id: uuid.UUID, faults: Sequence[Fault]) -> None:
    """After nothing of it was done: say which lines were refused. What was to be applied is faulty, what was to be
    undone stays applied."""
    row = repository.get_changeset(session, program_id, changeset_id, lock=True)
    back = {State.APPROVED: State.FAULTY, State.UNDOING: State.APPLIED}.get(row.status)
    if back is None:
        return
    repository.replace_faults(session, row, sorted(faults, key=lambda fault: (fault.part, fault.line)))
    repository.change(session, row, status=back.value)


def _drafted(
    session: Session,
    row: Any,
    book: ProgramBook,
    command: Callable[[Any, Line], Command],
    *,
    now: datetime,
    backwards: bool = False,
) -> list[tuple[list[Line], list[Posting]]]:
    """Every page of lines with what the ledger is to post for it; a thousand lines are a megabyte."""
    return [
        (lines, [ledger.line_of(book, command(row, line), now=now) for line in lines])
        for lines in _pages(session, row, book, backwards=backwards)
    ]


def _pages(session: Session, row: Any, book: ProgramBook, *, backwards: bool = False) -> Iterator[list[Line]]:
    """The lines by account; `backwards` within each account, the whole of one always on one page."""
    waiting: list[Any] = []
    after: Any = None
    while True:
        rows = repository.list_lines(session, row.program_id, row.id, after=after, limit=_CHUNK)
        waiting += rows
        last = len(rows) < _CHUNK
        ready = waiting if last else [one for one in waiting if _account(one) != _account(waiting[-1])]
        waiting = waiting[len(ready) :]
        if ready:
            if backwards:
                ready.sort(key=lambda one: (*_account(one), -one.part, -one.line))
            yield [_line(one, book) for one in ready]
        if last:
            return
        after = rows[-1]


def _account(row: Any) -> tuple[int, int]:
    return row.member_id, row.asset_id


def _line(row: Any, book: ProgramBook) -> Line:
    return Line(
        part=row.part,
        line=row.line,
        member_id=row.member_id,
        subject=None,
        asset=book.by_id[row.asset_id].code,
        amount=row.amount,
        reason=row.reason,
        validity=row.validity,
    )


def _zones(book: ProgramBook) -> dict[int, str]:
    return {book.program.program_id: book.program.time_zone}
