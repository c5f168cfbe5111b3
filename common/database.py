"""One database per service: a lazily opened engine, and the transaction as a visible `with` block.

Engines open at first use because RQ workers and gunicorn fork, and a connection must not cross a fork.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeAlias

import psycopg
from psycopg.pq import TransactionStatus
from sqlalchemy import Engine, MetaData, Table, create_engine, event, text
from sqlalchemy.exc import DisconnectionError
from sqlmodel import Session, SQLModel

from common.settings import settings

if TYPE_CHECKING:
    from psycopg import Connection

# Nobody waits for ever: a stopped lock holder must not stop its neighbours (ledger.md §7).
_LIMITS = "-c lock_timeout=3s -c statement_timeout=20s -c idle_in_transaction_session_timeout=20s -c timezone=UTC"
# Those limits are the server's. A server that is gone without a goodbye is noticed by the kernel, over TCP, after this.
_SILENCE = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 25_000}

#: Constraints are named by us as laws; these names are only for what nobody names.
NAMING = {"pk": "%(table_name)s_pkey", "ix": "%(column_0_N_label)s_idx"}


def _refuse_closed(connection: "Connection[Any]", record: object, fairy: object) -> None:
    """Have the pool open another when the server closed this one while nobody used it.

    Two looks at what has arrived, without asking the server: a ping would cost a round trip a transaction. A server
    that closes may say why, so the first look reads its last words, and the second meets the end.
    """
    try:
        connection.pgconn.consume_input()
        connection.pgconn.consume_input()
    except psycopg.OperationalError as error:
        raise DisconnectionError from error


#: Psycopg's own connection, for statements that are given to it directly.
DriverConnection: TypeAlias = "Connection[Any]"


def core(row: type[SQLModel]) -> Table:
    """The Core table behind a SQLModel class: statements are written over `table.c`, typed and without an ORM unit."""
    table: Table = row.__table__  # type: ignore[attr-defined]  # SQLAlchemy sets it on every table class
    return table


def driver_connection(session: Session) -> "Connection[Any]":
    """The psycopg connection under a session, in its transaction: for COPY, pipelines and binary rows."""
    driven: Connection[Any] | None = session.connection().connection.driver_connection
    assert driven is not None, "a session's connection is open"
    return driven


class Database:
    """The database of one service. `metadata` is its own registry: services never share one."""

    def __init__(self, service: str, metadata: MetaData) -> None:
        self.service = service
        self.metadata = metadata
        self._engine: Engine | None = None
        self._lock = Lock()
        self._after_commit: list[Callable[[Session], None]] = []

    @property
    def engine(self) -> Engine:
        """The engine of this process, opened at first use."""
        with self._lock:
            if self._engine is None:
                size = settings().database_pool_size
                self._engine = create_engine(
                    settings().database_url(self.service),
                    pool_size=size,
                    max_overflow=size,
                    pool_timeout=5,
                    pool_pre_ping=False,
                    # An error's text goes to the logs; the values of a statement may be personal data.
                    hide_parameters=True,
                    connect_args={
                        "options": _LIMITS,
                        "connect_timeout": 5,
                        "application_name": self.service,
                        **_SILENCE,
                    },
                )
                event.listen(self._engine, "checkout", _refuse_closed)
            return self._engine

    def dispose(self) -> None:
        """Close what is open; the next use opens anew."""
        with self._lock:
            if self._engine is not None:
                self._engine.dispose()
                self._engine = None

    def after_commit(self, call: Callable[[Session], None]) -> None:
        """Have `call(session)` made after each commit, e.g. to wake consumers. It must not raise."""
        self._after_commit.append(call)

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """One unit of work: commits at the end of the block, rolls back on any exception."""
        with Session(self.engine, expire_on_commit=False) as session:
            with session.begin():
                yield session
            for call in self._after_commit:
                call(session)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A read-only snapshot: every statement in the block sees the same instant."""
        with Session(self.engine, expire_on_commit=False) as session, session.begin():
            session.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
            yield session

    @contextmanager
    def autocommit(self) -> Iterator["Connection[Any]"]:
        """Psycopg's connection, on which every statement is a transaction of its own.

        For what one statement does: around it a session, a BEGIN and a COMMIT would cost five times as much.
        """
        taken = self.engine.raw_connection()
        connection: Connection[Any] | None = taken.driver_connection
        assert connection is not None, "it has just been opened"
        try:
            connection.autocommit = True
            yield connection
        finally:
            if connection.info.transaction_status == TransactionStatus.IDLE:
                connection.autocommit = False
            else:
                # Broken, or left in the middle of something: nobody else shall have it.
                taken.invalidate()
            taken.close()

    def ping(self) -> None:
        """Raise when the database does not answer or was never migrated."""
        with self.engine.connect() as connection:
            connection.execute(text("SELECT version_num FROM alembic_version")).one()
