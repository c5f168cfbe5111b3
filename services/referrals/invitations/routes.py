"""Invitation campaigns and codes over HTTP."""

from common import clock
from common.http.callers import ANY_STAFF, MEMBER, staff, system
from common.http.routes import Routes
from common.identity import Identity
from services.referrals.database import transaction
from services.referrals.invitations import use_cases
from services.referrals.invitations.domain import Campaign, Invitation, Terms
from services.referrals.invitations.schemas import (
    InvitationCampaignListResponse,
    InvitationCampaignRequest,
    InvitationCampaignResponse,
    InvitationRequest,
    InvitationResponse,
)
from services.referrals.invitations.wordings import WORDINGS

routes = Routes("invitations", wordings=WORDINGS, description="Inviting friends")


@routes.put(
    "/invitations/campaigns/<code:code>",
    allow=(staff("marketer"),),
    body=InvitationCampaignRequest,
    answer=InvitationCampaignResponse,
)
def configure_campaign(caller: Identity, code: str, body: Terms) -> Campaign:
    """Publish a campaign's terms as its next version; bindings made before keep theirs."""
    with transaction() as session:
        return use_cases.configure_campaign(
            session, program_id=caller.program_id, code=code, terms=body, by=caller.actor, now=clock.now()
        )


@routes.get("/invitations/campaigns", allow=(MEMBER, ANY_STAFF, system("read")), answer=InvitationCampaignListResponse)
def list_campaigns(caller: Identity) -> dict[str, list[Campaign]]:
    """The program's campaigns with their full terms."""
    with transaction() as session:
        return {"campaigns": use_cases.list_campaigns(session, program_id=caller.program_id)}


@routes.post("/invitations", allow=(MEMBER,), body=InvitationRequest, answer=InvitationResponse, status=201)
def invite(caller: Identity, body: dict[str, str]) -> Invitation:
    """My code in a campaign; asked again, the same code."""
    with transaction() as session:
        return use_cases.invite(
            session, program_id=caller.program_id, member_id=caller.member_id, now=clock.now(), **body
        )
