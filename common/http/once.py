"""Idempotency keys at the edge, as the IETF draft has it: one effect and one answer per key, however often it is sent.

The key's row is inserted first, in the same transaction as the effect. A twin in flight therefore waits on that row,
then finds the stored answer. Refusals of the rules are answers too, and are stored; what failed before the rules were
asked (400, 401, 429, 5xx), or asks to be sent again (Retry-After), is not.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from psycopg.errors import LockNotAvailable
from sqlalchemy import (
    Column,
    DateTime,
    Integer,
    LargeBinary,
    MetaData,
    Select,
    SmallInteger,
    Table,
    Text,
    delete,
    literal_column,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import OperationalError
from sqlmodel import Session

from common.database import Database
from common.errors import Busy, KeyReused, Refusal

#: For so long the first answer comes again; after that the key may name another request.
KEPT = timedelta(days=90)
_AT_ONCE = 1000


@dataclass(frozen=True)
class Answer:
    """What a request was answered with: status and JSON text."""

    status: int
    body: str
    media_type: str = "application/json"
    replayed: bool = False


def idempotency_table(service: str, metadata: MetaData) -> Table:
    """Declare the table of keys in a service's registry; `forget_keys` deletes those that were `KEPT`."""
    return Table(
        f"{service}_idempotency_keys",
        metadata,
        Column("program_id", Integer, primary_key=True),
        Column("caller", Text, primary_key=True),
        Column("route", Text, primary_key=True),
        Column("key", Text, primary_key=True),
        Column("fingerprint", LargeBinary, nullable=False),
        Column("status", SmallInteger),
        Column("media_type", Text),
        Column("body", Text),
        Column("created_at", DateTime(timezone=True), nullable=False, server_default=text("clock_timestamp()")),
    )


def fingerprint(method: str, route: str, program_id: int, body: Any) -> bytes:
    """SHA-256 over method, route with its path values, program and canonical JSON body."""
    canonical = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)
    return hashlib.sha256(f"{method}\n{route}\n{program_id}\n{canonical}".encode()).digest()


def answer_once(
    database: Database,
    table: Table,
    scope: dict[str, Any],
    print_: bytes,
    run: Callable[[Session], Answer],
    refused: Callable[[Refusal], Answer],
) -> Answer:
    """Run `run` in one transaction under the key of `scope` (program_id, caller, route, key), or replay its answer.

    Raises `KeyReused` when the key came with another fingerprint, `Busy` when its twin takes too long.
    """
    mine = [table.c[name] == value for name, value in scope.items()]
    with database.transaction() as session:
        claim = insert(table).values(**scope, fingerprint=print_).on_conflict_do_nothing().returning(table.c.key)
        try:
            claimed = session.execute(claim).first()
        except OperationalError as error:
            if isinstance(error.orig, LockNotAvailable):
                raise Busy() from error
            raise
        if claimed is None:
            return _replay(session, table, mine, print_)
        try:
            with session.begin_nested():
                answer = run(session)
        except Refusal as refusal:
            answer = refused(refusal)
        stored = {"status": answer.status, "media_type": answer.media_type, "body": answer.body}
        session.execute(update(table).where(*mine).values(stored))
        return answer


def forget_keys(database: Database, table: Table, *, now: datetime, at_once: int = _AT_ONCE) -> int:
    """Delete the keys that were kept long enough, a transaction every `at_once`; returns how many there were.

    Nobody waits for it: rows that somebody holds are left for the next time.
    """
    # They are the oldest rows, which stand first in the table: no index needs to be kept for a visit a day.
    oldest: Select[Any] = (
        select(literal_column("ctid")).select_from(table).where(table.c.created_at < now - KEPT).limit(at_once)
    )
    forget = delete(table).where(literal_column("ctid").in_(oldest.with_for_update(skip_locked=True)))
    total, deleted = 0, at_once
    while deleted == at_once:
        with database.transaction() as session:
            session.execute(text("SET LOCAL statement_timeout = '10min'"))
            deleted = session.connection().execute(forget).rowcount
        total += deleted
    return total


def _replay(session: Session, table: Table, mine: list[Any], print_: bytes) -> Answer:
    row = session.execute(select(table).where(*mine)).one()
    if row.fingerprint != print_:
        raise KeyReused()
    return Answer(row.status, row.body, row.media_type, replayed=True)
