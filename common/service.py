"""What a service is made of, declared in one place (`services/X/service.py`); `commands` turns it into processes."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Table
from sqlmodel import Session

from common.database import Database
from common.feed import FeedTables, Subscription
from common.feed.producer import Expand
from common.http.problems import Wordings
from common.http.routes import Routes
from common.queue import wake


@dataclass(frozen=True)
class Finding:
    """The result of one invariant's check: how many things were looked at and what is wrong with which."""

    name: str
    checked: int
    violations: int
    detail: str = ""


#: Checks one invariant over the whole database of the service.
Check = Callable[[Session], Iterable[Finding]]


@dataclass(frozen=True)
class Service:
    """One deployable. `wakes` are the services that consume its feed; `consumes` is what it takes from others."""

    name: str
    title: str
    database: Database
    feed: FeedTables
    keys: Table
    routes: tuple[Routes, ...]
    wordings: Wordings
    wakes: tuple[str, ...] = ()
    consumes: tuple[Subscription, ...] = ()
    expand: dict[str, Expand] = field(default_factory=dict)
    checks: tuple[Check, ...] = ()
    extensions: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.database.after_commit(self._wake_consumers)

    def _wake_consumers(self, session: Session) -> None:
        if session.info.get("facts_appended"):
            for consumer in self.wakes:
                wake(consumer, self.name)

    def subscription(self, source: str) -> Subscription:
        """What it takes from one source."""
        return next(subscription for subscription in self.consumes if subscription.source == source)
