"""Replay's SQL: scratch copies of tables, digests over their rows, and where two of them differ."""

from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256

from sqlalchemy import text
from sqlmodel import Session

from common.database import driver_connection
from services.points.database import database
from services.points.rebuild import Compared


@contextmanager
def scratch_snapshot() -> Iterator[Session]:
    """One instant of the live database, with room for tables that nobody else sees and that end with the block."""
    with Session(database.engine) as session:
        session.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
        session.execute(text("SET LOCAL statement_timeout = 0"))
        session.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
        try:
            yield session
        finally:
            session.rollback()


def add_scratch(session: Session, table: str) -> str:
    """An empty copy of a table, its columns free to stay empty; returns its name."""
    name = f"scratch_{table}"
    session.execute(text(f"CREATE TEMPORARY TABLE {name} (LIKE {table} INCLUDING DEFAULTS) ON COMMIT DROP"))
    kept = "SELECT attname FROM pg_attribute WHERE attrelid = CAST(:name AS regclass) AND attnum > 0 AND attnotnull"
    for column in session.execute(text(kept), {"name": name}).scalars():
        session.execute(text(f"ALTER TABLE {name} ALTER COLUMN {column} DROP NOT NULL"))
    return name


def digest(session: Session, compared: Compared, table: str) -> tuple[int, str]:
    """How many rows there are, and the SHA-256 over their canonical text in the order of their keys."""
    rows = 0
    made = sha256()
    columns = ", ".join((*compared.key, *compared.columns))
    statement = f"COPY ({_select(compared, table, columns)} ORDER BY {', '.join(compared.key)}) TO STDOUT"
    with driver_connection(session).cursor() as cursor, cursor.copy(statement.encode()) as copy:
        for lines in copy:
            made.update(lines)
            rows += bytes(lines).count(b"\n")
    return rows, made.hexdigest()


def differences(session: Session, compared: Compared, scratch: str, *, limit: int) -> tuple[int, list[str]]:
    """How many rows differ, and the first of them: the key and what of it, or which side has no such row."""
    names = [f"c{place}" for place in range(len(compared.columns))]
    shown = ", ".join(f"{column} AS {name}" for column, name in zip(compared.columns, names, strict=True))
    columns = f"{', '.join(compared.key)}, {shown}, true AS there"
    told = ", ".join(
        f"CASE WHEN l.{name} IS DISTINCT FROM s.{name} THEN '{_quoted(column)}' END"
        for column, name in zip(compared.columns, names, strict=True)
    )
    differ = " OR ".join(f"l.{name} IS DISTINCT FROM s.{name}" for name in names)
    keys = ", ".join(compared.key)
    statement = (
        f"SELECT concat_ws('/', {keys}) || ': ' || CASE WHEN l.there IS NULL THEN 'missing in the live table'"  # noqa: S608 - our own words only
        f" WHEN s.there IS NULL THEN 'not told by any entry or event' ELSE concat_ws(', ', {told}) END,"
        " count(*) OVER ()"
        f" FROM ({_select(compared, compared.table, columns)}) l"
        f" FULL JOIN ({_select(compared, scratch, columns)}) s USING ({keys})"
        f" WHERE l.there IS NULL OR s.there IS NULL OR {differ} ORDER BY {keys} LIMIT :limit"
    )
    found = session.execute(text(statement), {"limit": limit}).all()
    return (found[0][1] if found else 0), [row[0] for row in found]


def _select(compared: Compared, table: str, columns: str) -> str:
    grouped = f" GROUP BY {', '.join(compared.key)}" if compared.grouped else ""
    return f"SELECT {columns} FROM {table} WHERE {compared.where}{grouped}"  # noqa: S608 - our own words only


def _quoted(column: str) -> str:
    return column.replace("'", "''").replace(":", "\\:")
