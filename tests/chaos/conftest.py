"""Faults of one service are tried on the services of the service tests; only feeds under fire need the whole stack."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest

from common.service import Service
from deploy.local.embedded import EmbeddedPostgres
from services.points.database import database
from tests.gateway import environment
from tests.points import brand, clock
from tests.servers import throwaway_folder
from tests.service.conftest import points, points_migrated, servers
from tests.wire import Wire, wire_to_postgres

__all__ = ["brand", "clock", "points", "points_migrated", "servers"]


@contextmanager
def points_at(url: str) -> Iterator[None]:
    """The points service on another database for a while, whose connections end with it."""
    database.dispose()
    try:
        with environment(JIFEN_POINTS_DATABASE_URL=url):
            yield
            database.dispose()
    finally:
        database.dispose()


@pytest.fixture
def wire(points_migrated: Service, postgres: EmbeddedPostgres) -> Iterator[Wire]:
    """The network between points and its PostgreSQL."""
    with (
        throwaway_folder() as folder,
        wire_to_postgres(postgres.sockets, folder) as wire,
        points_at(f"postgresql+psycopg://postgres@/points?host={folder}"),
    ):
        yield wire


@pytest.fixture
def beside(points_migrated: Service, postgres: EmbeddedPostgres) -> Iterator[psycopg.Connection]:
    """A look at points' database that does not go through the wire."""
    with psycopg.connect(postgres.url("points", scheme="postgresql"), autocommit=True) as connection:
        yield connection
