"""The steps of a dry run, each in one transaction: claim it, let the ledger rehearse the lines, write down."""

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session

from common.clock import business_day
from services.points.adjustments import use_cases as adjustments
from services.points.changesets import domain, posting, repository
from services.points.changesets.domain import Fault, Kind, Line, State
from services.points.changesets.sheet import Terms
from services.points.ledger import use_cases as ledger
from services.points.ledger.domain import Status
from services.points.programs.use_cases import ProgramBook, read_book

#: A run that says nothing for so long was killed; another one begins anew.
LEASE_SECONDS = 60
_CHUNK = 1_000


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the dry run: the changeset as it was claimed, its sheets, and what lines may say."""

    row: Any
    book: ProgramBook
    terms: Terms
    sheets: list[tuple[int, str]]


def begin(session: Session, *, program_id: int, changeset_id: uuid.UUID, now: datetime) -> Run | None:
    """Claim the dry run; None when it is not awaited or another worker is at it."""
    row = repository.claim_check(session, program_id, changeset_id, lease_seconds=LEASE_SECONDS)
    if row is None:
        return None
    book = read_book(session, program_id)
    reasons = adjustments.show_policy(session, program_id=program_id).reasons
    terms = Terms(
        kind=row.kind,
        assets=frozenset(book.by_code),
        reasons=frozenset(reason.code for reason in reasons),
        today=business_day(now, book.program.time_zone),
    )
    return Run(row, book, terms, repository.list_parts(session, program_id, row.id))


def go_on(session: Session, run: Run, *, progress: int) -> bool:
    """Show how far it has come, in percent; false when the run was taken over."""
    return repository.extend_lease(session, run.row, progress=progress, lease_seconds=LEASE_SECONDS)


def in_chunks(run: Run, lines: Sequence[Line]) -> Iterator[list[Line]]:
    """Lines of known members in the order in which they are posted, about a thousand at a time, accounts unbroken."""
    ids = {code: asset.id for code, asset in run.book.by_code.items()}
    known = [line for line in lines if line.member_id is not None]
    known.sort(key=lambda line: (line.member_id, ids[line.asset], line.part, line.line))
    chunk: list[Line] = []
    for line in known:
        if len(chunk) >= _CHUNK and (chunk[-1].member_id, chunk[-1].asset) != (line.member_id, line.asset):
            yield chunk
            chunk = []
        chunk.append(line)
    if chunk:
        yield chunk


def rehearse(session: Session, run: Run, lines: Sequence[Line], *, now: datetime) -> list[Fault]:
    """Ask the ledger what posting the lines would come to; notes balances before and after. Nothing is posted."""
    commands = [posting.command(run.row, line) for line in lines]
    drafted = [ledger.line_of(run.book, command, now=now) for command in commands]
    zones = {run.row.program_id: run.book.program.time_zone}
    faults = []
    for line, outcome in zip(lines, ledger.rehearse(session, drafted, zones=zones), strict=True):
        if outcome.status == Status.POSTED:
            line.before, line.after = outcome.balance - outcome.amount, outcome.balance
        else:
            faults.append(posting.refused(line, outcome))
    return faults


def finish(
    session: Session, run: Run, lines: Sequence[Line], faults: Sequence[Fault], *, now: datetime
) -> State | None:
    """Write lines, faults and summary; the state it came to, None when another run has taken over meanwhile."""
    row = run.row
    if not repository.lock_run(session, row):
        return None
    repository.replace_lines(session, row, lines, {code: asset.id for code, asset in run.book.by_code.items()})
    found = list(faults)
    if row.kind == Kind.OPENING:
        found += posting.opened_twice(session, row, known=found)
    found.sort(key=lambda fault: (fault.part, fault.line))
    repository.replace_faults(session, row, found)
    state = State.FAULTY if found or not lines else State.CHECKED
    repository.change(
        session,
        row,
        status=state.value,
        summary=domain.summary(list(lines), len(found)),
        checked_at=now,
        progress=100,
        lease_until=None,
    )
    return state
