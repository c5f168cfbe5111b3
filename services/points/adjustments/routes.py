"""Adjustments over HTTP: agents ask, second persons decide."""

import uuid
from typing import Any

from sqlmodel import Session

from common.clock import now
from common.http.callers import ANY_STAFF, staff
from common.http.routes import Routes
from common.identity import Identity
from services.points.adjustments import schemas, use_cases
from services.points.adjustments.domain import Limit, Policy, Reason, Status, Wanted
from services.points.adjustments.wordings import WORDINGS
from services.points.database import transaction

routes = Routes(
    "adjustments", wordings=WORDINGS, description="Points given or taken by hand, with a second person above the limits"
)

_AGENTS = (staff("customer_service"),)
_DECIDERS = (staff("customer_service"), staff("finance"))


def _waits(row: Any) -> bool:
    return bool(row.status == Status.PENDING)


#: What each step answers with: the adjustment as it then stands.
_ONCE: dict[str, Any] = {"answer": schemas.AdjustmentResponse, "once": True}
_DECISION: dict[str, Any] = {"body": schemas.AdjustmentDecisionRequest, **_ONCE}


@routes.post("/adjustments", allow=_AGENTS, body=schemas.AdjustmentRequest, status=201, waits=_waits, **_ONCE)
def request_adjustment(session: Session, caller: Identity, body: dict[str, Any]) -> Any:
    """Give or take points: posted at once within your limits (201), else waiting for a second person (202)."""
    wanted = Wanted(**body)
    return use_cases.request_adjustment(session, program_id=caller.program_id, agent=caller, wanted=wanted, now=now())


@routes.post("/adjustments/redatings", allow=_AGENTS, body=schemas.RedatingRequest, status=201, waits=_waits, **_ONCE)
def request_redating(session: Session, caller: Identity, body: dict[str, Any]) -> Any:
    """Let points expire on another day. Within your limits later at once (201); sooner takes a second person (202)."""
    wanted = Wanted(**{**body, "until_on": body["until_on"] or body["from_on"]})
    return use_cases.request_redating(session, program_id=caller.program_id, agent=caller, wanted=wanted, now=now())


@routes.post("/adjustments/<uuid:adjustment_id>/approval", allow=_DECIDERS, **_DECISION)
def approve(session: Session, caller: Identity, adjustment_id: uuid.UUID, body: dict[str, Any]) -> Any:
    """Post what waits, as the second person: finance and admins whatever it is, agents within their own limits."""
    return use_cases.approve(
        session, program_id=caller.program_id, adjustment_id=adjustment_id, approver=caller, now=now(), **body
    )


@routes.post("/adjustments/<uuid:adjustment_id>/rejection", allow=_DECIDERS, **_DECISION)
def reject(session: Session, caller: Identity, adjustment_id: uuid.UUID, body: dict[str, Any]) -> Any:
    """Turn a request down, as the second person; nothing is posted."""
    return use_cases.reject(
        session, program_id=caller.program_id, adjustment_id=adjustment_id, approver=caller, now=now(), **body
    )


@routes.post("/adjustments/<uuid:adjustment_id>/undo", allow=_AGENTS, status=201, waits=_waits, **_DECISION)
def undo(session: Session, caller: Identity, adjustment_id: uuid.UUID, body: dict[str, Any]) -> Any:
    """Take an adjustment back by reversal, wholly or not at all; your limits apply as to any adjustment."""
    return use_cases.request_undo(
        session, program_id=caller.program_id, adjustment_id=adjustment_id, agent=caller, now=now(), **body
    )


@routes.get("/adjustments", allow=_DECIDERS, query=schemas.AdjustmentsQuery, answer=schemas.AdjustmentListResponse)
def list_adjustments(caller: Identity, query: dict[str, Any]) -> dict[str, Any]:
    """Adjustments by status, agent, member and business day, newest first."""
    with transaction() as session:
        return use_cases.list_adjustments(session, program_id=caller.program_id, **query)


@routes.get("/adjustments/<uuid:adjustment_id>", allow=_DECIDERS, answer=schemas.AdjustmentResponse)
def show_adjustment(caller: Identity, adjustment_id: uuid.UUID) -> Any:
    """One adjustment, with who asked and who decided."""
    with transaction() as session:
        return use_cases.show_adjustment(session, program_id=caller.program_id, adjustment_id=adjustment_id)


@routes.put(
    "/adjustment-reasons", allow=(staff("marketer"),), body=schemas.ReasonsRequest, answer=schemas.ReasonsResponse
)
def configure_reasons(caller: Identity, body: dict[str, Any]) -> Policy:
    """Replace the list of reasons that agents choose from."""
    reasons = [Reason(**reason) for reason in body["reasons"]]
    with transaction() as session:
        return use_cases.configure_reasons(session, program_id=caller.program_id, reasons=reasons, actor=caller.subject)


@routes.get("/adjustment-reasons", allow=(ANY_STAFF,), answer=schemas.ReasonsResponse)
def list_reasons(caller: Identity) -> Policy:
    """The reasons that agents choose from."""
    with transaction() as session:
        return use_cases.show_policy(session, program_id=caller.program_id)


@routes.put("/adjustment-limits", allow=(staff("finance"),), body=schemas.LimitsRequest, answer=schemas.LimitsResponse)
def configure_limits(caller: Identity, body: dict[str, Any]) -> Policy:
    """Replace the limits of the roles; what waits already goes on waiting."""
    limits = [Limit(**limit) for limit in body["limits"]]
    with transaction() as session:
        return use_cases.configure_limits(
            session,
            program_id=caller.program_id,
            limits=limits,
            pending_days=body["pending_days"],
            actor=caller.subject,
        )


@routes.get("/adjustment-limits", allow=_DECIDERS, answer=schemas.LimitsResponse)
def show_limits(caller: Identity) -> Policy:
    """What staff of each role post alone."""
    with transaction() as session:
        return use_cases.show_policy(session, program_id=caller.program_id)
