"""Tags and segments over HTTP, and who a member is to the rules."""

from typing import Any

from common.clock import now
from common.errors import NotFound
from common.http.callers import ANY_STAFF, SERVICE, staff, system
from common.http.routes import Routes
from common.identity import Identity
from services.points.audiences import schemas, use_cases
from services.points.audiences.domain import LIST_KINDS, ListKind, Membership
from services.points.audiences.wordings import WORDINGS
from services.points.database import transaction

routes = Routes("audiences", wordings=WORDINGS, description="Whom rules mean: tiers, tags and segments of members")

_KEEPERS = (staff("marketer"), system("members"), SERVICE)
_READERS = (ANY_STAFF, system("read"), SERVICE)


@routes.post(
    "/audiences/<code:kind>/<code:code>/members",
    allow=_KEEPERS,
    body=schemas.MembersRequest,
    answer=schemas.KeptResponse,
)
def keep_list(caller: Identity, kind: str, code: str, body: dict[str, Any]) -> use_cases.Kept:
    """Put members into a list (`tags` or `segments`) or take them out, from now on; safe to repeat."""
    with transaction() as session:
        return use_cases.keep_list(
            session, program_id=caller.program_id, kind=_kind(kind), code=code, actor=caller.actor, now=now(), **body
        )


@routes.get("/audiences/<code:kind>", allow=_READERS, answer=schemas.ListsResponse)
def list_lists(caller: Identity, kind: str) -> dict[str, Any]:
    """The program's `tags` or `segments`, with how many members stand in each."""
    with transaction() as session:
        return {"lists": use_cases.list_lists(session, program_id=caller.program_id, kind=_kind(kind))}


@routes.get(
    "/audiences/<code:kind>/<code:code>/members",
    allow=_READERS,
    query=schemas.MembersQuery,
    answer=schemas.MembersResponse,
)
def list_members(caller: Identity, kind: str, code: str, query: dict[str, Any]) -> dict[str, Any]:
    """Who stands in a list, by member id."""
    with transaction() as session:
        members, following = use_cases.list_members(
            session, program_id=caller.program_id, kind=_kind(kind), code=code, **query
        )
    return {"members": members, "next": following}


@routes.get(
    "/audiences/members/<int(max=9007199254740991):member_id>",
    allow=_READERS,
    query=schemas.MembershipQuery,
    answer=schemas.MembershipResponse,
)
def show_member(caller: Identity, member_id: int, query: dict[str, Any]) -> Membership:
    """Who a member is, or was at an instant, as the rules see it; nobody in particular when nothing is known."""
    with transaction() as session:
        return use_cases.show_member(
            session, program_id=caller.program_id, member_id=member_id, at=query["at"] or now()
        )


def _kind(name: str) -> ListKind:
    for kind in LIST_KINDS:
        if kind == name:
            return kind
    raise NotFound()
