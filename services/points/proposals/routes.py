"""Letting rules go live by two people, over HTTP."""

import uuid
from typing import Any

from common.clock import now
from common.http.callers import ANY_STAFF, staff
from common.http.routes import Routes
from common.identity import Identity
from services.points.database import transaction
from services.points.proposals import schemas, use_cases
from services.points.proposals.wordings import WORDINGS

routes = Routes("rule-proposals", wordings=WORDINGS, description="Rules that go live once a second person says yes")

_MARKETERS = (staff("marketer"),)


@routes.post(
    "/rule-proposals",
    allow=_MARKETERS,
    body=schemas.ProposalRequest,
    answer=schemas.ProposalResponse,
    status=201,
    once=True,
)
def propose(session: Any, caller: Identity, body: dict[str, Any]) -> dict[str, Any]:
    """Ask that drafts and earlier versions go live together; nothing changes until a second person says yes."""
    return use_cases.propose(
        session,
        program_id=caller.program_id,
        drafts=body["drafts"],
        rollbacks={one["rule"]: one["version"] for one in body["rollbacks"]},
        note=body["note"],
        actor=caller.actor,
        now=now(),
    )


@routes.post(
    "/rule-proposals/<uuid:proposal_id>/approval",
    allow=_MARKETERS,
    body=schemas.ApprovalRequest,
    answer=schemas.ProposalResponse,
    once=True,
)
def approve(session: Any, caller: Identity, proposal_id: uuid.UUID, body: dict[str, Any]) -> dict[str, Any]:
    """Let all of it go live now, as the second person, by the fingerprint of what was shown."""
    return use_cases.approve(
        session, program_id=caller.program_id, proposal_id=proposal_id, actor=caller.actor, now=now(), **body
    )


@routes.post(
    "/rule-proposals/<uuid:proposal_id>/rejection",
    allow=_MARKETERS,
    body=schemas.ProposalRejectionRequest,
    answer=schemas.ProposalResponse,
    once=True,
)
def reject(session: Any, caller: Identity, proposal_id: uuid.UUID, body: dict[str, Any]) -> dict[str, Any]:
    """Turn it down, or withdraw your own; nothing goes live."""
    return use_cases.reject(
        session, program_id=caller.program_id, proposal_id=proposal_id, actor=caller.actor, now=now(), **body
    )


@routes.get("/rule-proposals", allow=(ANY_STAFF,), answer=schemas.ProposalListResponse)
def list_proposals(caller: Identity) -> dict[str, Any]:
    """The newest proposals, each with what would go live."""
    with transaction() as session:
        return {"proposals": use_cases.list_proposals(session, program_id=caller.program_id)}


@routes.get("/rule-proposals/<uuid:proposal_id>", allow=(ANY_STAFF,), answer=schemas.ProposalResponse)
def show_proposal(caller: Identity, proposal_id: uuid.UUID) -> dict[str, Any]:
    """One proposal with everything that would go live."""
    with transaction() as session:
        return use_cases.show_proposal(session, program_id=caller.program_id, proposal_id=proposal_id)
