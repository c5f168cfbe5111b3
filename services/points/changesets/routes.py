"""Changesets over HTTP: upload, look at what the dry run found, let a second person decide, undo."""

import uuid
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from flask import Response
from sqlmodel import Session

from common.clock import now
from common.http.callers import staff
from common.http.routes import Routes
from common.http.spreadsheets import Heading, csv_answer
from common.identity import Identity
from services.points.changesets import schemas, use_cases
from services.points.changesets.wordings import WORDINGS
from services.points.database import transaction

routes = Routes(
    "changesets",
    wordings=WORDINGS,
    description="Bulk adjustments and opening balances: checked, approved, applied whole",
)

_UPLOADERS = (staff("customer_service"), staff("finance"))
_APPROVERS = (staff("finance"),)
_AT_A_TIME = 1000
#: Each step answers with the changeset as it then stands; 202 where a job goes on with it.
_ONCE: dict[str, Any] = {"answer": schemas.ChangesetResponse, "once": True}
_DECISION: dict[str, Any] = {"body": schemas.ChangesetDecisionRequest, **_ONCE}


@routes.post("/changesets", allow=_UPLOADERS, body=schemas.UploadRequest, status=202, **_ONCE)
def upload(session: Session, caller: Identity, body: dict[str, Any]) -> Any:
    """Upload a sheet of adjustments or opening balances; the dry run begins unless more sheets follow."""
    return use_cases.upload(session, program_id=caller.program_id, uploader=caller, now=now(), **body)


@routes.post("/changesets/<uuid:changeset_id>/sheets", allow=_UPLOADERS, body=schemas.SheetRequest, status=202, **_ONCE)
def add_sheet(session: Session, caller: Identity, changeset_id: uuid.UUID, body: dict[str, Any]) -> Any:
    """Upload one more sheet of a changeset that is too large for one body."""
    return use_cases.add_sheet(
        session, program_id=caller.program_id, changeset_id=changeset_id, uploader=caller, **body
    )


@routes.post("/changesets/<uuid:changeset_id>/check", allow=_UPLOADERS, status=202, **_ONCE)
def check(session: Session, caller: Identity, changeset_id: uuid.UUID) -> Any:
    """Run the dry run again, e.g. after a member was registered; an approval begins anew too."""
    return use_cases.check(session, program_id=caller.program_id, changeset_id=changeset_id)


@routes.post("/changesets/<uuid:changeset_id>/approval", allow=_APPROVERS, status=202, **_DECISION)
def approve(session: Session, caller: Identity, changeset_id: uuid.UUID, body: dict[str, Any]) -> Any:
    """Let a checked changeset be applied, as the second person: every line of it or none."""
    return use_cases.approve(
        session, program_id=caller.program_id, changeset_id=changeset_id, approver=caller, now=now(), **body
    )


@routes.post("/changesets/<uuid:changeset_id>/rejection", allow=_UPLOADERS, **_DECISION)
def reject(session: Session, caller: Identity, changeset_id: uuid.UUID, body: dict[str, Any]) -> Any:
    """Turn a changeset down, or withdraw your own; nothing of it is applied."""
    return use_cases.reject(session, program_id=caller.program_id, changeset_id=changeset_id, by=caller, **body)


@routes.post("/changesets/<uuid:changeset_id>/undo", allow=_UPLOADERS, status=202, **_ONCE)
def request_undo(session: Session, caller: Identity, changeset_id: uuid.UUID) -> Any:
    """Ask that an applied changeset be taken back; a second person must say yes."""
    return use_cases.request_undo(
        session, program_id=caller.program_id, changeset_id=changeset_id, by=caller, now=now()
    )


@routes.post("/changesets/<uuid:changeset_id>/undo/approval", allow=_APPROVERS, status=202, **_ONCE)
def approve_undo(session: Session, caller: Identity, changeset_id: uuid.UUID) -> Any:
    """Let it be taken back, as the second person: every line of it or, where points are gone, none."""
    return use_cases.approve_undo(session, program_id=caller.program_id, changeset_id=changeset_id, approver=caller)


@routes.post("/changesets/<uuid:changeset_id>/undo/rejection", allow=_UPLOADERS, **_ONCE)
def reject_undo(session: Session, caller: Identity, changeset_id: uuid.UUID) -> Any:
    """Leave it applied."""
    return use_cases.reject_undo(session, program_id=caller.program_id, changeset_id=changeset_id)


@routes.get("/changesets", allow=_UPLOADERS, query=schemas.ChangesetsQuery, answer=schemas.ChangesetListResponse)
def list_changesets(caller: Identity, query: dict[str, Any]) -> dict[str, Any]:
    """Changesets, newest first."""
    with transaction() as session:
        return use_cases.list_changesets(session, program_id=caller.program_id, **query)


@routes.get("/changesets/<uuid:changeset_id>", allow=_UPLOADERS, answer=schemas.ChangesetResponse)
def show_changeset(caller: Identity, changeset_id: uuid.UUID) -> Any:
    """One changeset with progress and summary."""
    with transaction() as session:
        return use_cases.show_changeset(session, program_id=caller.program_id, changeset_id=changeset_id)


@routes.get(
    "/changesets/<uuid:changeset_id>/faults",
    allow=_UPLOADERS,
    query=schemas.FaultsQuery,
    answer=schemas.FaultListResponse,
)
def list_faults(caller: Identity, changeset_id: uuid.UUID, query: dict[str, Any]) -> dict[str, Any]:
    """What is wrong, line by line, and what to do about it."""
    with transaction() as session:
        return use_cases.list_faults(session, program_id=caller.program_id, changeset_id=changeset_id, **query)


@routes.get(
    "/changesets/<uuid:changeset_id>/lines",
    allow=_UPLOADERS,
    query=schemas.LinesQuery,
    answer=schemas.LineListResponse,
)
def list_lines(caller: Identity, changeset_id: uuid.UUID, query: dict[str, Any]) -> dict[str, Any]:
    """The lines as the dry run understood them, with balances before and after."""
    after = schemas.position(query["after"])
    with transaction() as session:
        return use_cases.list_lines(
            session, program_id=caller.program_id, changeset_id=changeset_id, after=after, limit=query["limit"]
        )


@routes.get("/changesets/<uuid:changeset_id>/faults.csv", allow=_UPLOADERS)
def download_faults(caller: Identity, changeset_id: uuid.UUID) -> Response:
    """Everything that is wrong, as a sheet."""

    def read(session: Session, after: int) -> dict[str, Any]:
        return use_cases.list_faults(
            session, program_id=caller.program_id, changeset_id=changeset_id, after=after, limit=_AT_A_TIME
        )

    with transaction() as session:
        faults = [fault for page in _pages(partial(read, session), 0) for fault in page["faults"]]
    shown = schemas.FaultSchema(many=True).dump(faults)
    return csv_answer("faults", _headings("part", "line", "column", "code", "en", "zh"), shown)


@routes.get("/changesets/<uuid:changeset_id>/lines.csv", allow=_UPLOADERS)
def download_lines(caller: Identity, changeset_id: uuid.UUID) -> Response:
    """Every line with balances before and after, as a sheet."""

    def read(session: Session, after: str) -> dict[str, Any]:
        behind = schemas.position(after)
        return use_cases.list_lines(
            session, program_id=caller.program_id, changeset_id=changeset_id, after=behind, limit=_AT_A_TIME
        )

    with transaction() as session:
        lines = [line for page in _pages(partial(read, session), "0.0") for line in page["lines"]]
    columns = ("part", "line", "member_id", "asset", "amount", "reason", "validity", "before", "after")
    return csv_answer("lines", _headings(*columns), lines)


def _pages(read: Callable[[Any], dict[str, Any]], after: Any) -> Iterable[dict[str, Any]]:
    while after is not None:
        page = read(after)
        yield page
        after = page["next"]


def _headings(*columns: str) -> dict[str, Heading]:
    """Columns named alike in every language, as in the sheets that are uploaded."""
    return {column: Heading(column, column) for column in columns}
