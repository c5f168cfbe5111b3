"""What service tests stand on: a migrated database of their own, the real app, and callers with signed identities."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Table, text
from sqlmodel import Session
from werkzeug.test import TestResponse

from common.http.app import create_app
from common.identity import HEADER, Identity, sign
from common.migrations import upgrade
from common.service import Service
from common.settings import settings
from tests.wsgi import serving

SECRET = "a secret of tests, long enough to be accepted"
AUDIT_KEY = "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A="  # the first test vector of RFC 8032
DATABASES = ("points", "levels", "referrals", "redemption", "gateway")


def configure(postgres: Any, redis_url: str) -> None:
    """Point this process at the throw-away servers; run once per session."""
    os.environ["JIFEN_ENV"] = "test"
    os.environ["JIFEN_LOG_FORMAT"] = "console"
    os.environ["JIFEN_IDENTITY_SECRET"] = SECRET
    os.environ["JIFEN_AUDIT_KEY"] = AUDIT_KEY
    os.environ["JIFEN_CODE_SECRET"] = f"{SECRET}, for codes"
    os.environ["JIFEN_REDIS_URL"] = redis_url
    for name in DATABASES:
        os.environ[f"JIFEN_{name.upper()}_DATABASE_URL"] = postgres.url(name)
    settings.cache_clear()


def migrated(service: Service, package: str) -> Service:
    """The service with its schema up to date."""
    upgrade(service.database, package)
    return service


def empty(service: Service) -> None:
    """Delete every row of the service's tables; those that are empty already are left alone."""
    with service.database.transaction() as session:
        full = _full(session, service)
        if full:
            names = ", ".join(table.name for table in full)
            session.execute(text(f"TRUNCATE {names} RESTART IDENTITY CASCADE"))


class Kept:
    """What the tables of a service held at one moment, to be brought back instead of built again."""

    def __init__(self, service: Service) -> None:
        self._rows: list[tuple[str, bytes]] = []
        with service.database.transaction() as session:
            cursor = _cursor(session)
            for table in _full(session, service):
                columns = ", ".join(column.name for column in table.columns if column.computed is None)
                with cursor.copy(f"COPY (SELECT {columns} FROM {table.name}) TO STDOUT (FORMAT binary)") as copy:
                    self._rows.append((f"{table.name} ({columns})", b"".join(copy)))
            cursor.execute("SELECT sequencename, last_value FROM pg_sequences WHERE last_value IS NOT NULL")
            self._counted = cursor.fetchall()

    def bring_back(self, service: Service) -> None:
        """Make the tables hold that again, and nothing else."""
        empty(service)
        with service.database.transaction() as session:
            cursor = _cursor(session)
            for where, rows in self._rows:
                with cursor.copy(f"COPY {where} FROM STDIN (FORMAT binary)") as copy:
                    copy.write(rows)
            for sequence, value in self._counted:
                cursor.execute("SELECT setval(%s, %s)", (sequence, value))


def _cursor(session: Session) -> Any:
    return session.connection().connection.cursor()


def _full(session: Session, service: Service) -> list[Table]:
    tables = service.database.metadata.sorted_tables
    some = " UNION ALL ".join(f"SELECT '{table.name}' WHERE EXISTS (SELECT FROM {table.name})" for table in tables)
    full = set(session.execute(text(some)).scalars())
    return [table for table in tables if table.name in full]


_apps: dict[int, tuple[Service, Flask]] = {}


def app_of(service: Service) -> Flask:
    """The service's app, made once: making one takes longer than most tests."""
    if id(service) not in _apps:
        _apps[id(service)] = service, create_app(service)
    return _apps[id(service)][1]


class Caller:
    """Someone calling an app: `caller.post(path, json, key=…)` returns Flask's test response."""

    def __init__(self, client: FlaskClient, identity: Identity | None, **headers: str) -> None:
        self.client = client
        self.identity = identity
        self.headers = headers

    def get(self, path: str, **query: Any) -> TestResponse:
        """Read."""
        return self.client.get(path, query_string=query, headers=self._headers())

    def post(self, path: str, json: Any = None, *, key: str | None = None, **more: Any) -> TestResponse:
        """Change, with an idempotency key when given."""
        return self.client.post(path, json=json, headers=self._headers(key), **more)

    def put(self, path: str, json: Any = None, **more: Any) -> TestResponse:
        """Set up."""
        return self.client.put(path, json=json, headers=self._headers(), **more)

    def delete(self, path: str) -> TestResponse:
        """Remove."""
        return self.client.delete(path, headers=self._headers())

    def _headers(self, key: str | None = None) -> dict[str, str]:
        made = dict(self.headers)
        if self.identity:
            made[HEADER] = sign(self.identity, secret=settings().identity_secret.get_secret_value())
        if key is not None:
            made["Idempotency-Key"] = key
        return made


class Callers:
    """Makes callers of one service's app."""

    def __init__(self, service: Service) -> None:
        self.app = app_of(service)

    def anybody(self, **headers: str) -> Caller:
        """A caller without credentials."""
        return Caller(self.app.test_client(), None, **headers)

    def member(self, member_id: int, program_id: int = 1, **headers: str) -> Caller:
        """A member."""
        return Caller(self.app.test_client(), Identity("member", program_id, str(member_id)), **headers)

    def staff(self, *roles: str, name: str = "lin", program_id: int = 1, **headers: str) -> Caller:
        """Staff with roles."""
        return Caller(self.app.test_client(), Identity("staff", program_id, name, frozenset(roles)), **headers)

    def system(self, *scopes: str, key_id: str = "shop", program_id: int = 1, **headers: str) -> Caller:
        """An API key with scopes."""
        return Caller(self.app.test_client(), Identity("system", program_id, key_id, frozenset(scopes)), **headers)

    def service(self, name: str, program_id: int = 1, **headers: str) -> Caller:
        """A neighbour."""
        return Caller(self.app.test_client(), Identity("service", program_id, name), **headers)


@contextmanager
def listening(service: Service) -> Iterator[str]:
    """The service's real app on a real port of this machine, for contract tests; yields and sets its URL."""
    name = f"JIFEN_{service.name.upper()}_URL"
    before = os.environ.get(name)
    with serving(create_app(service)) as url:
        os.environ[name] = url
        settings.cache_clear()
        try:
            yield url
        finally:
            if before is None:
                del os.environ[name]
            else:
                os.environ[name] = before
            settings.cache_clear()
