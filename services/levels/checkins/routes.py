"""Check-ins over HTTP."""

from collections.abc import Sequence
from typing import Any

from sqlmodel import Session

from common import clock
from common.http.callers import ANY_STAFF, MEMBER, staff
from common.http.crowd import Sent
from common.http.routes import Routes
from common.identity import Identity
from services.levels.checkins import use_cases
from services.levels.checkins.domain import Campaign, Tap
from services.levels.checkins.schemas import (
    CalendarQuery,
    CalendarResponse,
    CampaignListResponse,
    CampaignRequest,
    CampaignResponse,
    CheckInRequest,
    TapResponse,
)
from services.levels.checkins.use_cases import Tapped
from services.levels.checkins.wordings import WORDINGS
from services.levels.database import transaction

routes = Routes("checkins", wordings=WORDINGS, description="Daily check-ins, their streaks and what they give")


@routes.put(
    "/checkins/campaigns/<code:code>", allow=(staff("marketer"),), body=CampaignRequest, answer=CampaignResponse
)
def publish_campaign(caller: Identity, code: str, body: dict[str, Any]) -> Campaign:
    """Publish a campaign's next version."""
    tables: dict[str, Any] = {"day_table": tuple(body.pop("day_table")), "milestones": tuple(body.pop("milestones"))}
    terms = Campaign(code=code, version=0, **tables, **body)
    with transaction() as session:
        return use_cases.publish_campaign(
            session, program_id=caller.program_id, campaign=terms, by=caller.actor, now=clock.now()
        )


@routes.get("/checkins/campaigns", allow=(MEMBER, ANY_STAFF), answer=CampaignListResponse)
def list_campaigns(caller: Identity) -> dict[str, Any]:
    """The campaigns in force."""
    with transaction() as session:
        return {"campaigns": use_cases.list_campaigns(session, program_id=caller.program_id)}


def check_in_together(session: Session, sent: Sequence[Sent]) -> list[Tapped]:
    """Check in whoever taps right now."""
    taps = [Tap(one.caller.program_id, one.caller.member_id, one.body["campaign"]) for one in sent]
    return use_cases.check_in(session, taps, now=clock.now())


@routes.post("/checkins", allow=(MEMBER,), body=CheckInRequest, answer=TapResponse, once=True, crowd=check_in_together)
def check_in(session: Session, caller: Identity, body: dict[str, Any]) -> Tapped:
    """Check in for today; a second tap on the same day answers with the same check-in."""
    tap = Tap(caller.program_id, caller.member_id, body["campaign"])
    [tapped] = use_cases.check_in(session, [tap], now=clock.now())
    return tapped


@routes.get("/checkins", allow=(MEMBER,), query=CalendarQuery, answer=CalendarResponse)
def show_calendar(caller: Identity, query: dict[str, Any]) -> use_cases.Calendar:
    """The member's calendar and streak."""
    whose: dict[str, Any] = {"program_id": caller.program_id, "member_id": caller.member_id}
    with transaction() as session:
        return use_cases.calendar(session, **whose, **query, now=clock.now())
