"""Members over HTTP."""

from typing import Any

from common import clock
from common.http.callers import ANY_STAFF, MEMBER, SERVICE, owner, staff, system
from common.http.routes import Routes
from common.identity import Identity
from services.levels.database import transaction
from services.levels.members import use_cases
from services.levels.members.domain import IdentityKey, Resolved
from services.levels.members.schemas import (
    MemberQuery,
    MemberRequest,
    PresenceRequest,
    PresenceResponse,
    ProfileResponse,
    ResolutionRequest,
    ResolutionResponse,
    ResolvedMember,
)
from services.levels.members.wordings import WORDINGS

routes = Routes("members", wordings=WORDINGS, description="Members and the identities that lead to them")


@routes.post(
    "/members/resolution",
    allow=(SERVICE, system("members")),
    body=ResolutionRequest,
    answer=ResolutionResponse,
)
def resolve(caller: Identity, body: dict[str, Any]) -> dict[str, list[Resolved]]:
    """Find out who somebody is, up to a thousand at once, in order; the same request again gives the same members."""
    at = clock.now()
    asked = {"persons": body["identities"], "create": body["create"], "joined_at": body["joined_at"] or at}
    with transaction() as session:
        return {"members": use_cases.resolve(session, program_id=caller.program_id, **asked, now=at)}


@routes.post("/members/presence", allow=(SERVICE,), body=PresenceRequest, answer=PresenceResponse)
def find_existing(caller: Identity, body: dict[str, Any]) -> dict[str, list[int]]:
    """Which of up to a thousand numbers are members of the program."""
    with transaction() as session:
        found = use_cases.existing_members(session, program_id=caller.program_id, member_ids=body["member_ids"])
    return {"member_ids": found}


@routes.post(
    "/members", allow=(system("members"), staff("customer_service")), body=MemberRequest, answer=ResolvedMember
)
def find_or_create(caller: Identity, body: dict[str, Any]) -> Resolved:
    """The one member with all these identities, made if there is none."""
    at = clock.now()
    asked: dict[str, Any] = {"person": tuple(body["identities"]), "joined_at": body["joined_at"] or at}
    with transaction() as session:
        return use_cases.find_or_create(session, program_id=caller.program_id, **asked, now=at)


@routes.get("/members", allow=(staff("customer_service"), system("members")), query=MemberQuery, answer=ProfileResponse)
def find_member(caller: Identity, query: IdentityKey) -> use_cases.Profile:
    """The member an identity leads to."""
    with transaction() as session:
        return use_cases.profile_of(session, program_id=caller.program_id, person=(query,), now=clock.now())


@routes.get("/members/me", allow=(MEMBER,), answer=ProfileResponse)
def show_me(caller: Identity) -> use_cases.Profile:
    """Me."""
    with transaction() as session:
        return use_cases.profile(session, program_id=caller.program_id, member_id=caller.member_id, now=clock.now())


@routes.get("/members/<id:member_id>", allow=(MEMBER, ANY_STAFF, system("read")), answer=ProfileResponse)
def show_member(caller: Identity, member_id: int) -> use_cases.Profile:
    """A member; for members only themselves."""
    whose = owner(caller, member_id)
    with transaction() as session:
        return use_cases.profile(session, program_id=caller.program_id, member_id=whose, now=clock.now())
