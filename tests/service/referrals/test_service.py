"""The service as a whole: its schema, its jobs and schedule, and who may call what."""

import importlib
from typing import Any

import pytest

from common.cron import Every
from common.migrations import drift
from services.referrals import jobs
from services.referrals.schedule import SCHEDULE
from tests.referrals import POINTS, Referrals

GROUP = "00000000-0000-0000-0000-000000000000"
CALLERS = {
    "member": lambda it: it.member(7),
    "marketer": lambda it: it.callers.staff("marketer"),
    "customer_service": lambda it: it.callers.staff("customer_service"),
    "finance": lambda it: it.callers.staff("finance"),
    "admin": lambda it: it.callers.staff("admin"),
    "read": lambda it: it.callers.system("read"),
    "ledger": lambda it: it.callers.system("ledger"),
    "points": lambda it: it.callers.service("points"),
}
STAFF = {"marketer", "customer_service", "finance", "admin"}
ROUTES: list[tuple[str, str, Any, set[str]]] = [
    ("put", "/v1/invitations/campaigns/a", {}, {"marketer", "admin"}),
    ("get", "/v1/invitations/campaigns", None, {"member", "read"} | STAFF),
    ("post", "/v1/invitations", {"campaign": "a"}, {"member"}),
    ("get", "/v1/invitations", None, {"member"}),
    ("post", "/v1/bindings", {"code": "ZZZZZZZZ"}, {"member"}),
    ("get", "/v1/bindings", None, {"customer_service", "admin"}),
    ("post", "/v1/bindings/1-1/review", {"decision": "reject", "note": "x"}, {"customer_service", "admin"}),
    ("get", "/v1/bindings/members/1", None, {"customer_service", "admin"}),
    ("put", "/v1/groupbuys/campaigns/a", {}, {"marketer", "admin"}),
    ("get", "/v1/groupbuys/campaigns", None, {"member", "read"} | STAFF),
    ("post", "/v1/groupbuys", {"campaign": "a"}, {"member"}),
    ("get", "/v1/groupbuys", None, {"member", "read"} | STAFF),
    ("get", f"/v1/groupbuys/{GROUP}", None, {"member", "read"} | STAFF),
    ("post", f"/v1/groupbuys/{GROUP}/seats", None, {"member"}),
    ("get", "/v1/groupbuys/members/1", None, {"customer_service", "admin"}),
    ("get", "/v1/groupbuys/refunds", None, {"finance", "admin", "read"}),
    ("post", "/v1/groupbuys/refunds/o1/done", None, {"ledger"}),
]


@pytest.mark.parametrize(("method", "path", "body", "allowed"), ROUTES)
def test_only_those_named_may_call(referrals: Referrals, method: str, path: str, body: Any, allowed: set[str]) -> None:
    more = {"key": "k"} if method == "post" else {}
    arguments = () if method == "get" else (body,)
    admitted = {
        name
        for name, caller in CALLERS.items()
        if getattr(caller(referrals), method)(path, *arguments, **more).status_code != 403
    }
    assert admitted == allowed
    assert getattr(referrals.callers.anybody(), method)(path, *arguments, **more).status_code == 401


def test_every_route_is_in_the_matrix(referrals: Referrals) -> None:
    rules = {
        (method.lower(), rule.rule.split("<")[0])
        for rule in referrals.callers.app.url_map.iter_rules()
        for method in rule.methods & {"GET", "PUT", "POST", "DELETE"}
        if rule.rule.startswith("/v1/")
    }
    walked = {(method, path) for method, path, _, _ in ROUTES}
    assert len(rules) > 10
    assert all(any(method == m and path.startswith(prefix) for m, path in walked) for method, prefix in rules)
    assert len(ROUTES) == sum(
        len(rule.methods & {"GET", "PUT", "POST", "DELETE"})
        for rule in referrals.callers.app.url_map.iter_rules()
        if rule.rule.startswith("/v1/")
    )


@pytest.mark.parametrize(("method", "path", "body"), [row[:3] for row in ROUTES if row[0] == "post"])
def test_whatever_moves_value_needs_a_key(referrals: Referrals, method: str, path: str, body: Any) -> None:
    if path == "/v1/invitations":
        return
    codes = {caller(referrals).post(path, body).json["code"] for caller in CALLERS.values()}
    assert codes == {"forbidden", "idempotency_key_missing"}


def test_the_schema_is_what_the_tables_say(referrals: Referrals) -> None:
    assert drift(referrals.service.database) == []


def test_the_schedule_names_jobs_that_exist() -> None:
    assert len(SCHEDULE) == 5
    for entry in SCHEDULE:
        assert isinstance(entry, Every)
        module, _, name = entry.function.rpartition(".")
        assert callable(getattr(importlib.import_module(module), name))
        assert entry.queue == "referrals"


def test_the_pull_job_pulls_the_feed_it_is_told(referrals: Referrals, monkeypatch: pytest.MonkeyPatch) -> None:
    pulled: list[tuple[str, str]] = []
    monkeypatch.setattr("common.worker.pull_from", lambda service, source: pulled.append((service.name, source)))
    jobs.pull_feed("points")
    assert pulled == [("referrals", "points")]


def test_the_feed_offers_our_facts_to_the_neighbours(referrals: Referrals) -> None:
    referrals.campaign(inviter_reward=POINTS)
    referrals.bind(2, referrals.code(1))
    page = referrals.callers.service("levels", 0).get("/feed").json
    assert [(fact["topic"], fact["member_id"]) for fact in page["facts"]] == [("invitation.bound", 1)]
