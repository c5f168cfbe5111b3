"""Posting over HTTP: systems with scope `ledger` and neighbours. Singles in flight together are posted together."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from common.clock import now
from common.http.callers import ANY_STAFF, MEMBER, SERVICE, owner, system
from common.http.routes import Routes
from common.identity import Identity
from services.points.database import UNAVAILABLE, retried, transaction
from services.points.ledger import schemas, use_cases
from services.points.ledger.domain import Kind, Line, Outcome, Status
from services.points.ledger.poster import Poster
from services.points.ledger.schemas import as_uuid
from services.points.ledger.use_cases import Command
from services.points.programs.use_cases import ProgramBook, read_book, remembered_book

routes = Routes("ledger", description="Accounts, postings, holds and reversals")

_READERS = (MEMBER, ANY_STAFF, system("read"), SERVICE)
_POSTERS = (system("ledger"), SERVICE)


@dataclass(frozen=True)
class Posted:
    """An outcome as it is shown."""

    posting_id: uuid.UUID
    kind: str
    member_id: int
    asset: str
    amount: int
    seq: int
    balance: int
    available: int
    held: int
    debt: int
    at: datetime
    replayed: bool


@dataclass(frozen=True)
class ShownHold:
    """A hold as it is shown."""

    hold_id: uuid.UUID
    member_id: int
    asset: str
    amount: int
    captured: int
    state: str
    expires_at: datetime
    posting_id: uuid.UUID | None = None
    seq: int | None = None
    replayed: bool = field(default=False)


def _post_together(lines: Sequence[Line]) -> list[Outcome]:
    books = {line.program_id: _book(line.program_id) for line in lines}
    zones = {program_id: book.program.time_zone for program_id, book in books.items()}
    return retried(lambda session: use_cases.post(session, lines, zones=zones))


poster = Poster(_post_together, unavailable=UNAVAILABLE)


@routes.post(
    "/postings", allow=_POSTERS, body=schemas.PostingRequest, answer=schemas.PostingResponse, status=201, key=True
)
def post(caller: Identity, key: str, body: dict[str, Any]) -> Posted:
    """Earn or spend, once per Idempotency-Key."""
    command = Command(
        scope=caller.actor,
        key=key,
        kind=Kind[body.pop("kind").upper()],
        cause=f"{caller.actor} {key}",
        **body,
    )
    return _submit(caller.program_id, command)


@routes.post("/postings/batch", allow=_POSTERS, body=schemas.BatchRequest, answer=schemas.BatchResponse, ready=True)
def post_batch(caller: Identity, body: dict[str, Any]) -> dict[str, Any]:
    """Post up to 1,000 lines, each once per its own key, so that the whole batch can be sent again.

    With `atomic` either every line is posted or none; the refused ones say why, the others are not_attempted.
    """
    book = _book(caller.program_id)
    instant = now()
    lines = [use_cases.line_of(book, _batch_command(caller, line), now=instant) for line in body["lines"]]
    zones = {caller.program_id: book.program.time_zone}
    call = use_cases.post_all_or_nothing if body["atomic"] else use_cases.post
    outcomes = retried(lambda session: call(session, lines, zones=zones))
    results = [_result(line["key"], outcome) for line, outcome in zip(body["lines"], outcomes, strict=True)]
    posted = sum(outcome.status == Status.POSTED for outcome in outcomes)
    return {"posted": posted, "refused": len(results) - posted, "results": results}


@routes.post("/holds", allow=_POSTERS, body=schemas.HoldRequest, answer=schemas.HoldResponse, status=201, key=True)
def hold(caller: Identity, key: str, body: dict[str, Any]) -> ShownHold:
    """Reserve points until captured, voided or expired; an expiring lot cannot break the capture."""
    command = Command(scope=caller.actor, key=key, kind=Kind.HOLD, cause=f"{caller.actor} {key}", **body)
    posted = _submit(caller.program_id, command)
    return _show_hold(caller, posted.posting_id, body["member_id"], posted)


@routes.get("/holds/<uuid:hold_id>", allow=_READERS, query=schemas.OwnerQuery, answer=schemas.HoldResponse)
def show_hold(caller: Identity, hold_id: uuid.UUID, query: dict[str, Any]) -> ShownHold:
    """A hold of a member."""
    return _show_hold(caller, hold_id, owner(caller, query.get("member_id")))


@routes.post(
    "/holds/<uuid:hold_id>/capture",
    allow=_POSTERS,
    body=schemas.CaptureRequest,
    answer=schemas.HoldResponse,
    key=True,
)
def capture(caller: Identity, hold_id: uuid.UUID, key: str, body: dict[str, Any]) -> ShownHold:
    """Spend a hold, wholly or in part, once; the rest returns to its lots."""
    return _end_hold(caller, hold_id, key, body["member_id"], Kind.CAPTURE, body["amount"] or 0)


@routes.post(
    "/holds/<uuid:hold_id>/void", allow=_POSTERS, body=schemas.VoidRequest, answer=schemas.HoldResponse, key=True
)
def void(caller: Identity, hold_id: uuid.UUID, key: str, body: dict[str, Any]) -> ShownHold:
    """Give a hold up: everything returns to its lots and their days."""
    return _end_hold(caller, hold_id, key, body["member_id"], Kind.VOID, 0)


@routes.post(
    "/reversals", allow=_POSTERS, body=schemas.ReversalRequest, answer=schemas.PostingResponse, status=201, key=True
)
def reverse(caller: Identity, key: str, body: dict[str, Any]) -> Posted:
    """Undo what a posting really did, wholly or in part."""
    command = Command(
        scope=caller.actor,
        key=key,
        kind=Kind.REVERSE,
        member_id=body["member_id"],
        asset=body["asset"],
        amount=body["amount"] or 0,
        cause=f"{caller.actor} {key}",
        reason=body["reason"],
        reverses_posting=body["posting_id"].bytes,
    )
    return _submit(caller.program_id, command)


def _book(program_id: int) -> ProgramBook:
    book = remembered_book(program_id)
    if book is None:
        with transaction() as session:
            book = read_book(session, program_id)
    return book


def _submit(program_id: int, command: Command) -> Posted:
    book = _book(program_id)
    outcome = poster.submit(use_cases.line_of(book, command, now=now()))
    if outcome.status != Status.POSTED:
        raise use_cases.refusal_of(outcome)
    return Posted(
        as_uuid(outcome.posting_id),
        outcome.kind.name.lower(),
        outcome.member_id,
        command.asset,
        outcome.amount,
        outcome.seq,
        outcome.balance,
        outcome.available,
        outcome.held,
        outcome.debt,
        datetime.fromtimestamp(outcome.at_us / 1_000_000, UTC),
        outcome.replayed,
    )


def _batch_command(caller: Identity, line: dict[str, Any]) -> Command:
    kind = Kind[line["kind"].upper()]
    named = {name: value for name, value in line.items() if name != "kind"}
    return Command(scope=caller.actor, kind=kind, cause=f"{caller.actor} {line['key']}", **named)


def _result(key: str, outcome: Outcome) -> dict[str, Any]:
    posted = outcome.status == Status.POSTED
    status = "posted" if posted else "not_attempted"
    if outcome.status not in (Status.POSTED, Status.NOT_ATTEMPTED):
        status = use_cases.refusal_of(outcome).code
    return {
        "key": key,
        "status": status,
        "replayed": outcome.replayed,
        "posting_id": as_uuid(outcome.posting_id),
        "seq": outcome.seq if posted else None,
        "balance": outcome.balance if posted else None,
        "available": outcome.available if posted else None,
    }


def _end_hold(caller: Identity, hold_id: uuid.UUID, key: str, member_id: int, kind: Kind, amount: int) -> ShownHold:
    held = _show_hold(caller, hold_id, member_id)
    command = Command(
        scope=caller.actor,
        key=key,
        kind=kind,
        member_id=member_id,
        asset=held.asset,
        amount=amount,
        cause=f"{caller.actor} {key}",
        hold_id=hold_id.bytes,
    )
    return _show_hold(caller, hold_id, member_id, _submit(caller.program_id, command))


def _show_hold(caller: Identity, hold_id: uuid.UUID, member_id: int, posted: Posted | None = None) -> ShownHold:
    with transaction() as session:
        row, state = use_cases.show_hold(
            session, program_id=caller.program_id, hold_id=hold_id, member_id=member_id, now=now()
        )
    return ShownHold(
        row.id,
        row.member_id,
        row.asset,
        row.amount,
        row.captured,
        state.name.lower(),
        row.expires_at,
        posted.posting_id if posted else None,
        posted.seq if posted else None,
        bool(posted and posted.replayed),
    )
