"""A member in one call: every part asked as the caller, side by side, and what is not there named with its reason."""

import json
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from common.identity import HEADER, verify
from common.settings import settings
from gateway.profiles import routes
from tests.gateway import SERVICES, People, Reply, environment, http
from tests.wsgi import serving

HOLD = {"hold_id": "0198", "amount": 30, "expires_at": "2026-05-20T04:00:00Z"}
ACCOUNTS = [{"asset": "points", "held": 30}, {"asset": "growth", "held": 0}]
MEMBER = {"member_id": 17, "growth": 5, "tier": {"code": "gold"}, "badges": [], "streaks": []}
RELATIONS = {"invited_by": None, "invited": [], "invitations": []}


@dataclass
class Everybody:
    """All services in one: they answer by path, as told, and remember who asked."""

    answers: dict[str, tuple[int, Any]] = field(
        default_factory=lambda: {
            "/v1/members/17": (200, MEMBER),
            "/v1/accounts": (200, {"accounts": ACCOUNTS}),
            "/v1/accounts/points": (200, {"asset": "points", "holds": [HOLD]}),
            "/v1/timeline": (200, {"items": [{"kind": "entry"}], "next": None}),
            "/v1/redemptions": (200, {"redemptions": [], "next": None}),
            "/v1/bindings/members/17": (200, RELATIONS),
            "/v1/groupbuys/members/17": (200, {"groupbuys": []}),
        }
    )
    asked: dict[str, dict[str, str]] = field(default_factory=dict)
    silent: set[str] = field(default_factory=set)
    trickling: set[str] = field(default_factory=set)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        self.asked[environ["RAW_URI"]] = {name: it for name, it in environ.items() if name.startswith("HTTP_")}
        if path in self.silent:
            time.sleep(1)
        status, said = self.answers[path]
        body = said if isinstance(said, bytes) else json.dumps(said).encode()
        pieces = [b" "] * 10 if path in self.trickling else []
        length = len(body) + len(pieces)
        start_response(f"{status} Said", [("Content-Type", "application/json"), ("Content-Length", str(length))])
        for piece in pieces:
            time.sleep(0.1)
            yield piece
        yield body


@pytest.fixture
def everybody(people: People) -> Iterator[Everybody]:
    """Ask for it before the door."""
    services = Everybody()
    with serving(services) as url, environment(**{f"JIFEN_{name.upper()}_URL": url for name in SERVICES}):
        yield services


@pytest.fixture
def ask(everybody: Everybody, people: People) -> Iterator[Callable[..., Reply]]:
    """Customer service asks for member 17."""
    from gateway.application import create_gateway

    people.hire("lin", "customer_service")
    gateway = create_gateway()
    with serving(gateway) as url:

        def profile(**headers: str) -> Reply:
            return http(url, "GET", "/v1/profiles/17", None, {**people.staff("lin", "customer_service"), **headers})

        yield profile
    gateway.close()


def test_h3_a_member_is_shown_whole_in_one_call(ask: Callable[..., Reply]) -> None:
    reply = ask()
    assert reply.status == 200, reply
    assert reply.json["member_id"] == 17
    assert reply.json["missing"] == []
    assert reply.json["parts"] == {
        "member": MEMBER,
        "accounts": ACCOUNTS,
        "holds": [{"asset": "points", **HOLD}],
        "timeline": [{"kind": "entry"}],
        "redemptions": [],
        "relations": RELATIONS,
        "groupbuys": [],
    }


def test_everybody_is_asked_as_the_caller_about_this_member(ask: Callable[..., Reply], everybody: Everybody) -> None:
    ask(**{"X-Request-ID": "r-1", "Accept-Language": "zh"})
    assert set(everybody.asked) == {
        "/v1/members/17",
        "/v1/accounts?member_id=17",
        "/v1/accounts/points?member_id=17",
        "/v1/timeline?member_id=17&limit=20",
        "/v1/redemptions?member_id=17&limit=10",
        "/v1/bindings/members/17",
        "/v1/groupbuys/members/17",
    }
    for headers in everybody.asked.values():
        identity = verify(
            headers["HTTP_" + HEADER.upper().replace("-", "_")],
            secret=settings().identity_secret.get_secret_value(),
        )
        assert (identity.actor, identity.program_id, identity.roles) == ("staff:lin", 1, {"customer_service"})
        assert (headers["HTTP_X_REQUEST_ID"], headers["HTTP_ACCEPT_LANGUAGE"]) == ("r-1", "zh")


@pytest.mark.parametrize(("language", "word"), [("en", "does not answer"), ("zh", "系统繁忙")])
def test_who_does_not_answer_in_time_is_named_and_holds_up_nobody(
    ask: Callable[..., Reply], everybody: Everybody, monkeypatch: pytest.MonkeyPatch, language: str, word: str
) -> None:
    monkeypatch.setattr(routes, "DEADLINE_SECONDS", 0.4)
    everybody.silent, everybody.trickling = {"/v1/timeline"}, {"/v1/accounts"}
    began = time.monotonic()
    shown = ask(**{"Accept-Language": language}).json
    assert time.monotonic() - began < 0.9
    assert shown["parts"]["member"] == MEMBER
    assert [shown["parts"][name] for name in ("accounts", "holds", "timeline")] == [None] * 3
    assert [(it["part"], it["service"], it["code"]) for it in shown["missing"]] == [
        ("accounts", "points", "service_unavailable"),
        ("timeline", "points", "service_unavailable"),
    ]
    assert all(word in it["detail"] for it in shown["missing"])


@pytest.mark.parametrize(
    ("path", "answer", "part", "code"),
    [
        ("/v1/bindings/members/17", (403, {"code": "forbidden", "detail": "not you"}), "relations", "forbidden"),
        ("/v1/redemptions", (503, {"code": "unavailable", "detail": "busy"}), "redemptions", "unavailable"),
        ("/v1/groupbuys/members/17", (502, b"<html>"), "groupbuys", "service_unavailable"),
        ("/v1/timeline", (500, []), "timeline", "service_unavailable"),
        ("/v1/members/17", (500, {"code": "internal_error", "detail": "?"}), "member", "internal_error"),
        ("/v1/accounts/points", (503, {"code": "unavailable", "detail": "busy"}), "holds of points", "unavailable"),
    ],
)
def test_what_a_service_does_not_give_is_named_with_its_reason(
    ask: Callable[..., Reply], everybody: Everybody, path: str, answer: tuple[int, Any], part: str, code: str
) -> None:
    everybody.answers[path] = answer
    shown = ask().json
    assert [(it["part"], it["code"]) for it in shown["missing"]] == [(part, code)]
    empty = [name for name, it in shown["parts"].items() if it is None]
    assert empty == ([] if part.startswith("holds") else [part])


def test_a_service_that_is_not_there_is_named(ask: Callable[..., Reply]) -> None:
    with environment(JIFEN_REFERRALS_URL="http://127.0.0.1:9"):
        missing = ask().json["missing"]
    assert [(it["part"], it["service"]) for it in missing] == [("relations", "referrals"), ("groupbuys", "referrals")]


def test_a_member_whom_nobody_knows_is_not_found(ask: Callable[..., Reply], everybody: Everybody) -> None:
    everybody.answers["/v1/members/17"] = 404, {"code": "not_found", "detail": "-"}
    assert (ask().status, ask().code) == (404, "not_found")
