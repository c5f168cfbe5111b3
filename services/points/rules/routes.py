"""Earning rules over HTTP, for marketers."""

from typing import Any

from common.clock import now
from common.http.callers import ANY_STAFF, staff
from common.http.routes import Routes
from common.identity import Identity
from services.points.database import transaction
from services.points.rules import schemas, use_cases
from services.points.rules.document_schemas import RuleDocument
from services.points.rules.simulation_schemas import SimulationRequest, SimulationResponse
from services.points.rules.simulations import Simulation
from services.points.rules.wordings import WORDINGS

routes = Routes("rules", wordings=WORDINGS, description="Earning rules: draft, simulate, publish, roll back")

_MARKETERS = (staff("marketer"),)


@routes.put("/rules/<code:code>/draft", allow=_MARKETERS, body=RuleDocument, answer=schemas.RuleResponse)
def draft_rule(caller: Identity, code: str, body: dict[str, Any]) -> Any:
    """Write a rule's draft; nothing changes for members until it is published."""
    with transaction() as session:
        return use_cases.draft_rule(session, program_id=caller.program_id, code=code, document=body)


@routes.post("/rules/<code:code>/simulation", allow=_MARKETERS, body=SimulationRequest, answer=SimulationResponse)
def simulate(caller: Identity, code: str, body: dict[str, Any]) -> Simulation:
    """What one event would bring with the draft in place, rule by rule, and why; nothing is written."""
    with transaction() as session:
        return use_cases.simulate(
            session,
            program_id=caller.program_id,
            code=code,
            event_type=body["type"],
            time=body["time"] or now(),
            data=body["data"],
            member=body["member"],
            member_id=body["member_id"],
        )


@routes.post("/rules/<code:code>/publication", allow=_MARKETERS, answer=schemas.RuleResponse, once=True)
def publish(session: Any, caller: Identity, code: str) -> Any:
    """Make the draft a new immutable version that decides from now on."""
    return use_cases.publish(session, program_id=caller.program_id, code=code, actor=caller.actor)


@routes.post(
    "/rule-publications",
    allow=_MARKETERS,
    body=schemas.PublicationRequest,
    answer=schemas.RuleListResponse,
    once=True,
)
def publish_set(session: Any, caller: Identity, body: dict[str, Any]) -> dict[str, Any]:
    """Publish the drafts of several rules together: all of them decide from now on, or none does."""
    published = use_cases.publish_set(session, program_id=caller.program_id, codes=body["rules"], actor=caller.actor)
    return {"rules": published}


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
    """A rule with all its versions, and with who made which live when, newest first."""
    with transaction() as session:
        return use_cases.show_rule(session, program_id=caller.program_id, code=code)


@routes.put("/rule-groups/<code:code>", allow=_MARKETERS, body=schemas.GroupRequest, answer=schemas.GroupResponse)
def put_group(caller: Identity, code: str, body: dict[str, Any]) -> Any:
    """Create a stacking group, or change how its rules get along for events from now on."""
    with transaction() as session:
        return use_cases.put_group(
            session, program_id=caller.program_id, code=code, mode=body["mode"], actor=caller.actor
        )


@routes.get("/rule-groups", allow=(ANY_STAFF,), answer=schemas.GroupListResponse)
def list_groups(caller: Identity) -> dict[str, Any]:
    """Every stacking group."""
    with transaction() as session:
        return {"groups": use_cases.list_groups(session, program_id=caller.program_id)}


@routes.put(
    "/rule-settings", allow=(staff("admin"),), body=schemas.RuleSettingsRequest, answer=schemas.RuleSettingsResponse
)
def configure_settings(caller: Identity, body: dict[str, Any]) -> dict[str, bool]:
    """Say whether publications and rollbacks wait for a second person (POST /v1/rule-proposals)."""
    with transaction() as session:
        needed = use_cases.require_second_person(session, program_id=caller.program_id, actor=caller.actor, **body)
    return {"second_person": needed}


@routes.get("/rule-settings", allow=(ANY_STAFF,), answer=schemas.RuleSettingsResponse)
def show_settings(caller: Identity) -> dict[str, bool]:
    """How rules go live here."""
    with transaction() as session:
        return {"second_person": use_cases.needs_second_person(session, program_id=caller.program_id)}
