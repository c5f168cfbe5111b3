"""Folding a service's own feed: pages in commit order, and the question which facts are already behind the cursor.

Between services a page travels by HTTP and is applied afterwards; here reading it, applying it and moving the cursor
are one transaction. `ahead` asks about all facts at once, so that a reader can add what is not folded yet.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session

from common.feed.fact import Page
from common.feed.producer import _FROM_NOTHING, Expand, _parse, page
from common.feed.tables import FeedTables


def take_page(
    session: Session, tables: FeedTables, reader: str, *, topics: Sequence[str], limit: int, expand: dict[str, Expand]
) -> Page | None:
    """The next facts for a reader of the service's own feed, its cursor moved behind them; the caller applies them now.

    Readers have names of their own, among the sources. None when another worker is at it.
    """
    table = tables.cursors
    session.execute(insert(table).values(source=reader, cursor="").on_conflict_do_nothing())
    mine = table.c.source == reader
    locked = session.execute(select(table.c.cursor).where(mine).with_for_update(skip_locked=True)).first()
    if locked is None:
        return None
    taken = page(session, tables, after=locked.cursor, limit=limit, topics=topics, expand=expand)
    session.execute(update(table).where(mine).values(cursor=taken.cursor, facts=table.c.facts + len(taken.facts)))
    return taken


def own_cursor(session: Session, tables: FeedTables, reader: str, *, lock: bool = False) -> str:
    """Where the reader stands; "" at the beginning. With `lock` nobody takes a page for it meanwhile."""
    mine = select(tables.cursors.c.cursor).where(tables.cursors.c.source == reader)
    return session.execute(mine.with_for_update() if lock else mine).scalar_one_or_none() or ""


def ahead(session: Session, tables: FeedTables, cursor: str) -> tuple[str, dict[str, Any]]:
    """The SQL condition, with its values, that a row `o` of the outbox is not yet behind the cursor."""
    position = _parse(cursor)
    generations = tables.generations
    begins = list(session.execute(select(generations.c.first_id).order_by(generations.c.number)).scalars())
    bounds = dict(enumerate(begins))
    values = {
        "ahead_first": bounds.get(position.generation, 1),
        "ahead_end": bounds.get(position.generation + 1, 2**63 - 1),
        "ahead_base": position.base,
        "ahead_target": position.target or _FROM_NOTHING,
        "ahead_last": position.last_id,
    }
    condition = (
        "(o.id >= :ahead_end OR (o.id >= :ahead_first AND o.xid >= pg_snapshot_xmin(CAST(:ahead_base AS pg_snapshot))"
        " AND NOT pg_visible_in_snapshot(o.xid, CAST(:ahead_base AS pg_snapshot))"
        " AND NOT (o.id <= :ahead_last AND pg_visible_in_snapshot(o.xid, CAST(:ahead_target AS pg_snapshot)))))"
    )
    return condition, values
