"""Posting over HTTP: systems with scope `ledger` and neighbours. Singles in flight together are posted together."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from flask import Response
from sqlmodel import Session

from common.clock import now
from common.http.callers import MEMBER, SERVICE, owner, system
from common.http.routes import Routes
from common.identity import Identity
from services.points.database import retried, transaction
from services.points.ledger import schemas, use_cases
from services.points.ledger.domain import Kind, Outcome, Status
from services.points.ledger.teller import Posted, book_of, submit
from services.points.ledger.use_cases import AS_THE_ASSET, Command
from services.points.ledger.wordings import WORDINGS

routes = Routes("ledger", wordings=WORDINGS, description="Postings, reversals and transfers")

_POSTERS = (system("ledger"), SERVICE)
_KINDS = {"earn": Kind.EARN, "spend": Kind.SPEND}


@routes.post(
    "/postings",
    allow=_POSTERS,
    body=schemas.PostingRequest,
    answer=schemas.PostingResponse,
    status=201,
    key=True,
    lean=True,
)
def post(caller: Identity, key: str, body: dict[str, Any]) -> Posted:
    """Earn or spend, once per Idempotency-Key. What is earned may be pending: as the asset says, or `available_at`."""
    command = Command(
        scope=caller.actor,
        key=key,
        kind=_KINDS[body.pop("kind")],
        cause=f"{caller.actor} {key}",
        pending=AS_THE_ASSET,
        **body,
    )
    return submit(caller.program_id, command)


@routes.post(
    "/postings/batch", allow=_POSTERS, body=schemas.BatchRequest, answer=schemas.BatchResponse, once="if_keyed"
)
def post_batch(caller: Identity, body: dict[str, Any], session: Session | None) -> Response:
    """Post up to 1,000 lines, each once per its own key, so that the whole batch can be sent again.

    With `atomic` either every line is posted or none; the refused ones say why, the others are not_attempted. With an
    Idempotency-Key of its own the batch sent again is answered as it was first, and nothing of it is tried anew.
    """
    book = book_of(caller.program_id)
    instant = now()
    actor = caller.actor
    lines = [use_cases.line_of(book, _batch_command(actor, line), now=instant) for line in body["lines"]]
    zones = {caller.program_id: book.program.time_zone}
    call = use_cases.post_all_or_nothing if body["atomic"] else use_cases.post
    unit = transaction if session is None else partial(_savepoint, session)
    outcomes = retried(lambda session: call(session, lines, zones=zones), unit=unit)
    results = [_result(line["key"], outcome) for line, outcome in zip(body["lines"], outcomes, strict=True)]
    posted = sum(outcome.status == Status.POSTED for outcome in outcomes)
    answer = f'{{"posted":{posted},"refused":{len(results) - posted},"results":[{",".join(results)}]}}'
    return Response(answer, content_type="application/json")


@routes.post(
    "/reversals", allow=_POSTERS, body=schemas.ReversalRequest, answer=schemas.PostingResponse, status=201, key=True
)
def reverse(caller: Identity, key: str, body: dict[str, Any]) -> Posted:
    """Undo what a posting really did, wholly or in part; with `up_to` as much of the amount as is left of it.

    What an adjustment or an exchange posted is undone there.
    """
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
        up_to=body["up_to"],
    )
    with transaction() as session:
        use_cases.check_reversible(session, program_id=caller.program_id, posting_id=body["posting_id"])
    return submit(caller.program_id, command)


@routes.post(
    "/transfers",
    allow=(MEMBER, system("ledger")),
    body=schemas.TransferRequest,
    answer=schemas.PostingResponse,
    status=201,
    key=True,
)
def transfer(caller: Identity, key: str, body: dict[str, Any]) -> Posted:
    """Give to another member, where the asset allows it; the lots keep their days. The answer is the giver's side."""
    use_cases.check_unpaid(body.pop("price_fen"))
    payer = owner(caller, body.pop("member_id"), pointer="/member_id")
    with transaction() as session:
        use_cases.check_receiver(session, program_id=caller.program_id, member_id=body["to_member_id"])
    command = Command(
        scope=caller.actor, key=key, kind=Kind.TRANSFER_OUT, member_id=payer, cause=f"{caller.actor} {key}", **body
    )
    return submit(caller.program_id, command)


@contextmanager
def _savepoint(session: Session) -> Iterator[Session]:
    with session.begin_nested():
        yield session


def _batch_command(actor: str, line: dict[str, Any]) -> Command:
    key = line["key"]
    # By position: there are a thousand of them.
    return Command(
        actor,
        key,
        _KINDS[line["kind"]],
        line["member_id"],
        line["asset"],
        line["amount"],
        f"{actor} {key}",
        line["reason"],
        line["validity"],
        line["earned_at"],
        line["available_at"],
        AS_THE_ASSET,
    )


def _result(key: str, outcome: Outcome) -> str:
    if outcome.status == Status.POSTED:
        return schemas.result_text(key, "posted", outcome)
    if outcome.status == Status.NOT_ATTEMPTED:
        return schemas.result_text(key, "not_attempted", outcome)
    return schemas.result_text(key, use_cases.refusal_of(outcome).code, outcome)
