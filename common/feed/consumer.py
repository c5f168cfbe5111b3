"""The applying side: pull a page, apply it, and store the cursor in the same transaction as the effects.

Whatever is killed in between, the effects and the cursor moved together or not at all: exactly once in effect.
A handler that raises stops its feed (loudly, with the lag growing) rather than dropping a fact; refusals that are part
of the rules are recorded by the handler itself.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby

import structlog
from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session

from common.database import Database
from common.feed.fact import Fact, Page
from common.feed.tables import FeedTables
from common.metrics import FACTS_APPLIED, FEED_LAG_SECONDS

log = structlog.get_logger()

#: Then other jobs of the queue have their turn.
_LOOKS_FOR_SECONDS = 0.5

#: Applies consecutive facts of one topic, in order, in the transaction of their cursor.
Apply = Callable[[Session, list[Fact]], None]
#: Fetches the page behind a cursor from the producer: `(cursor, topics) -> Page`.
Fetch = Callable[[str, tuple[str, ...]], Page]


@dataclass(frozen=True)
class Subscription:
    """What a service takes from one source: the topics and what each does."""

    source: str
    handlers: dict[str, Apply]

    @property
    def topics(self) -> tuple[str, ...]:
        """The topics in a stable order."""
        return tuple(sorted(self.handlers))


def pull(database: Database, tables: FeedTables, subscription: Subscription, fetch: Fetch) -> int:
    """Apply everything that stands ready; returns how many facts that was. No HTTP happens inside a transaction.

    Under load more has come meanwhile, so it looks again for a moment: a job costs several times as much as a look.
    """
    total, ends = 0, time.monotonic() + _LOOKS_FOR_SECONDS
    while True:
        cursor = _cursor(database, tables, subscription.source)
        page = fetch(cursor, subscription.topics)
        applied = _apply(database, tables, subscription, cursor, page) if page.facts or page.cursor != cursor else 0
        if applied is None:
            continue
        total += applied
        if not page.more and (not applied or time.monotonic() > ends):
            return total


def _cursor(database: Database, tables: FeedTables, source: str) -> str:
    table = tables.cursors
    with database.transaction() as session:
        return session.execute(select(table.c.cursor).where(table.c.source == source)).scalar_one_or_none() or ""


def _apply(database: Database, tables: FeedTables, subscription: Subscription, cursor: str, page: Page) -> int | None:
    source, table = subscription.source, tables.cursors
    with database.transaction() as session:
        session.execute(insert(table).values(source=source, cursor="").on_conflict_do_nothing())
        mine = select(table.c.cursor).where(table.c.source == source).with_for_update()
        if session.execute(mine).scalar_one() != cursor:
            # Another worker of ours applied meanwhile what it had seen of this page, which may be less than all of it.
            return None
        for topic, facts in groupby(page.facts, key=lambda fact: fact.topic):
            subscription.handlers[topic](session, list(facts))
        moved: dict[str, object] = {"cursor": page.cursor, "facts": table.c.facts + len(page.facts)}
        if page.facts:
            moved |= {"newest_at": page.facts[-1].at, "applied_at": datetime.now(UTC)}
        session.execute(update(table).where(table.c.source == source).values(moved))
    if page.facts:
        FACTS_APPLIED.labels(tables.service, source).inc(len(page.facts))
        FEED_LAG_SECONDS.labels(tables.service, source).set((datetime.now(UTC) - page.facts[-1].at).total_seconds())
    return len(page.facts)
