"""Every SQL statement over items and their stock."""

from collections.abc import Collection
from typing import Any

from psycopg import Connection
from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session

from common.arrays import numbers, texts
from common.database import driver_connection
from services.redemption.catalog.domain import Item, Offer, Price, Stock, UnknownItem
from services.redemption.catalog.models import stock, versions

# Psycopg itself is given the statement that every order begins with: SQLAlchemy's own time for it was five times that.
_ITEMS = """
SELECT v.program_id, v.code, v.version, v.name_en, v.name_zh, v.description, v.asset, v.price, v.per_member_limit,
       v.available_from, v.available_until, v.active, s.total, s.reserved, s.sold
  FROM redemption_stock s JOIN redemption_item_versions v USING (program_id, code, version)"""
_FIND = f"{_ITEMS} WHERE (s.program_id, s.code) IN (SELECT * FROM unnest(%s::int[], %s::text[]))"  # noqa: S608 - our own words only
_LIST = f"{_ITEMS} WHERE s.program_id = %s AND s.code > %s AND (v.active OR NOT %s) ORDER BY s.code LIMIT %s"


def find_item(connection: Connection[Any], program_id: int, code: str) -> Item | None:
    """The item at its present version, or None."""
    return next(iter(find_items(connection, [(program_id, code)])), None)


def find_items(connection: Connection[Any], wanted: Collection[tuple[int, str]]) -> list[Item]:
    """Those of these programs and codes that there are, at their present versions."""
    columns = numbers([program_id for program_id, _ in wanted]), texts([code for _, code in wanted])
    return [_item(row) for row in connection.execute(_FIND, columns, prepare=True, binary=True)]


def get_item(connection: Connection[Any], program_id: int, code: str) -> Item:
    """The item at its present version; raises `UnknownItem`."""
    item = find_item(connection, program_id, code)
    if item is None:
        raise UnknownItem(item=code)
    return item


def lock_item(session: Session, program_id: int, code: str) -> Item | None:
    """The item, its stock locked; None when there is none. Read after the wait, its version is the newest."""
    mine = select(stock.c.version).where(stock.c.program_id == program_id, stock.c.code == code)
    if session.execute(mine.with_for_update()).one_or_none() is None:
        return None
    return find_item(driver_connection(session), program_id, code)


def list_items(session: Session, program_id: int, *, after: str, limit: int, active_only: bool) -> list[Item]:
    """At most `limit` items behind the code `after`, by code."""
    rows = driver_connection(session).execute(_LIST, (program_id, after, active_only, limit), prepare=True)
    return [_item(row) for row in rows]


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


def _change(program_id: int, code: str) -> Any:
    return update(stock).where(stock.c.program_id == program_id, stock.c.code == code)


def _item(row: tuple[Any, ...]) -> Item:
    program_id, code, version, name_en, name_zh, description, asset, price, *terms, total, reserved, sold = row
    offer = Offer(name_en, name_zh, description, Price(asset, price), *terms)
    return Item(program_id, code, version, offer, Stock(total, reserved, sold))
