"""Alembic's entry: the shared runner over the service's database."""

from alembic import context

from common.migrations import run_migrations

database = context.config.attributes["database"]
with database.engine.connect() as connection:
    run_migrations(connection, database)
    connection.commit()
