"""PostgreSQL array literals for `unnest`, a thousand rows at a time.

Psycopg's own list dumper asks every item for its type and escapes text by a regular expression: a third of the time
of event intake went there. Besides, it chooses the array's type, and PostgreSQL with it a new plan, by the size of the
numbers. A literal is plain text whose type the statement says: `CAST(:ids AS bigint[])`.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import ARRAY, Date, DateTime, Integer, TableValuedAlias, Text, cast, func, literal
from sqlalchemy.types import TypeEngine, to_instance


def numbers(values: Iterable[int | None]) -> str:
    """`{1, NULL, 3}`."""
    # A list of integers prints itself almost as PostgreSQL reads it, five times as fast as we could join it.
    return "{" + str(list(values))[1:-1].replace("None", "NULL") + "}"


def lists(values: Iterable[list[int]]) -> str:
    """Lists of numbers of any length, for `text[]`: each reads as an array of its own, `l::bigint[]`."""
    return "{" + str(list(values))[1:-1].replace("[", '"{').replace("]", '}"') + "}"


def ids(values: Iterable[bytes | None]) -> str:
    """16 bytes each, for `uuid[]`."""
    return "{" + ",".join(["NULL" if value is None else value.hex() for value in values]) + "}"


def blobs(values: Iterable[bytes]) -> str:
    """For `bytea[]`."""
    return "{" + ",".join(['"\\\\x' + value.hex() + '"' for value in values]) + "}"


def texts(values: Iterable[str | None]) -> str:
    """For `text[]`, and for whatever PostgreSQL reads from text, such as `timestamptz[]`."""
    # Written out, for a call a text would cost as much as the quoting.
    return (
        "{"
        + ",".join(
            [
                "NULL" if value is None else '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
                for value in values
            ]
        )
        + "}"
    )


def values_of(**columns: tuple[type[TypeEngine[Any]] | TypeEngine[Any], Sequence[Any]]) -> TableValuedAlias:
    """Columns of Python values as rows to select from or join with: one statement for a page, a parameter a column."""
    arrays = [cast(literal(_literal(kind, values), Text), ARRAY(kind)) for kind, values in columns.values()]
    return func.unnest(*arrays).table_valued(*columns).render_derived()


def _literal(kind: type[TypeEngine[Any]] | TypeEngine[Any], values: Sequence[Any]) -> str:
    made = to_instance(kind)
    if isinstance(made, Integer):
        return numbers(values)
    if isinstance(made, (Date, DateTime)):
        return texts([None if value is None else value.isoformat() for value in values])
    return texts([None if value is None else str(value) for value in values])
