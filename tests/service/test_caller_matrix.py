"""Who may call what: every route of every service, walked by every kind of caller.

Default deny: a caller whom a route does not name gets 401 or 403, and nobody, named or not, breaks anything.
"""

import importlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from werkzeug.routing import BaseConverter, IntegerConverter, Rule, UUIDConverter

from common.http.app import Code, create_app
from common.http.callers import Allow
from common.identity import HEADER, Identity, sign
from common.migrations import upgrade
from common.queue import redis
from common.service import Service
from common.settings import settings
from tests.support import empty

#: Every service of the house; a package that is not there yet is left out.
PACKAGES = ("services.points", "services.levels", "services.referrals", "services.redemption", "gateway")
#: What anybody may read: no route of ours, but what operates and documents a process.
UNDECLARED = {"/healthz", "/readyz", "/metrics", "/openapi.json", "/static/<path:filename>"}
DOCUMENTATION = {"/docs", "/docs/start.js", "/docs/<any('swagger-ui.css', 'swagger-ui-bundle.js'):name>"}
#: Who signs in has nothing to show yet.
SIGN_IN = {("POST", "/v1/sessions/member"), ("POST", "/v1/sessions/staff")}

ROLES = ("customer_service", "marketer", "finance", "admin", "unheard_of")
SCOPES = ("events", "exchange", "ledger", "members", "read", "redemptions", "unheard_of")
CALLERS = (
    Identity("member", 1, "7"),
    Identity("member", 2, "7"),
    Identity("staff", 1, "lin"),
    *(Identity("staff", 1, "lin", frozenset({role})) for role in ROLES),
    Identity("system", 1, "shop"),
    *(Identity("system", 1, "shop", frozenset({scope})) for scope in SCOPES),
    Identity("service", 1, "levels"),
)


@dataclass(frozen=True)
class Walk:
    """A service, its app, and the routes that it declares."""

    service: Service
    app: Flask

    def declared(self) -> Iterator[tuple[str, Rule, tuple[Allow, ...]]]:
        """Method, rule and callers of every route."""
        for rule in self.app.url_map.iter_rules():
            allow = getattr(self.app.view_functions[rule.endpoint], "allow", None)
            if allow is not None:
                for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
                    yield method, rule, allow

    def call(self, method: str, rule: Rule, headers: dict[str, str]) -> tuple[int, str]:
        """Status and problem code (or nothing) of an empty request."""
        values = {name: _value(converter) for name, converter in rule._converters.items()}
        with self.app.test_request_context():
            path = self.app.url_map.bind("localhost").build(rule.endpoint, values, method=method)
        body = {"json": {}} if method in ("POST", "PUT") else {}
        answer = self.app.test_client().open(path, method=method, headers={"Idempotency-Key": "k", **headers}, **body)
        return answer.status_code, (answer.get_json(silent=True) or {}).get("code", "")


def _value(converter: BaseConverter) -> Any:
    """An address that the route takes, of nothing there is."""
    if isinstance(converter, IntegerConverter):
        return 4711
    if isinstance(converter, UUIDConverter):
        return UUID(int=4711)
    return "nothing" if isinstance(converter, Code) else "2026-05-03"


def _app_of(package: str) -> tuple[Service, Flask]:
    service: Service = importlib.import_module(f"{package}.service").service
    make: Callable[[Service], Flask] = create_app
    if package == "gateway":
        own: Callable[[], Flask] = importlib.import_module("gateway.application").create_own_app
        return service, own()
    return service, make(service)


@pytest.fixture(scope="module", params=PACKAGES)
def walk(request: pytest.FixtureRequest, servers: None) -> Iterator[Walk]:
    """One service, migrated and empty."""
    pytest.importorskip(f"{request.param}.service", exc_type=ImportError)
    with pytest.MonkeyPatch.context() as environment:
        for name in ("SESSION", "KEY_ENCRYPTION"):
            environment.setenv(f"JIFEN_{name}_SECRET", f"the {name} secret of tests, long enough")
        settings.cache_clear()
        service, app = _app_of(request.param)
        upgrade(service.database, request.param)
        empty(service)
        redis().flushall()
        yield Walk(service, app)
        service.database.dispose()
    settings.cache_clear()


def test_every_route_says_who_may_call_it(walk: Walk) -> None:
    silent = {
        rule.rule
        for rule in walk.app.url_map.iter_rules()
        if not hasattr(walk.app.view_functions[rule.endpoint], "allow")
    }
    assert silent <= UNDECLARED | (DOCUMENTATION if walk.service.name == "gateway" else set())
    open_to_all = {(method, rule.rule) for method, rule, allow in walk.declared() if not allow}
    assert open_to_all == (SIGN_IN if walk.service.name == "gateway" else set())
    assert len(list(walk.declared())) >= 5


def test_every_role_and_scope_that_is_declared_is_walked(walk: Walk) -> None:
    named = {(one.kind, one.role) for *_, allow in walk.declared() for one in allow}
    known = {("staff", role) for role in ROLES} | {("system", scope) for scope in SCOPES}
    assert named <= known | {("member", None), ("staff", None), ("system", None), ("service", None)}


@pytest.mark.parametrize("caller", CALLERS, ids=lambda one: "-".join((one.kind, str(one.program_id), *one.roles)))
def test_a_caller_gets_where_it_is_named_and_nowhere_else(walk: Walk, caller: Identity) -> None:
    headers = {HEADER: sign(caller, secret=settings().identity_secret.get_secret_value())}
    for method, rule, allow in walk.declared():
        status, code = walk.call(method, rule, headers)
        where = (method, rule.rule, status, code)
        if not allow or any(one.admits(caller) for one in allow):
            assert status < 500, where
            assert code not in ("forbidden", "unauthenticated"), where
        else:
            assert (status, code) == (403, "forbidden"), where


@pytest.mark.parametrize(
    "header",
    [None, "", "x", "x.y", "é", sign(CALLERS[0], secret="x" * 40), sign(CALLERS[0], secret="x", now=0)],
    ids=["none", "empty", "no signature", "no body", "no ASCII", "forged", "forged and old"],
)
def test_nobody_gets_anywhere_without_a_genuine_identity(walk: Walk, header: str | None) -> None:
    for method, rule, allow in walk.declared():
        status, code = walk.call(method, rule, {} if header is None else {HEADER: header})
        where = (method, rule.rule, status, code)
        if allow:
            assert (status, code) == (401, "unauthenticated"), where
        else:
            assert status < 500, where


def test_an_identity_that_is_out_of_date_is_none(walk: Walk) -> None:
    secret = settings().identity_secret.get_secret_value()
    for method, rule, allow in walk.declared():
        for caller in (Identity("service", 1, "levels"), Identity("staff", 1, "lin", frozenset({"admin"}))):
            stale = {HEADER: sign(caller, secret=secret, now=1_000_000_000)}
            if allow:
                assert walk.call(method, rule, stale) == (401, "unauthenticated")
