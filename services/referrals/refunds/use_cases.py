"""Asking for refunds, once an order, and ticking them off."""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session

from common import feed as facts
from services.referrals.database import feed
from services.referrals.orders.domain import Refund
from services.referrals.refunds import repository
from services.referrals.refunds.domain import RefundRequest, State


def request_refund(session: Session, request: RefundRequest) -> None:
    """Ask that an order's money be paid back; an order that was asked for already stays as it is."""
    if not repository.add_request(session, request):
        return
    payload = {
        "order_id": request.order_id,
        "amount_fen": request.amount_fen,
        "reason": request.reason,
        "groupbuy": request.groupbuy and str(request.groupbuy),
        "at": request.requested_at.isoformat(),
    }
    facts.append(
        session,
        feed,
        "groupbuy.refund_requested",
        program_id=request.program_id,
        member_id=request.member_id,
        payload=payload,
    )


def settle(session: Session, refunds: Sequence[Refund]) -> None:
    """Tick off the requests of orders that the shop says it has paid back in full, so that nobody pays them again."""
    opened = repository.list_open(session, [refund.key for refund in refunds]) if refunds else set()
    for refund in refunds:
        if refund.key in opened:
            repository.mark_done(session, *refund.key, by=refund.event, at=refund.refunded_at)


def mark_done(session: Session, *, program_id: int, order_id: str, by: str, now: datetime) -> RefundRequest:
    """Tick off a request as paid out; one that is done stays as it was. Raises `NotFound`."""
    repository.mark_done(session, program_id, order_id, by=by, at=now)
    return repository.get_request(session, program_id, order_id)


def list_requests(
    session: Session, *, program_id: int, state: State | None, after: str | None, limit: int
) -> list[RefundRequest]:
    """The program's requests, oldest first."""
    return repository.list_requests(session, program_id, state, after=after, limit=limit)
