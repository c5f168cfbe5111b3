"""The door on a real port, with services behind it and people in front of it."""

import os
from collections.abc import Iterator
from functools import lru_cache

import pytest

from common.queue import redis
from common.service import Service
from common.settings import settings
from gateway import application
from gateway.application import create_gateway
from tests.gateway import SERVICES, SESSION_SECRET, Levels, People, echo, environment, forget_everything
from tests.support import empty, migrated
from tests.wsgi import serving


@pytest.fixture(scope="session")
def gateway_migrated(servers: None) -> Iterator[Service]:
    """The gateway with its schema."""
    from gateway.service import service

    os.environ["JIFEN_SESSION_SECRET"] = SESSION_SECRET
    os.environ["JIFEN_KEY_ENCRYPTION_SECRET"] = "the key secret of tests, long enough too"
    settings.cache_clear()
    yield migrated(service, "gateway")
    service.database.dispose()


# Making it takes longer than most tests; it keeps nothing between requests.
_own_app = lru_cache(maxsize=1)(application.create_own_app)


@pytest.fixture
def people(gateway_migrated: Service, monkeypatch: pytest.MonkeyPatch) -> People:
    """An empty gateway with two programs."""
    monkeypatch.setattr(application, "create_own_app", _own_app)
    empty(gateway_migrated)
    redis().flushall()
    forget_everything()
    return People()


@pytest.fixture
def services(people: People) -> Iterator[None]:
    """An echo in the place of every service."""
    with serving(echo) as url, environment(**{f"JIFEN_{name.upper()}_URL": url for name in SERVICES}):
        yield


@pytest.fixture
def door(services: None) -> Iterator[str]:
    """The URL of the door."""
    gateway = create_gateway()
    with serving(gateway) as url:
        yield url
    gateway.close()


@pytest.fixture
def levels(people: People) -> Iterator[Levels]:
    """A levels service that knows nobody yet; ask for it before the door."""
    service = Levels()
    with serving(service) as url, environment(JIFEN_LEVELS_URL=url):
        yield service
