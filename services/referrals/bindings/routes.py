"""Bindings over HTTP."""

from typing import Any

from sqlmodel import Session

from common import clock
from common.http.callers import MEMBER, staff
from common.http.routes import Routes
from common.identity import Identity
from services.referrals.bindings import use_cases
from services.referrals.bindings.domain import Binding, Relations, Tally
from services.referrals.bindings.schemas import (
    BindingListResponse,
    BindingResponse,
    BindingsQuery,
    BindRequest,
    MyBindingResponse,
    RelationsResponse,
    ReviewRequest,
    TallyListResponse,
)
from services.referrals.bindings.wordings import WORDINGS
from services.referrals.database import transaction

routes = Routes("bindings", wordings=WORDINGS, description="Who was invited by whom")

_REVIEWERS = (staff("customer_service"),)


@routes.post("/bindings", allow=(MEMBER,), body=BindRequest, answer=MyBindingResponse, status=201, once=True)
def bind(caller: Identity, session: Session, body: dict[str, Any]) -> Binding:
    """Bind me to the friend whose code I was given."""
    return use_cases.bind(session, program_id=caller.program_id, member_id=caller.member_id, now=clock.now(), **body)


@routes.get("/bindings", allow=_REVIEWERS, query=BindingsQuery, answer=BindingListResponse)
def list_bindings(caller: Identity, query: dict[str, Any]) -> dict[str, Any]:
    """The bindings in a state, oldest first: `held` ones wait for a review."""
    with transaction() as session:
        found = use_cases.list_bindings(session, program_id=caller.program_id, **query)
    return {"bindings": found, "next": found[-1].id if len(found) == query["limit"] else None}


@routes.get("/bindings/members/<id:member_id>", allow=_REVIEWERS, answer=RelationsResponse)
def show_relations(caller: Identity, member_id: int) -> Relations:
    """Who brought a member, and whom they brought."""
    with transaction() as session:
        return use_cases.relations(session, program_id=caller.program_id, member_id=member_id)


@routes.post(
    "/bindings/<id:member_id>-<id:number>/review",
    allow=_REVIEWERS,
    body=ReviewRequest,
    answer=BindingResponse,
    once=True,
)
def review(caller: Identity, session: Session, member_id: int, number: int, body: dict[str, Any]) -> Binding:
    """Approve a held binding, which grants its rewards, or reject it."""
    return use_cases.review(
        session,
        program_id=caller.program_id,
        member_id=member_id,
        number=number,
        by=caller.actor,
        now=clock.now(),
        **body,
    )


@routes.get("/invitations", allow=(MEMBER,), answer=TallyListResponse)
def list_invitations(caller: Identity) -> dict[str, list[Tally]]:
    """My invitations and how many friends each brought."""
    with transaction() as session:
        mine = use_cases.list_invitations(session, program_id=caller.program_id, member_id=caller.member_id)
    return {"invitations": mine}
