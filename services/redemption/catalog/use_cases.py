"""Setting up items, showing them, and moving their stock for orders."""

from collections.abc import Collection
from datetime import datetime

from sqlmodel import Session

from common.database import DriverConnection, driver_connection
from common.errors import Refusal
from services.redemption.catalog import repository
from services.redemption.catalog.domain import (
    Item,
    Offer,
    SoldOut,
    UnknownItem,
    check_offer,
    check_on_sale,
    check_total,
)


def configure_item(session: Session, *, program_id: int, code: str, offer: Offer, total: int, made_by: str) -> Item:
    """Create an item or change it: another offer is a new version, `total` is the stock ever put up, sold included.

    Raises `BadWindow`, `StockCommitted`. The same request twice is the same state.
    """
    check_offer(offer)
    item = repository.lock_item(session, program_id, code)
    if item is None:
        repository.add_version(session, program_id, code, 1, offer, made_by)
        repository.add_stock(session, program_id, code, total)
        item = repository.lock_item(session, program_id, code)
        assert item is not None
    version = item.version
    if offer != item.offer:
        version += 1
        repository.add_version(session, program_id, code, version, offer, made_by)
    repository.set_stock(session, item, version=version, total=check_total(total, item.stock))
    return repository.get_item(driver_connection(session), program_id, code)


def show_item(connection: DriverConnection, *, program_id: int, code: str, active_only: bool) -> Item:
    """The item; raises `UnknownItem`, also for an inactive one to whom only active ones are shown."""
    item = repository.get_item(connection, program_id, code)
    if active_only and not item.offer.active:
        raise UnknownItem(item=code)
    return item


def find_items(connection: DriverConnection, wanted: Collection[tuple[int, str]]) -> dict[tuple[int, str], Item]:
    """The active items of these programs and codes."""
    found = repository.find_items(connection, wanted)
    return {(item.program_id, item.code): item for item in found if item.offer.active}


def list_items(session: Session, *, program_id: int, after: str, limit: int, active_only: bool) -> list[Item]:
    """At most `limit` items behind the code `after`, by code."""
    return repository.list_items(session, program_id, after=after, limit=limit, active_only=active_only)


def why_not_on_sale(item: Item, *, quantity: int, now: datetime) -> Refusal | None:
    """Why nobody can take that many of the item now, as `check_on_sale` says it; None when somebody can."""
    try:
        check_on_sale(item, quantity, now)
    except Refusal as refusal:
        return refusal
    return None


def reserve_stock(session: Session, item: Item, *, quantity: int, now: datetime) -> None:
    """Reserve pieces for an order. Raises why not: `check_on_sale`, and `SoldOut` when others were faster."""
    check_on_sale(item, quantity, now)
    if not repository.reserve(session, item.program_id, item.code, quantity):
        raise SoldOut(item=item.code, available=0)


def release_stock(session: Session, *, program_id: int, code: str, quantity: int) -> None:
    """An order ended without being paid: its pieces are available again."""
    repository.release(session, program_id, code, quantity)


def sell_stock(session: Session, *, program_id: int, code: str, quantity: int) -> None:
    """An order was paid: its pieces are sold."""
    repository.sell(session, program_id, code, quantity)


def take_stock_back(session: Session, *, program_id: int, code: str, quantity: int) -> None:
    """A paid order was cancelled: its pieces are available again."""
    repository.take_back(session, program_id, code, quantity)
