"""Group-buys over HTTP."""

from typing import Any
from uuid import UUID

from sqlmodel import Session

from common import clock
from common.http.callers import ANY_STAFF, MEMBER, staff, system
from common.http.routes import Routes
from common.identity import Identity
from services.referrals.database import transaction
from services.referrals.groupbuys import use_cases
from services.referrals.groupbuys.domain import Campaign, GroupView, Terms
from services.referrals.groupbuys.schemas import (
    GroupbuyCampaignListResponse,
    GroupbuyCampaignRequest,
    GroupbuyCampaignResponse,
    GroupListResponse,
    GroupResponse,
    GroupsQuery,
    OpenGroupRequest,
    OpenGroupsResponse,
)
from services.referrals.groupbuys.wordings import WORDINGS

routes = Routes("groupbuys", wordings=WORDINGS, description="Buying together")

_READERS = (MEMBER, ANY_STAFF, system("read"))


@routes.put(
    "/groupbuys/campaigns/<code:code>",
    allow=(staff("marketer"),),
    body=GroupbuyCampaignRequest,
    answer=GroupbuyCampaignResponse,
)
def configure_campaign(caller: Identity, code: str, body: Terms) -> Campaign:
    """Publish a campaign's terms as its next version; groups opened before keep theirs."""
    with transaction() as session:
        return use_cases.configure_campaign(
            session, program_id=caller.program_id, code=code, terms=body, by=caller.actor, now=clock.now()
        )


@routes.get("/groupbuys/campaigns", allow=_READERS, answer=GroupbuyCampaignListResponse)
def list_campaigns(caller: Identity) -> dict[str, list[Campaign]]:
    """The program's campaigns with their full terms."""
    with transaction() as session:
        return {"campaigns": use_cases.list_campaigns(session, program_id=caller.program_id)}


@routes.post("/groupbuys", allow=(MEMBER,), body=OpenGroupRequest, answer=GroupResponse, status=201, once=True)
def open_groupbuy(caller: Identity, session: Session, body: dict[str, str]) -> GroupView:
    """Open a group and hold its first seat for me until I have paid."""
    return use_cases.open_groupbuy(
        session, program_id=caller.program_id, member_id=caller.member_id, now=clock.now(), **body
    )


@routes.post("/groupbuys/<uuid:group_id>/seats", allow=(MEMBER,), answer=GroupResponse, status=201, once=True)
def join(caller: Identity, session: Session, group_id: UUID) -> GroupView:
    """Hold a seat for me until I have paid; in my own group, the seat I have."""
    return use_cases.join(
        session, program_id=caller.program_id, member_id=caller.member_id, group_id=group_id, now=clock.now()
    )


@routes.get("/groupbuys/<uuid:group_id>", allow=_READERS, answer=GroupResponse)
def show(caller: Identity, group_id: UUID) -> GroupView:
    """A group with its seats; who sits there is told to those who sit there."""
    with transaction() as session:
        return use_cases.show(
            session, program_id=caller.program_id, group_id=group_id, viewer_id=_viewer(caller), now=clock.now()
        )


@routes.get("/groupbuys/members/<id:member_id>", allow=(staff("customer_service"),), answer=OpenGroupsResponse)
def list_open_of(caller: Identity, member_id: int) -> dict[str, list[GroupView]]:
    """The open groups in which a member sits."""
    with transaction() as session:
        found = use_cases.list_open_of(session, program_id=caller.program_id, member_id=member_id, now=clock.now())
    return {"groupbuys": found}


@routes.get("/groupbuys", allow=_READERS, query=GroupsQuery, answer=GroupListResponse)
def list_to_join(caller: Identity, query: dict[str, Any]) -> dict[str, Any]:
    """The groups of a campaign that have a seat to take, soonest to end first."""
    with transaction() as session:
        found = use_cases.list_to_join(
            session, program_id=caller.program_id, viewer_id=_viewer(caller), now=clock.now(), **query
        )
    return {"groupbuys": found, "next": found[-1].group.id if len(found) == query["limit"] else None}


def _viewer(caller: Identity) -> int | None:
    return caller.member_id if caller.kind == "member" else None
