"""Uploading a changeset and deciding about it. What takes long stands in `dry_run` and `applying`."""

import uuid
from datetime import datetime
from typing import Any

from sqlmodel import Session

from common.identity import Identity
from services.points import wakeups
from services.points.changesets import domain, repository
from services.points.changesets.domain import State, TooManyParts
from services.points.programs.use_cases import read_book


def upload(
    session: Session,
    *,
    program_id: int,
    uploader: Identity,
    kind: str,
    name: str,
    csv: str,
    more: bool,
    now: datetime,
) -> Any:
    """A new changeset of one sheet; its dry run begins at once unless more sheets follow. Raises `UnknownProgram`."""
    read_book(session, program_id)
    row = repository.add_changeset(session, program_id, kind=kind, name=name, uploader=uploader.subject, now=now)
    return _add(session, row, csv, more)


def add_sheet(
    session: Session, *, program_id: int, changeset_id: uuid.UUID, uploader: Identity, csv: str, more: bool
) -> Any:
    """One more sheet of a draft, by whoever began it. Raises `NotFound`, `NotYours`, `WrongState`, `TooManyParts`."""
    row = repository.get_changeset(session, program_id, changeset_id, lock=True)
    if row.uploaded_by != uploader.subject:
        raise domain.NotYours()
    if row.status != State.DRAFT:
        raise domain.WrongState(state=row.status, wanted=State.DRAFT)
    if row.parts >= domain.MOST_PARTS:
        raise TooManyParts(most=domain.MOST_PARTS)
    return _add(session, row, csv, more)


def check(session: Session, *, program_id: int, changeset_id: uuid.UUID) -> Any:
    """Run the dry run, again if it ran before. Raises `NotFound`, `WrongState`."""
    row = _moving(session, program_id, changeset_id, State.CHECKING)
    return _begin_check(session, row)


def approve(
    session: Session, *, program_id: int, changeset_id: uuid.UUID, approver: Identity, note: str, now: datetime
) -> Any:
    """Let what was checked be applied, by a second person. Raises `NotFound`, `WrongState`, `SamePerson`."""
    row = _moving(session, program_id, changeset_id, State.APPROVED)
    domain.check_second_person(row.uploaded_by, approver.subject)
    wakeups.ask(session, "apply_changeset", program_id, str(row.id))
    decided = {"approved_by": approver.subject, "approved_at": now, "decision_note": note}
    return repository.change(session, row, status=State.APPROVED.value, **decided)


def reject(session: Session, *, program_id: int, changeset_id: uuid.UUID, by: Identity, note: str) -> Any:
    """End a changeset that was not approved: turned down, or withdrawn by its uploader. Raises as `approve`."""
    row = _moving(session, program_id, changeset_id, State.REJECTED)
    repository.drop_sheets(session, row)
    return repository.change(session, row, status=State.REJECTED.value, rejected_by=by.subject, decision_note=note)


def request_undo(session: Session, *, program_id: int, changeset_id: uuid.UUID, by: Identity, now: datetime) -> Any:
    """Ask that an applied changeset be taken back. Raises `NotFound`, `WrongState`."""
    row = _moving(session, program_id, changeset_id, State.UNDO_REQUESTED)
    asked = {"undo_requested_by": by.subject, "undo_requested_at": now, "undo_approved_by": None}
    return repository.change(session, row, status=State.UNDO_REQUESTED.value, **asked)


def approve_undo(session: Session, *, program_id: int, changeset_id: uuid.UUID, approver: Identity) -> Any:
    """Let it be taken back, by a second person. Raises `NotFound`, `WrongState`, `SamePerson`."""
    row = _moving(session, program_id, changeset_id, State.UNDOING)
    domain.check_second_person(row.undo_requested_by, approver.subject)
    wakeups.ask(session, "undo_changeset", program_id, str(row.id))
    return repository.change(session, row, status=State.UNDOING.value, undo_approved_by=approver.subject)


def reject_undo(session: Session, *, program_id: int, changeset_id: uuid.UUID) -> Any:
    """Leave it applied. Raises `NotFound`, `WrongState`."""
    row = repository.get_changeset(session, program_id, changeset_id, lock=True)
    if row.status != State.UNDO_REQUESTED:
        raise domain.WrongState(state=row.status, wanted=State.APPLIED)
    return repository.change(session, row, status=State.APPLIED.value)


def show_changeset(session: Session, *, program_id: int, changeset_id: uuid.UUID) -> Any:
    """One changeset with its summary and progress; raises `NotFound`."""
    return repository.get_changeset(session, program_id, changeset_id)


def list_changesets(
    session: Session, *, program_id: int, status: str | None, kind: str | None, after: uuid.UUID | None, limit: int
) -> dict[str, Any]:
    """A page of changesets, newest first, and the id to go on behind."""
    rows = repository.list_changesets(session, program_id, status=status, kind=kind, after=after, limit=limit)
    return {"changesets": rows, "next": rows[-1].id if len(rows) == limit else None}


def list_faults(
    session: Session, *, program_id: int, changeset_id: uuid.UUID, after: int, limit: int
) -> dict[str, Any]:
    """A page of what is wrong, and the number to go on behind. Raises `NotFound`."""
    repository.get_changeset(session, program_id, changeset_id)
    rows = repository.list_faults(session, program_id, changeset_id, after=after, limit=limit)
    return {"faults": rows, "next": rows[-1].number if len(rows) == limit else None}


def list_lines(
    session: Session, *, program_id: int, changeset_id: uuid.UUID, after: tuple[int, int], limit: int
) -> dict[str, Any]:
    """A page of lines as the dry run understood them, in the order of the sheets. Raises `NotFound`."""
    repository.get_changeset(session, program_id, changeset_id)
    codes = {asset.id: code for code, asset in read_book(session, program_id).by_code.items()}
    rows = repository.list_lines_as_sent(session, program_id, changeset_id, after=after, limit=limit)
    shown = [{**row._mapping, "asset": codes[row.asset_id]} for row in rows]
    last = rows[-1] if len(rows) == limit else None
    return {"lines": shown, "next": f"{last.part}.{last.line}" if last else None}


def working(session: Session, *, limit: int = 100) -> list[tuple[int, uuid.UUID, str]]:
    """Changesets that a job must go on with, whatever became of the job that was to."""
    return repository.working(session, limit=limit)


def _add(session: Session, row: Any, csv: str, more: bool) -> Any:
    row = repository.add_part(session, row, csv)
    return row if more else _begin_check(session, row)


def _begin_check(session: Session, row: Any) -> Any:
    wakeups.ask(session, "check_changeset", row.program_id, str(row.id))
    return repository.change(
        session,
        row,
        status=State.CHECKING.value,
        lease_until=None,
        progress=0,
        summary=None,
        approved_by=None,
        approved_at=None,
    )


def _moving(session: Session, program_id: int, changeset_id: uuid.UUID, wanted: State) -> Any:
    row = repository.get_changeset(session, program_id, changeset_id, lock=True)
    domain.check_move(row.status, wanted)
    return row
