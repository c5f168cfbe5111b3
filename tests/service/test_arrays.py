"""PostgreSQL reads array literals back as what went in, whatever that was."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import psycopg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import BigInteger, Date, DateTime, Text, Uuid, create_engine, select

from common import arrays
from tests.thoroughness import examples

TEXT = st.one_of(st.none(), st.text(st.characters(exclude_characters="\x00", exclude_categories=("Cs",))))
NUMBERS = st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1))


@settings(max_examples=examples(200), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    numbers=st.lists(NUMBERS),
    texts=st.lists(TEXT),
    blobs=st.lists(st.binary()),
    ids=st.lists(st.one_of(st.none(), st.binary(min_size=16, max_size=16))),
    lists=st.lists(st.lists(st.integers(-(2**63), 2**63 - 1))),
)
def test_what_goes_in_comes_out(
    servers: Any, postgres: Any, numbers: Any, texts: Any, blobs: Any, ids: Any, lists: Any
) -> None:
    given_ = (arrays.numbers(numbers), arrays.texts(texts), arrays.blobs(blobs), arrays.ids(ids))
    with psycopg.connect(postgres.url("points", scheme="postgresql")) as connection:
        row = connection.execute("SELECT %s::bigint[], %s::text[], %s::bytea[], %s::uuid[]", given_).fetchone()
        each = connection.execute("SELECT l::bigint[] FROM unnest(%s::text[]) AS l", [arrays.lists(lists)]).fetchall()
    assert row is not None
    assert row[0] == numbers
    assert row[1] == texts
    assert row[2] == blobs
    assert [value and value.bytes for value in row[3]] == ids
    assert [one for (one,) in each] == lists


def test_columns_of_values_are_rows_to_select_from(servers: Any, postgres: Any) -> None:
    noon = datetime(2026, 11, 22, 12, 30, 0, 5, tzinfo=UTC)
    told = arrays.values_of(
        number=(BigInteger, [2**63 - 1, None]),
        words=(Text, ['a "quote", a \\ and {braces}', None]),
        on=(Date, [noon.date(), None]),
        at=(DateTime(timezone=True), [noon, None]),
        name=(Uuid, [UUID(int=7), None]),
    )
    engine = create_engine(postgres.url("points"))
    with engine.connect() as connection:
        first, second = connection.execute(select(told)).all()
    engine.dispose()
    assert tuple(first) == (2**63 - 1, 'a "quote", a \\ and {braces}', noon.date(), noon, UUID(int=7))
    assert tuple(second) == (None,) * 5
