"""Rule sets as documents over HTTP: export, import as drafts, templates."""

from typing import Any

from common.http.callers import ANY_STAFF, staff
from common.http.routes import Routes
from common.identity import Identity
from services.points.database import transaction
from services.points.rules.schemas import RuleListResponse
from services.points.rulesets import schemas, use_cases
from services.points.rulesets.wordings import WORDINGS

routes = Routes("rule-sets", wordings=WORDINGS, description="Sets of rules as documents: export, import, templates")


@routes.get("/rule-set", allow=(ANY_STAFF,), query=schemas.RuleSetQuery, answer=schemas.RuleSetResponse)
def export_set(caller: Identity, query: dict[str, Any]) -> dict[str, Any]:
    """Every live rule, or every draft, with the groups that they name, as one document."""
    with transaction() as session:
        return use_cases.export_set(session, program_id=caller.program_id, drafts=query["of"] == "drafts")


@routes.post(
    "/rule-set/imports",
    allow=(staff("marketer"),),
    body=schemas.RuleSetRequest,
    answer=RuleListResponse,
    status=201,
    once=True,
)
def import_set(session: Any, caller: Identity, body: dict[str, Any]) -> dict[str, Any]:
    """Write a set's rules as drafts, all of them or, when anything does not fit here, none."""
    imported = use_cases.import_set(
        session,
        program_id=caller.program_id,
        rule_list=body["rules"],
        groups=body["groups"],
        replace_drafts=body["replace_drafts"],
        actor=caller.actor,
    )
    return {"rules": imported}


@routes.get("/rule-templates", allow=(ANY_STAFF,), answer=schemas.TemplateListResponse)
def list_templates(caller: Identity) -> dict[str, Any]:
    """Sets to begin with."""
    return {"templates": use_cases.list_templates()}


@routes.get("/rule-templates/<code:code>", allow=(ANY_STAFF,), answer=schemas.RuleSetResponse)
def show_template(caller: Identity, code: str) -> dict[str, Any]:
    """The set of one template, ready to be imported."""
    return use_cases.show_template(code)
