"""Alembic, the only DDL. Each service has its revisions in `migrations/`; the runner and template here are shared."""

import importlib
from pathlib import Path
from typing import Literal

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection
from sqlmodel import AutoString

from common.database import Database
from common.feed.tables import Xid8


def config(database: Database, package: str) -> Config:
    """The Alembic configuration of one service."""
    made = Config()
    made.set_main_option("script_location", str(Path(__file__).parent))
    made.set_main_option("path_separator", "newline")
    made.set_main_option("version_locations", str(_revisions(package)))
    made.attributes["database"] = database
    return made


def upgrade(database: Database, package: str) -> None:
    """Bring the schema to its newest revision."""
    command.upgrade(config(database, package), "head")


def write_revision(database: Database, package: str, message: str) -> None:
    """Write the next migration of a service from what its declared tables have and its database has not."""
    number = 1 + sum(1 for path in _revisions(package).glob("[0-9]*.py"))
    command.revision(config(database, package), message=message, autogenerate=True, rev_id=f"{number:04d}")


def run_migrations(connection: Connection, database: Database) -> None:
    """What a service's `migrations/env.py` calls; runs in one transaction per revision."""
    from alembic import context

    context.configure(
        connection=connection,
        target_metadata=database.metadata,
        transaction_per_migration=True,
        render_item=_render,
    )
    with context.begin_transaction():
        context.run_migrations()


def drift(database: Database) -> list[object]:
    """How the migrated schema differs from the declared tables; empty when it does not."""
    with database.engine.connect() as connection:
        return list(compare_metadata(MigrationContext.configure(connection), database.metadata))


def _revisions(package: str) -> Path:
    return Path(importlib.import_module(package).__path__[0]) / "migrations"


def _render(kind: str, item: object, _: object) -> str | Literal[False]:
    """Write types in revisions by names that will still mean the same in years."""
    if kind == "type" and isinstance(item, Xid8):
        return "Xid8()"
    if kind == "type" and isinstance(item, AutoString):
        return "sa.String()"
    return False
