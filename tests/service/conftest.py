"""Fixtures of service tests: every service migrated once per session, emptied before each test that asks for it."""

from collections.abc import Iterator
from typing import Any

import pytest

from common.queue import redis
from common.service import Service
from tests.points import brand
from tests.support import Callers, configure, empty, migrated

__all__ = ["brand"]


@pytest.fixture(scope="session")
def servers(postgres: Any, valkey: Any) -> None:
    """PostgreSQL and Valkey of this session, with this process configured for them."""
    postgres.create_databases(["points", "levels", "referrals", "redemption", "gateway"])
    configure(postgres, valkey.url)


@pytest.fixture(scope="session")
def points_migrated(servers: None) -> Iterator[Service]:
    """The points service with its schema."""
    from services.points.service import service

    yield migrated(service, "services.points")
    service.database.dispose()


@pytest.fixture
def points(points_migrated: Service) -> Callers:
    """Callers of an empty points service."""
    empty(points_migrated)
    redis().flushall()
    return Callers(points_migrated)
