"""A member's timeline and an order's explanation over HTTP."""

from typing import Any

from common.clock import now
from common.http.callers import MEMBER, owner, staff
from common.http.routes import Routes
from common.identity import Identity
from services.points.database import transaction
from services.points.timelines import schemas, use_cases
from services.points.timelines.wordings import WORDINGS

routes = Routes("timelines", wordings=WORDINGS, description="What happened to a member, and why")

_STAFF = (staff("customer_service"), staff("marketer"), staff("finance"))


@routes.get("/timeline", allow=(MEMBER, *_STAFF), query=schemas.TimelineQuery, answer=schemas.TimelineResponse)
def show_timeline(caller: Identity, query: dict[str, Any]) -> dict[str, Any]:
    """Everything that happened to a member in one order, each with its cause; members see their own."""
    member_id = owner(caller, query["member_id"])
    with transaction() as session:
        return use_cases.timeline(
            session,
            program_id=caller.program_id,
            member_id=member_id,
            after=query["after"],
            limit=query["limit"],
            for_staff=caller.kind == "staff",
        )


@routes.get("/explanations", allow=_STAFF, query=schemas.ExplanationQuery, answer=schemas.ExplanationResponse)
def explain_order(caller: Identity, query: dict[str, Any]) -> Any:
    """Why an order gave what it gave, or nothing: in sentences, with the next step."""
    with transaction() as session:
        return use_cases.explain(session, program_id=caller.program_id, now=now(), **query)
