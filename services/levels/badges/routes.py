"""Badges over HTTP."""

from dataclasses import asdict
from typing import Any

from common import clock
from common.http.callers import ANY_STAFF, MEMBER, staff
from common.http.routes import Routes
from common.identity import Identity
from services.levels.badges import use_cases
from services.levels.badges.domain import Badge
from services.levels.badges.schemas import (
    BadgeListResponse,
    BadgeRequest,
    BadgeResponse,
    MemberBadgesResponse,
    RevocationRequest,
    RevocationResponse,
)
from services.levels.badges.wordings import WORDINGS
from services.levels.database import transaction

routes = Routes("badges", wordings=WORDINGS, description="The badge catalogue and who holds what")


@routes.put("/badges/<code:code>", allow=(staff("marketer"),), body=BadgeRequest, answer=BadgeResponse)
def describe_badge(caller: Identity, code: str, body: dict[str, Any]) -> Badge:
    """Put a badge into the catalogue, or change it."""
    badge = Badge(code=code, **body)
    with transaction() as session:
        return use_cases.describe(session, program_id=caller.program_id, badge=badge, by=caller.actor, now=clock.now())


@routes.get("/badges", allow=(MEMBER, ANY_STAFF), answer=BadgeListResponse)
def list_badges(caller: Identity) -> dict[str, Any]:
    """The catalogue; a member also sees which of them they hold."""
    with transaction() as session:
        catalogue = [asdict(badge) for badge in use_cases.list_catalogue(session, program_id=caller.program_id)]
        if caller.kind == "member":
            held = use_cases.held(session, program_id=caller.program_id, member_id=caller.member_id)
            catalogue = [{**badge, "held": [one for one in held if one.badge == badge["code"]]} for badge in catalogue]
    return {"badges": catalogue}


@routes.get("/badges/members/<id:member_id>", allow=(ANY_STAFF,), answer=MemberBadgesResponse)
def show_member_badges(caller: Identity, member_id: int) -> dict[str, Any]:
    """What a member holds, and the history of it."""
    whose = {"program_id": caller.program_id, "member_id": member_id}
    with transaction() as session:
        return {"held": use_cases.held(session, **whose), "history": use_cases.history(session, **whose)}


@routes.post(
    "/badges/members/<id:member_id>/<code:code>/revocation",
    allow=(staff("customer_service"),),
    body=RevocationRequest,
    answer=RevocationResponse,
)
def revoke_badge(caller: Identity, member_id: int, code: str, body: dict[str, Any]) -> dict[str, Any]:
    """Take a badge from a member, all its periods; the history keeps who did it and why."""
    badge: dict[str, Any] = {"program_id": caller.program_id, "member_id": member_id, "badge": code}
    with transaction() as session:
        return {"history": use_cases.revoke(session, **badge, reason=body["reason"], by=caller.actor, now=clock.now())}
