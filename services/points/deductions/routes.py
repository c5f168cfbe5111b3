"""Paying part of an order with points over HTTP: members at the till, the brand's systems for its orders."""

import uuid
from typing import Any

from sqlmodel import Session

from common.clock import now
from common.http.callers import ANY_STAFF, MEMBER, SERVICE, owner, staff, system
from common.http.routes import Routes
from common.identity import Identity
from services.points.database import transaction
from services.points.deductions import schemas, use_cases
from services.points.deductions.domain import Policy
from services.points.deductions.use_cases import Shown
from services.points.deductions.wordings import WORDINGS

routes = Routes("deductions", wordings=WORDINGS, description="Points as part of an order's payment")

_SYSTEMS = (system("ledger"), SERVICE)
_TILL = (MEMBER, *_SYSTEMS)


@routes.put("/deduction-policy", allow=(staff("marketer"),), body=schemas.PolicyRequest, answer=schemas.PolicyResponse)
def configure_policy(caller: Identity, body: dict[str, Any]) -> Any:
    """Say what points are worth at the till and how many an order takes; deductions made before keep their version."""
    with transaction() as session:
        return use_cases.configure_policy(
            session, program_id=caller.program_id, actor=caller.actor, policy=Policy(**body)
        )


@routes.get(
    "/deduction-policy",
    allow=(MEMBER, ANY_STAFF, system("read"), system("ledger"), SERVICE),
    answer=schemas.PolicyResponse,
)
def show_policy(caller: Identity) -> Any:
    """The policy in force."""
    with transaction() as session:
        return use_cases.show_policy(session, program_id=caller.program_id)


@routes.post("/deductions/quotes", allow=_TILL, body=schemas.QuoteRequest, answer=schemas.QuoteResponse)
def quote(caller: Identity, body: dict[str, Any]) -> dict[str, Any]:
    """The most points that an order takes of a member, what they deduct, and which limits bite; nothing is written."""
    member = owner(caller, body["member_id"], pointer="/member_id")
    with transaction() as session:
        policy, found = use_cases.quote(
            session,
            program_id=caller.program_id,
            member_id=member,
            order_fen=body["order_fen"],
            wanted=body["points"],
            now=now(),
        )
    return {
        "asset": policy.asset,
        "points": found.points,
        "deducted_fen": found.deducted_fen,
        "cash_fen": found.cash_fen,
        "caps": found.caps,
    }


@routes.post(
    "/deductions", allow=_TILL, body=schemas.DeductionRequest, answer=schemas.DeductionResponse, status=201, once=True
)
def deduct(session: Session, caller: Identity, body: dict[str, Any]) -> Shown:
    """Hold points for an order until it is paid or given up, or the time is over; one deduction an order."""
    member = owner(caller, body.pop("member_id"), pointer="/member_id")
    return use_cases.deduct(
        session, program_id=caller.program_id, actor=caller.actor, member_id=member, now=now(), **body
    )


@routes.get(
    "/deductions/<uuid:deduction_id>",
    allow=(MEMBER, ANY_STAFF, system("read"), *_SYSTEMS),
    query=schemas.DeductionQuery,
    answer=schemas.DeductionResponse,
)
def show(caller: Identity, deduction_id: uuid.UUID, query: dict[str, Any]) -> Shown:
    """A deduction, where it stands, and what refunds gave back of it."""
    member = owner(caller, query.get("member_id"))
    with transaction() as session:
        return use_cases.show(
            session, program_id=caller.program_id, member_id=member, deduction_id=deduction_id, now=now()
        )


@routes.post(
    "/deductions/<uuid:deduction_id>/capture",
    allow=_SYSTEMS,
    body=schemas.DeductionCaptureRequest,
    answer=schemas.DeductionResponse,
    once=True,
)
def capture(session: Session, caller: Identity, deduction_id: uuid.UUID, body: dict[str, Any]) -> Shown:
    """The order was paid: spend the points that were held."""
    return use_cases.capture(
        session, program_id=caller.program_id, actor=caller.actor, deduction_id=deduction_id, now=now(), **body
    )


@routes.post(
    "/deductions/<uuid:deduction_id>/void",
    allow=_TILL,
    body=schemas.DeductionVoidRequest,
    answer=schemas.DeductionResponse,
    once=True,
)
def void(session: Session, caller: Identity, deduction_id: uuid.UUID, body: dict[str, Any]) -> Shown:
    """The order was given up: the points return to their lots and days."""
    member = owner(caller, body["member_id"], pointer="/member_id")
    return use_cases.void(
        session,
        program_id=caller.program_id,
        actor=caller.actor,
        member_id=member,
        deduction_id=deduction_id,
        now=now(),
    )


@routes.post(
    "/deductions/<uuid:deduction_id>/refunds",
    allow=_SYSTEMS,
    body=schemas.RefundRequest,
    answer=schemas.RefundResponse,
    status=201,
    once=True,
)
def refund(session: Session, caller: Identity, deduction_id: uuid.UUID, body: dict[str, Any]) -> Any:
    """The order was refunded, wholly or in part: points go back in proportion to the lots that they came from."""
    return use_cases.refund(
        session, program_id=caller.program_id, actor=caller.actor, deduction_id=deduction_id, now=now(), **body
    )
