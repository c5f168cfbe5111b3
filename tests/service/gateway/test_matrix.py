"""Every route of the gateway with every kind of caller: default deny."""

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
    ("GET", "/v1/profiles/17"): {"customer_service", "admin"},
    ("GET", "/feed"): set(),
    ("GET", "/openapi.json"): EVERYBODY,
    ("GET", "/docs"): EVERYBODY,
    ("GET", "/docs/start.js"): EVERYBODY,
    ("GET", "/docs/swagger-ui.css"): EVERYBODY,
    ("GET", "/healthz"): EVERYBODY,
    ("GET", "/readyz"): EVERYBODY,
    ("GET", "/metrics"): EVERYBODY,
}


class Somebody:
    """A caller of one kind, with all that this kind can have."""

    def __init__(self, people: People, kind: str) -> None:
        self._people, self._kind = people, kind
        self._key = people.key("read", "events", "ledger", "members", "redemptions", "exchange")
        if kind in STAFF:
            people.hire("lin", kind)

    def headers(self, method: str, target: str) -> dict[str, str]:
        """The credentials of one request."""
        if self._kind == "nobody":
            return {}
        if self._kind == "member":
            return self._people.member()
        if self._kind == "system":
            return self._key.sign(method, target, b"{}")
        return self._people.staff("lin", self._kind)


@pytest.mark.parametrize("kind", CALLERS)
def test_each_route_admits_exactly_its_callers(door: str, people: People, kind: str) -> None:
    somebody = Somebody(people, kind)
    wrong = []
    for (method, target), admitted in ROUTES.items():
        sent = {"Content-Type": "application/json", **somebody.headers(method, target)}
        status = http(door, method, target, b"{}", sent).status
        refused = 401 if kind == "nobody" else 403
        if status in (401, 403, 405, 500) if kind in admitted else status != refused:
            wrong.append((method, target, status))
    assert wrong == []


def test_the_matrix_knows_every_route(people: People) -> None:
    from gateway.application import create_own_app

    declared = {
        (
            method,
            rule.rule.replace("<code:name>", "somebody").replace("<code:key_id>", "k1").replace("<id:member_id>", "17"),
        )
        for rule in create_own_app().url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.endpoint != "static" and "any(" not in rule.rule
    }
    assert declared == set(ROUTES) - {("GET", "/docs/swagger-ui.css")}


def test_what_is_open_is_what_everybody_may_ask() -> None:
    everybody = {target for (_, target), allowed in ROUTES.items() if allowed == EVERYBODY}
    assert {target for target in everybody if not target.startswith(OPEN_FOLDER)} == OPEN
