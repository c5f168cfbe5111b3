"""Redemptions over HTTP."""

from typing import Any
from uuid import UUID

from flask import Response, after_this_request

from common.clock import now
from common.http.callers import ANY_STAFF, MEMBER, owner, staff, system
from common.http.routes import Routes, request_fingerprint
from common.identity import Identity
from services.redemption.database import transaction
from services.redemption.orders import counter, saga, use_cases
from services.redemption.orders.domain import IN_DOUBT, Asked, Order, OrderInDoubt, State, as_first_answered, refusal_of
from services.redemption.orders.schemas import (
    CancellationRequest,
    FulfilmentRequest,
    OrderPage,
    OrderResponse,
    OrdersQuery,
    RedemptionRequest,
)
from services.redemption.orders.wordings import WORDINGS

routes = Routes("redemptions", wordings=WORDINGS, description="Orders by which members take items for what they own")

_READERS = (MEMBER, ANY_STAFF, system("redemptions"))


@routes.post(
    "/redemptions",
    allow=(MEMBER,),
    body=RedemptionRequest,
    answer=OrderResponse,
    status=201,
    key=True,
    printed=True,
    lean=True,
)
def redeem(caller: Identity, body: dict[str, Any], key: str, fingerprint: bytes) -> Order:
    """Take an item: its pieces are reserved, the price is held and taken, the order is completed, or nothing is."""
    asked = Asked(caller.program_id, caller.member_id, key=key, fingerprint=fingerprint, at=now(), **body)
    refusal = counter.refuse_at_once(asked)
    if refusal is not None:
        raise refusal
    with transaction() as session:
        order, again = use_cases.place(session, asked)
    replayed = again and order.state not in IN_DOUBT
    order = _settled(order)
    if order.state == State.REFUSED:
        raise refusal_of(order, replayed=replayed)
    return as_first_answered(order, replayed=replayed)


@routes.post(
    "/redemptions/<uuid:order_id>/cancellation",
    allow=(MEMBER, staff("customer_service")),
    body=CancellationRequest,
    answer=OrderResponse,
    key=True,
)
def cancel(caller: Identity, order_id: UUID, body: dict[str, Any], key: str) -> Order:
    """Cancel an order that is not fulfilled: the same points come back, with the days they had."""
    with transaction() as session:
        order, again = use_cases.request_cancellation(
            session,
            program_id=caller.program_id,
            order_id=order_id,
            member_id=_self(caller),
            by=caller.actor,
            key=key,
            fingerprint=request_fingerprint(caller.program_id),
            now=now(),
            **body,
        )
    _say_replayed(order, again)
    return _settled(order)


@routes.post(
    "/redemptions/<uuid:order_id>/fulfilment",
    allow=(staff("customer_service"), system("redemptions")),
    body=FulfilmentRequest,
    answer=OrderResponse,
    key=True,
)
def fulfil(caller: Identity, order_id: UUID, body: dict[str, Any], key: str) -> Order:
    """Say that an order was delivered or sent; it cannot be cancelled from then on."""
    with transaction() as session:
        order, again = use_cases.fulfil(
            session,
            program_id=caller.program_id,
            order_id=order_id,
            by=caller.actor,
            key=key,
            fingerprint=request_fingerprint(caller.program_id),
            now=now(),
            **body,
        )
    _say_replayed(order, again)
    return order


@routes.get("/redemptions", allow=_READERS, query=OrdersQuery, answer=OrderPage)
def list_orders(caller: Identity, query: dict[str, Any]) -> dict[str, Any]:
    """A member's orders, newest first."""
    member_id, limit = owner(caller, query["member_id"]), query["limit"]
    with transaction() as session:
        found = use_cases.list_orders(
            session,
            program_id=caller.program_id,
            member_id=member_id,
            after=query["after"],
            limit=limit + 1,
            state=query["state"],
        )
    page = found[:limit]
    return {"redemptions": page, "next": page[-1].order_id if len(found) > limit else None}


@routes.get("/redemptions/<uuid:order_id>", allow=_READERS, answer=OrderResponse)
def show_order(caller: Identity, order_id: UUID) -> Order:
    """An order as it stands."""
    with transaction() as session:
        return use_cases.show_order(session, program_id=caller.program_id, order_id=order_id, member_id=_self(caller))


def _settled(order: Order) -> Order:
    try:
        return saga.drive(order)
    except saga.NO_DECISION as error:
        raise OrderInDoubt(order_id=str(order.order_id)) from error


def _self(caller: Identity) -> int | None:
    """The member to whom the rows must belong; None for those who see every member's."""
    return caller.member_id if caller.kind == "member" else None


def _say_replayed(order: Order, again: bool) -> None:
    """Mark the answer as one given before; the answer to an order in doubt has not been given yet."""
    if again and order.state not in IN_DOUBT:

        @after_this_request
        def mark(response: Response) -> Response:
            response.headers["Idempotency-Replayed"] = "true"
            return response
