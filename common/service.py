"""What a service is made of, declared in one place (`services/X/service.py`); `commands` turns it into processes."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from sqlalchemy import Table, text
from sqlmodel import Session

from common.database import Database
from common.feed import FeedTables, Subscription, topics_appended
from common.feed.producer import Expand
from common.http.problems import Wordings
from common.http.routes import Routes
from common.queue import wake

#: How many offenders a finding names.
_SHOWN = 3


@dataclass(frozen=True)
class Finding:
    """The result of one invariant's check: how many things were looked at and what is wrong with which."""

    name: str
    checked: int
    violations: int
    detail: str = ""


def examine(session: Session, name: str, *, among: str, offenders: str) -> Finding:
    """Whether an invariant holds that one statement decides, and the first keys that break it.

    `among` is what is looked at, a table with or without WHERE; `offenders` selects the key of each row that is wrong.
    """
    words = (
        f"SELECT n, q.*, count(*) OVER () FROM (SELECT count(*) AS n FROM {among}) among"  # noqa: S608 - a check's own
        f" LEFT JOIN (SELECT true AS wrong, * FROM ({offenders}) o) q ON true LIMIT {_SHOWN}"
    )
    first = session.execute(text(words)).all()
    checked, wrong = first[0][0], [row for row in first if row[1]]
    keys = ("/".join(map(str, row[2:-1])) for row in wrong)
    return Finding(name, checked, wrong[0][-1] if wrong else 0, "; ".join(keys))


#: Checks one invariant over the whole database of the service.
Check = Callable[[Session], Iterable[Finding]]


def invariant(name: str, among: str, offenders: str) -> Check:
    """The check of one invariant, as `examine` has it."""

    def check(session: Session) -> Iterable[Finding]:
        yield examine(session, name, among=among, offenders=offenders)

    return check


@dataclass(frozen=True)
class Service:
    """One deployable. `wakes` says who consumes which topics of its feed; `consumes` is what it takes from others."""

    name: str
    title: str
    database: Database
    feed: FeedTables
    keys: Table
    routes: tuple[Routes, ...]
    wakes: dict[str, frozenset[str]] = field(default_factory=dict)
    consumes: tuple[Subscription, ...] = ()
    expand: dict[str, Expand] = field(default_factory=dict)
    checks: tuple[Check, ...] = ()

    def __post_init__(self) -> None:
        self.database.after_commit(self._wake_consumers)

    @property
    def wordings(self) -> Wordings:
        """How each refusal is answered, whichever of the routes meets it."""
        return {refusal: wording for routes in self.routes for refusal, wording in routes.wordings.items()}

    def _wake_consumers(self, session: Session) -> None:
        appended = topics_appended(session)
        for consumer, topics in self.wakes.items():
            if not appended.isdisjoint(topics):
                wake(consumer, self.name)

    def subscription(self, source: str) -> Subscription:
        """What it takes from one source."""
        return next(subscription for subscription in self.consumes if subscription.source == source)
