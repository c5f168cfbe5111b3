"""Old and new code on one schema: migrations only add, and what earlier code writes is right for the newest.

Each service is migrated step by step. What stood before a step must stand after it, with the same type and no stricter;
and rows written by today's code, cut down to the columns of an earlier version, as that version would have written
them, must be taken by the newest schema, pass `verify` and be gone on with.
"""

import importlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import text

from common.database import Database
from common.migrations import config
from common.service import Service
from deploy.local.embedded import EmbeddedPostgres
from services.points.database import transaction
from services.points.programs.use_cases import forget_books
from services.points.rules.use_cases import forget_rules
from tests.earning import open_shop, paid, refunded
from tests.gateway import environment
from tests.points import done, wrong

PACKAGES = ("services.points", "services.levels", "services.referrals", "services.redemption", "gateway")
#: What was taken away on purpose, by service: which code of before meets it, and what happens then.
TAKEN_AWAY = {
    # Only the worker wrote it. One of the version before stops at its next page, and the feed waits for a new one.
    "services.levels": ["0003: ('levels_board_scores', 'dirty') is gone"],
}
_COLUMNS = """
  SELECT table_name, column_name,
         CASE WHEN udt_name = 'varchar' AND character_maximum_length IS NULL THEN 'text'
              ELSE udt_name || coalesce(character_maximum_length::text, '') END,
         is_nullable = 'YES', column_default IS NOT NULL OR is_identity = 'YES'
    FROM information_schema.columns WHERE table_schema = 'public' AND is_generated = 'NEVER'
    AND table_name <> 'alembic_version'"""
_UNIQUE = """
  SELECT indrelid::regclass::text, indexrelid::regclass::text,
         ARRAY(SELECT attname FROM pg_attribute WHERE attrelid = indrelid AND attnum = ANY(indkey))
    FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
   WHERE relnamespace = 'public'::regnamespace AND indisunique"""


@dataclass(frozen=True)
class Column:
    """What a writer has to know of a column."""

    type: str
    nullable: bool
    fills_itself: bool


@dataclass(frozen=True)
class Shape:
    """A schema, as far as writers depend on it: columns by table and name; the columns of each unique index."""

    columns: dict[tuple[str, str], Column]
    unique: dict[tuple[str, str], frozenset[str]]


def shape_of(database: Database) -> Shape:
    """The schema as it stands."""
    with database.transaction() as session:
        columns = {(row[0], row[1]): Column(*row[2:]) for row in session.execute(text(_COLUMNS))}
        unique = {(row[0], row[1]): frozenset(row[2]) for row in session.execute(text(_UNIQUE))}
    return Shape(columns, unique)


def broken_promises(before: Shape, after: Shape) -> Iterator[str]:
    """What a step takes from code that knows only the schema before it."""
    tables = {table for table, _ in before.columns}
    for place, was in before.columns.items():
        now = after.columns.get(place)
        if now is None:
            yield f"{place} is gone"
        elif now.type != was.type:
            yield f"{place} was {was.type} and is {now.type}"
        elif (was.nullable or was.fills_itself) and not (now.nullable or now.fills_itself):
            yield f"{place} could be left out"
        elif was.nullable and not now.nullable:
            yield f"{place} could be empty"
    for place in after.columns.keys() - before.columns.keys():
        column = after.columns[place]
        if place[0] in tables and not (column.nullable or column.fills_itself):
            yield f"{place} must be written by code that does not know it"
    for place in after.unique.keys() - before.unique.keys():
        if place[0] in tables and all((place[0], name) in before.columns for name in after.unique[place]):
            yield f"{place} forbids what was allowed"


def revisions(database: Database, package: str) -> list[str]:
    """The revisions of a service, oldest first."""
    walked = ScriptDirectory.from_config(config(database, package)).walk_revisions()
    return [step.revision for step in walked][::-1]


def shapes_of(postgres: EmbeddedPostgres, package: str) -> dict[str, Shape]:
    """The schema of a service at each of its revisions, oldest first, in a database of their own."""
    database: Database = importlib.import_module(f"{package}.service").service.database
    name = f"{database.service}_step_by_step"
    postgres.query(f"DROP DATABASE IF EXISTS {name}")
    postgres.query(f"CREATE DATABASE {name}")
    walked = ScriptDirectory.from_config(config(database, package)).walk_revisions()
    shapes = {}
    database.dispose()
    with environment(**{f"JIFEN_{database.service.upper()}_DATABASE_URL": postgres.url(name)}):
        for revision in [step.revision for step in walked][::-1]:
            command.upgrade(config(database, package), revision)
            shapes[revision] = shape_of(database)
        database.dispose()
    return shapes


@pytest.mark.parametrize("package", PACKAGES)
def test_a_migration_takes_nothing_from_the_code_before_it(
    servers: None, postgres: EmbeddedPostgres, package: str
) -> None:
    shapes = list(shapes_of(postgres, package).items())
    assert len(shapes[0][1].columns) > 20
    broken = [
        f"{revision}: {what}"
        for (_, before), (revision, after) in pairwise(shapes)
        for what in broken_promises(before, after)
    ]
    assert broken == TAKEN_AWAY.get(package, [])


def write_again(shape: Shape) -> int:
    """Write every row anew with the columns of an earlier schema, as its code would have; returns how many they are."""
    tables: dict[str, list[str]] = {}
    for table, column in shape.columns:
        tables.setdefault(table, []).append(column)
    written = 0
    with transaction() as session:
        session.execute(text("SET LOCAL session_replication_role = replica"))  # Rows of one table at a time.
        for table, names in tables.items():
            columns = ", ".join(f'"{name}"' for name in names)
            if session.execute(text(f"SELECT FROM {table} LIMIT 1")).first() is None:
                continue
            session.execute(text(f"CREATE TEMP TABLE kept ON COMMIT DROP AS SELECT {columns} FROM {table}"))
            session.execute(text(f"DELETE FROM {table}"))
            again = f"INSERT INTO {table} ({columns}) OVERRIDING SYSTEM VALUE SELECT {columns} FROM kept RETURNING 1"
            written += len(session.execute(text(again)).all())
            session.execute(text("DROP TABLE kept"))
    return written


def test_what_code_of_an_earlier_version_writes_is_right_for_the_newest(
    points_migrated: Service, postgres: EmbeddedPostgres
) -> None:
    *earlier, _ = shapes_of(postgres, "services.points").values()
    for shop in open_shop(points_migrated):
        shop.publish()
        till = shop.callers.system("ledger", "read")
        for number, shape in enumerate(earlier[-3:], 1):
            shop.send(paid(f"A{number}"), refunded(2_500, f"A{number}"))
            body = {"member_id": 7, "asset": "points", "amount": 10}
            hold = done(till.post("/v1/holds", body, key=f"hold-{number}"))
            assert write_again(shape) > 20
            forget_books()
            forget_rules()
            assert wrong() == []
            assert done(till.post(f"/v1/holds/{hold['hold_id']}/capture", {"member_id": 7}, key=f"capture-{number}"))
            shop.send(refunded(2_500, f"A{number}", refund_id="r2"))
            assert shop.send_one(paid(f"A{number}"))["replayed"]
            assert shop.balance() == 40 * number
            assert wrong() == []
