"""The points database: its own registry, its engine, its feed and its idempotency keys."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TypeVar

import psycopg
from psycopg.errors import UniqueViolation
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import registry
from sqlmodel import Session, SQLModel

from common.database import Database
from common.errors import Busy
from common.feed import FeedTables
from common.http.once import idempotency_table


class Table(SQLModel, registry=registry()):
    """Base of every table of this service."""


database = Database("points", Table.metadata)
feed = FeedTables("points", Table.metadata)
keys = idempotency_table("points", Table.metadata)
transaction = database.transaction

#: What says that a row or the database cannot be had now: nothing was written, the same may be sent again.
UNAVAILABLE = (psycopg.OperationalError, OperationalError)

T = TypeVar("T")


@contextmanager
def rehearsal() -> Iterator[Session]:
    """A unit of work that always ends in a rollback: what it would do is seen, and nothing of it stays."""
    with Session(database.engine, expire_on_commit=False) as session:
        yield session


def retried(call: Callable[[Session], T], *, unit: Callable[[], AbstractContextManager[Session]] = transaction) -> T:
    """Run `call` in a transaction of its own; again when a twin was faster with the same key, at most three times.

    The second time the twin's row is there to be found. Raises `Busy` when it happens over and over.
    """
    for _ in range(3):
        try:
            with unit() as session:
                return call(session)
        except UniqueViolation:
            continue
        except IntegrityError as error:
            if not isinstance(error.orig, UniqueViolation):
                raise
    raise Busy()
