"""T24: tables that lack a column their code writes, or that nothing is wired to. Migrations are the only DDL."""

import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from common.migrations import drift, upgrade
from common.service import Service

HOUSE = Path(__file__).parents[2]
PACKAGES = ("services.points", "services.levels", "services.referrals", "services.redemption", "gateway")
_COLUMNS = """
  SELECT table_name, column_name, data_type, is_nullable, column_default, is_identity
    FROM information_schema.columns WHERE table_schema = current_schema() AND table_name <> 'alembic_version'"""
_LAWS = """
  SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
   WHERE connamespace = current_schema()::regnamespace AND contype <> 'n' AND conname <> 'alembic_version_pkc'"""
_INDEXES = """
  SELECT tablename, indexname, replace(indexdef, current_schema() || '.', '') FROM pg_indexes
   WHERE schemaname = current_schema() AND tablename <> 'alembic_version'"""


@pytest.fixture(scope="module", params=PACKAGES)
def package(request: pytest.FixtureRequest, servers: None) -> Iterator[tuple[str, Service]]:
    """A service, migrated from nothing."""
    service: Service = importlib.import_module(f"{request.param}.service").service
    upgrade(service.database, request.param)
    yield request.param, service
    service.database.dispose()


def _seen(connection: Connection, schema: str) -> dict[str, set[tuple[str, ...]]]:
    """What stands in a schema, as the database itself writes it, without the schema's name."""
    connection.execute(text(f"SET LOCAL search_path = {schema}"))
    queries = {"columns": _COLUMNS, "laws": _LAWS, "indexes": _INDEXES}
    return {
        name: {tuple(str(part).replace("public.", "") for part in row) for row in connection.execute(text(query))}
        for name, query in queries.items()
    }


def test_what_migrations_made_is_what_the_code_declares_to_the_last_constraint(package: tuple[str, Service]) -> None:
    _, service = package
    assert drift(service.database) == []
    with service.database.transaction() as session:
        connection = session.connection()
        migrated = _seen(connection, "public")
        connection.execute(text("CREATE SCHEMA declared"))
        connection.execute(text("SET LOCAL search_path = declared, public"))
        service.database.metadata.create_all(connection, checkfirst=False)
        declared = _seen(connection, "declared")
        session.rollback()
    for name, things in declared.items():
        assert things
        assert (migrated[name] - things, things - migrated[name]) == (set(), set()), name


def test_every_column_is_written_by_the_code_or_by_its_default(package: tuple[str, Service]) -> None:
    folder, service = package
    sources = [*(HOUSE / "common").rglob("*.py"), *HOUSE.joinpath(*folder.split(".")).rglob("*.py")]
    code = "\n".join(
        source.read_text() for source in sources if source.name != "models.py" and "migrations" not in source.parts
    )
    words = set(re.findall(r"[a-z][a-z0-9_]*", code))
    unwired = [
        (table.name, column.name)
        for table in service.database.metadata.sorted_tables
        for column in table.columns
        if column.name not in words and column.server_default is None
    ]
    assert unwired == []
