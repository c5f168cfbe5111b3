"""Items over HTTP."""

from datetime import datetime
from typing import Any

from common.clock import now
from common.http.callers import ANY_STAFF, MEMBER, staff
from common.http.routes import Routes
from common.identity import Identity
from services.redemption.catalog import use_cases
from services.redemption.catalog.domain import Item, Offer, Price, availability
from services.redemption.catalog.schemas import ItemPage, ItemRequest, ItemResponse, ItemsQuery
from services.redemption.catalog.wordings import WORDINGS
from services.redemption.database import database, transaction

routes = Routes(
    "items", wordings=WORDINGS, description="What members can take, at which price, and how much of it there is"
)

_READERS = (MEMBER, ANY_STAFF)


@routes.put("/items/<code:code>", allow=(staff("marketer"),), body=ItemRequest, answer=ItemResponse)
def configure_item(caller: Identity, code: str, body: dict[str, Any]) -> dict[str, Any]:
    """Create an item, or change it: orders made before keep their price."""
    total = body.pop("stock")
    offer = Offer(price=Price(body.pop("asset"), body.pop("price")), **body)
    with transaction() as session:
        item = use_cases.configure_item(
            session, program_id=caller.program_id, code=code, offer=offer, total=total, made_by=caller.actor
        )
    return _shown(item, now())


@routes.get("/items", allow=_READERS, query=ItemsQuery, answer=ItemPage)
def list_items(caller: Identity, query: dict[str, Any]) -> dict[str, Any]:
    """The items by code: to members the active ones, to staff all."""
    limit, at = query["limit"], now()
    with transaction() as session:
        found = use_cases.list_items(
            session,
            program_id=caller.program_id,
            after=query["after"],
            limit=limit + 1,
            active_only=caller.kind == "member",
        )
    page = found[:limit]
    return {"items": [_shown(item, at) for item in page], "next": page[-1].code if len(found) > limit else None}


@routes.get("/items/<code:code>", allow=_READERS, answer=ItemResponse)
def show_item(caller: Identity, code: str) -> dict[str, Any]:
    """An item as it stands."""
    with database.autocommit() as connection:
        item = use_cases.show_item(
            connection, program_id=caller.program_id, code=code, active_only=caller.kind == "member"
        )
    return _shown(item, now())


def _shown(item: Item, at: datetime) -> dict[str, Any]:
    state = availability(item, at)
    return {"code": item.code, "version": item.version, "offer": item.offer, "stock": item.stock, "state": state}
