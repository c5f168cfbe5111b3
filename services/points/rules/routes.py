"""Earning rules over HTTP, for marketers."""

from typing import Any

from common.clock import now
from common.http.callers import ANY_STAFF, staff
from common.http.routes import Routes
from common.identity import Identity
from services.points.database import transaction
from services.points.rules import schemas, use_cases
from services.points.rules.domain import Decision

routes = Routes("rules", description="Earning rules: draft, simulate, publish, roll back")

_MARKETERS = (staff("marketer"),)


@routes.put("/rules/<code:code>/draft", allow=_MARKETERS, body=schemas.RuleDocument, answer=schemas.RuleResponse)
def draft_rule(caller: Identity, code: str, body: dict[str, Any]) -> Any:
    """Write a rule's draft; nothing changes for members until it is published."""
    with transaction() as session:
        return use_cases.draft_rule(session, program_id=caller.program_id, code=code, document=body)


@routes.post(
    "/rules/<code:code>/simulation", allow=_MARKETERS, body=schemas.SimulationRequest, answer=schemas.DecisionResponse
)
def simulate(caller: Identity, code: str, body: dict[str, Any]) -> Decision:
    """What the draft would award for one event, and why; nothing is written."""
    with transaction() as session:
        return use_cases.simulate(
            session,
            program_id=caller.program_id,
            code=code,
            event_type=body["type"],
            time=body["time"] or now(),
            data=body["data"],
        )


@routes.post("/rules/<code:code>/publication", allow=_MARKETERS, answer=schemas.RuleResponse, once=True)
def publish(session: Any, caller: Identity, code: str) -> Any:
    """Make the draft a new immutable version that decides from now on."""
    return use_cases.publish(session, program_id=caller.program_id, code=code, actor=caller.actor)


@routes.post(
    "/rules/<code:code>/rollback",
    allow=_MARKETERS,
    body=schemas.RollbackRequest,
    answer=schemas.RuleResponse,
    once=True,
)
def roll_back(session: Any, caller: Identity, code: str, body: dict[str, Any]) -> Any:
    """Let an earlier version decide again; what was awarded meanwhile keeps its own."""
    return use_cases.roll_back(
        session, program_id=caller.program_id, code=code, version=body["version"], actor=caller.actor
    )


@routes.post("/rules/<code:code>/retirement", allow=_MARKETERS, answer=schemas.RuleResponse, once=True)
def retire(session: Any, caller: Identity, code: str) -> Any:
    """Let the rule decide nothing any more."""
    return use_cases.retire(session, program_id=caller.program_id, code=code, actor=caller.actor)


@routes.get("/rules", allow=(ANY_STAFF,), answer=schemas.RuleListResponse)
def list_rules(caller: Identity) -> dict[str, Any]:
    """Every rule with its draft and live version."""
    with transaction() as session:
        return {"rules": use_cases.list_rules(session, program_id=caller.program_id)}


@routes.get("/rules/<code:code>", allow=(ANY_STAFF,), answer=schemas.RuleHistoryResponse)
def show_rule(caller: Identity, code: str) -> dict[str, Any]:
    """A rule with all its versions, newest first."""
    with transaction() as session:
        return use_cases.show_rule(session, program_id=caller.program_id, code=code)
