"""Every SQL statement over items and their stock."""

from typing import Any

from sqlalchemy import Row, Select, and_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session

from services.redemption.catalog.domain import Item, Offer, Price, Stock, UnknownItem
from services.redemption.catalog.models import stock, versions


def find_item(session: Session, program_id: int, code: str) -> Item | None:
    """The item at its present version, or None."""
    row = session.execute(_items(program_id).where(stock.c.code == code)).one_or_none()
    return None if row is None else _item(row)


def get_item(session: Session, program_id: int, code: str) -> Item:
    """The item at its present version; raises `UnknownItem`."""
    item = find_item(session, program_id, code)
    if item is None:
        raise UnknownItem(item=code)
    return item


def lock_item(session: Session, program_id: int, code: str) -> Item | None:
    """The item, its stock locked; None when there is none. Read after the wait, its version is the newest."""
    mine = select(stock.c.version).where(stock.c.program_id == program_id, stock.c.code == code)
    if session.execute(mine.with_for_update()).one_or_none() is None:
        return None
    return find_item(session, program_id, code)


def list_items(session: Session, program_id: int, *, after: str, limit: int, active_only: bool) -> list[Item]:
    """At most `limit` items behind the code `after`, by code."""
    wanted = _items(program_id).where(stock.c.code > after).order_by(stock.c.code).limit(limit)
    if active_only:
        wanted = wanted.where(versions.c.active)
    return [_item(row) for row in session.execute(wanted)]


def add_version(session: Session, program_id: int, code: str, version: int, offer: Offer, made_by: str) -> None:
    """Keep a version; does nothing when a twin has just kept the same one."""
    values = {
        "program_id": program_id,
        "code": code,
        "version": version,
        "name_en": offer.name_en,
        "name_zh": offer.name_zh,
        "description": offer.description,
        "asset": offer.price.asset,
        "price": offer.price.amount,
        "per_member_limit": offer.per_member_limit,
        "available_from": offer.available_from,
        "available_until": offer.available_until,
        "active": offer.active,
        "made_by": made_by,
    }
    session.execute(insert(versions).values(values).on_conflict_do_nothing())


def add_stock(session: Session, program_id: int, code: str, total: int) -> None:
    """Put up a new item's stock, of version 1; does nothing when a twin has just done so."""
    values = {"program_id": program_id, "code": code, "version": 1, "total": total}
    session.execute(insert(stock).values(values).on_conflict_do_nothing())


def set_stock(session: Session, item: Item, *, version: int, total: int) -> None:
    """Set the present version and the total; the caller holds the item's lock."""
    session.execute(_change(item.program_id, item.code).values(version=version, total=total))


def reserve(session: Session, program_id: int, code: str, quantity: int) -> bool:
    """Reserve pieces if that many are available: one statement decides and does it (trap T7). False when not."""
    enough = stock.c.total - stock.c.reserved - stock.c.sold >= quantity
    taken = _change(program_id, code).where(enough).values(reserved=stock.c.reserved + quantity)
    return session.execute(taken.returning(stock.c.code)).first() is not None


def release(session: Session, program_id: int, code: str, quantity: int) -> None:
    """Reserved pieces become available."""
    session.execute(_change(program_id, code).values(reserved=stock.c.reserved - quantity))


def sell(session: Session, program_id: int, code: str, quantity: int) -> None:
    """Reserved pieces become sold."""
    sold = {"reserved": stock.c.reserved - quantity, "sold": stock.c.sold + quantity}
    session.execute(_change(program_id, code).values(sold))


def take_back(session: Session, program_id: int, code: str, quantity: int) -> None:
    """Sold pieces become available."""
    session.execute(_change(program_id, code).values(sold=stock.c.sold - quantity))


def _items(program_id: int) -> Select[Any]:
    of_version = and_(*(versions.c[name] == stock.c[name] for name in ("program_id", "code", "version")))
    counts = (stock.c.total, stock.c.reserved, stock.c.sold)
    return select(versions, *counts).join_from(stock, versions, of_version).where(stock.c.program_id == program_id)


def _change(program_id: int, code: str) -> Any:
    return update(stock).where(stock.c.program_id == program_id, stock.c.code == code)


def _item(row: Row[Any]) -> Item:
    offer = Offer(
        row.name_en,
        row.name_zh,
        row.description,
        Price(row.asset, row.price),
        row.per_member_limit,
        row.available_from,
        row.available_until,
        row.active,
    )
    return Item(row.program_id, row.code, row.version, offer, Stock(row.total, row.reserved, row.sold))
