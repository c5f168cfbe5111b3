"""Refund requests over HTTP."""

from typing import Any

from sqlmodel import Session

from common import clock
from common.http.callers import staff, system
from common.http.routes import Routes
from common.identity import Identity
from services.referrals.database import transaction
from services.referrals.refunds import use_cases
from services.referrals.refunds.domain import RefundRequest
from services.referrals.refunds.schemas import RefundListResponse, RefundResponse, RefundsQuery

routes = Routes("groupbuy_refunds", description="Money to be paid back for group-buys")


@routes.get(
    "/groupbuys/refunds", allow=(staff("finance"), system("read")), query=RefundsQuery, answer=RefundListResponse
)
def list_requests(caller: Identity, query: dict[str, Any]) -> dict[str, Any]:
    """The refunds that were asked for, oldest first."""
    with transaction() as session:
        found = use_cases.list_requests(session, program_id=caller.program_id, **query)
    return {"refunds": found, "next": found[-1].order_id if len(found) == query["limit"] else None}


@routes.post("/groupbuys/refunds/<path:order_id>/done", allow=(system("ledger"),), answer=RefundResponse, once=True)
def mark_done(caller: Identity, session: Session, order_id: str) -> RefundRequest:
    """Say that a refund has been paid out; said again, nothing changes."""
    return use_cases.mark_done(
        session, program_id=caller.program_id, order_id=order_id, by=caller.actor, now=clock.now()
    )
