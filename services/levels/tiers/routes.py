"""Tiers over HTTP."""

from typing import Any

from common import clock
from common.http.callers import ANY_STAFF, MEMBER, SERVICE, owner, staff, system
from common.http.routes import Routes
from common.identity import Identity
from services.levels.database import transaction
from services.levels.tiers import use_cases
from services.levels.tiers.domain import Ladder
from services.levels.tiers.schemas import (
    ChangesQuery,
    LadderRequest,
    LadderResponse,
    TierChangesResponse,
    TierCountsResponse,
)
from services.levels.tiers.wordings import WORDINGS

routes = Routes("tiers", wordings=WORDINGS, description="The ladder of tiers")


@routes.put("/tiers", allow=(staff("marketer"),), body=LadderRequest, answer=LadderResponse)
def publish_ladder(caller: Identity, body: dict[str, Any]) -> Ladder:
    """Publish the whole ladder as its next version; members come under it within a minute, nobody down mid-window."""
    with transaction() as session:
        return use_cases.publish_ladder(session, program_id=caller.program_id, **body, by=caller.actor, now=clock.now())


@routes.get("/tiers", allow=(MEMBER, ANY_STAFF, system("read"), SERVICE), answer=LadderResponse)
def show_ladder(caller: Identity) -> Ladder:
    """The ladder in force."""
    with transaction() as session:
        return use_cases.show_ladder(session, program_id=caller.program_id)


@routes.get("/tiers/counts", allow=(ANY_STAFF,), answer=TierCountsResponse)
def count_tiers(caller: Identity) -> dict[str, Any]:
    """How many members hold each tier."""
    with transaction() as session:
        counted, as_of = use_cases.counts(session, program_id=caller.program_id)
    named = [
        {"code": tier.code, "name_en": tier.name_en, "name_zh": tier.name_zh, "members": members}
        for tier, members in counted
    ]
    return {"tiers": named, "as_of": as_of}


@routes.get("/tiers/changes", allow=(MEMBER, ANY_STAFF), query=ChangesQuery, answer=TierChangesResponse)
def list_changes(caller: Identity, query: dict[str, Any]) -> dict[str, Any]:
    """Why a member holds the tier they hold: every promotion, renewal and demotion with its cause."""
    whose = owner(caller, query["member_id"])
    with transaction() as session:
        return {"changes": use_cases.changes(session, program_id=caller.program_id, member_id=whose)}
