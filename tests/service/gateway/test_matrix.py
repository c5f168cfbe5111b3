"""Every route of the gateway with every kind of caller: default deny."""

from itertools import product

import pytest

from gateway.forwarding.door import OPEN, OPEN_FOLDER
from tests.gateway import People, http

CALLERS = ("nobody", "member", "customer_service", "marketer", "finance", "admin", "system")
ADMIN = {"admin"}
STAFF = {"customer_service", "marketer", "finance", "admin"}
EVERYBODY = set(CALLERS)
#: route -> who gets past the door's checks (whatever the route then says).
ROUTES = {
    ("POST", "/v1/sessions/member"): EVERYBODY,
    ("POST", "/v1/sessions/staff"): EVERYBODY,
    ("GET", "/v1/sessions/current"): EVERYBODY - {"nobody"},
    ("PUT", "/v1/sessions/current/password"): STAFF,
    ("POST", "/v1/staff"): ADMIN,
    ("GET", "/v1/staff"): ADMIN,
    ("PUT", "/v1/staff/somebody"): ADMIN,
    ("POST", "/v1/api-keys"): ADMIN,
    ("GET", "/v1/api-keys"): ADMIN,
    ("POST", "/v1/api-keys/k1/rotation"): ADMIN,
    ("DELETE", "/v1/api-keys/k1"): ADMIN,
    ("GET", "/v1/audit"): ADMIN,
    ("GET", "/feed"): set(),
    ("GET", "/openapi.json"): EVERYBODY,
    ("GET", "/docs"): EVERYBODY,
    ("GET", "/docs/start.js"): EVERYBODY,
    ("GET", "/docs/swagger-ui.css"): EVERYBODY,
    ("GET", "/healthz"): EVERYBODY,
    ("GET", "/readyz"): EVERYBODY,
    ("GET", "/metrics"): EVERYBODY,
}


def headers(people: People, who: str, method: str, target: str) -> dict[str, str]:
    if who == "nobody":
        return {}
    if who == "member":
        return people.member()
    if who == "system":
        return people.key("read", "events", "ledger", "members", "redemptions").sign(method, target, b"{}")
    people.hire("lin", who)
    return people.staff("lin", who)


@pytest.mark.parametrize(("route", "who"), list(product(ROUTES, CALLERS)))
def test_each_route_admits_exactly_its_callers(door: str, people: People, route: tuple[str, str], who: str) -> None:
    method, target = route
    sent = {"Content-Type": "application/json", **headers(people, who, method, target)}
    status = http(door, method, target, b"{}", sent).status
    if who in ROUTES[route]:
        assert status not in (401, 403, 405, 500)
    else:
        assert status == (401 if who == "nobody" else 403)


def test_the_matrix_knows_every_route(people: People) -> None:
    from gateway.application import create_own_app

    declared = {
        (method, rule.rule.replace("<code:name>", "somebody").replace("<code:key_id>", "k1"))
        for rule in create_own_app().url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.endpoint != "static" and "any(" not in rule.rule
    }
    assert declared == set(ROUTES) - {("GET", "/docs/swagger-ui.css")}


def test_what_is_open_is_what_everybody_may_ask() -> None:
    everybody = {target for (_, target), allowed in ROUTES.items() if allowed == EVERYBODY}
    assert {target for target in everybody if not target.startswith(OPEN_FOLDER)} == OPEN
