"""Every SQL statement over refund requests."""

from collections.abc import Sequence
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Integer, Row, Text, and_, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session

from common.arrays import values_of
from common.errors import NotFound
from services.referrals.refunds.domain import Reason, RefundRequest, State
from services.referrals.refunds.models import refund_requests


def add_request(session: Session, request: RefundRequest) -> bool:
    """Insert a request; false when the order has one."""
    row = insert(refund_requests).values(asdict(request)).on_conflict_do_nothing()
    return session.execute(row.returning(refund_requests.c.order_id)).first() is not None


def get_request(session: Session, program_id: int, order_id: str) -> RefundRequest:
    """The request for that order; raises `NotFound`."""
    wanted = select(refund_requests).where(
        refund_requests.c.program_id == program_id, refund_requests.c.order_id == order_id
    )
    row = session.execute(wanted).one_or_none()
    if row is None:
        raise NotFound()
    return _request(row)


def mark_done(session: Session, program_id: int, order_id: str, *, by: str, at: datetime) -> None:
    """Tick off the request for that order if it is open."""
    opened = update(refund_requests).where(
        refund_requests.c.program_id == program_id,
        refund_requests.c.order_id == order_id,
        refund_requests.c.state == State.REQUESTED,
    )
    session.execute(opened.values(state=State.DONE, done_at=at, done_by=by))


def list_open(session: Session, orders: Sequence[tuple[int, str]]) -> set[tuple[int, str]]:
    """Which of `(program_id, order_id)` have an open request, by one statement for a page of orders."""
    key = values_of(
        program_id=(Integer, [order[0] for order in orders]), order_id=(Text, [order[1] for order in orders])
    )
    table = refund_requests.c
    mine = and_(table.program_id == key.c.program_id, table.order_id == key.c.order_id)
    opened = select(table.program_id, table.order_id).join(key, mine).where(table.state == State.REQUESTED)
    return {(row.program_id, row.order_id) for row in session.execute(opened)}


def list_requests(
    session: Session, program_id: int, state: State | None, *, after: str | None, limit: int
) -> list[RefundRequest]:
    """The program's requests, oldest first, behind the order `after`."""
    wanted = select(refund_requests).where(refund_requests.c.program_id == program_id)
    if state is not None:
        wanted = wanted.where(refund_requests.c.state == state)
    place = tuple_(refund_requests.c.requested_at, refund_requests.c.order_id)
    if after is not None:
        last = get_request(session, program_id, after)
        wanted = wanted.where(place > (last.requested_at, last.order_id))
    ordered = wanted.order_by(refund_requests.c.requested_at, refund_requests.c.order_id).limit(limit)
    return [_request(row) for row in session.execute(ordered)]


def _request(row: Row[Any]) -> RefundRequest:
    values = {field.name: row._mapping[field.name] for field in fields(RefundRequest)}
    return RefundRequest(**{**values, "state": State(row.state), "reason": Reason(row.reason)})
