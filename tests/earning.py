"""A shop that earns: a program with assets and rules set up over HTTP, the events it sends, and what came of them."""

import itertools
import json
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import lru_cache
from threading import Barrier
from typing import Any, ClassVar

import pytest
from sqlalchemy import text
from werkzeug.test import TestResponse

from common.commands import run_checks
from common.identity import verify
from common.queue import redis
from common.service import Service
from common.settings import settings
from services.points.audit.jobs import seal_posted
from services.points.programs.use_cases import forget_books
from services.points.rules.use_cases import forget_rules
from tests.points import built_once
from tests.support import Callers, empty

RULE = {"name_en": "A point a yuan", "name_zh": "一元一分", "trigger": "order.paid", "formula": "data.paid_fen / 100"}
TIME = "2026-05-03T12:00:00+08:00"


def event(id: str = "e1", type: str = "review.posted", member_id: int = 7, **given: Any) -> dict[str, Any]:
    """A CloudEvent of a member."""
    defaults = {"specversion": "1.0", "id": id, "source": "shop", "type": type, "time": TIME, "data": {}}
    return {**defaults, "subject": f"member:{member_id}", **given}


def paid(order_id: str = "A1", paid_fen: int = 10_000, *, id: str | None = None, **given: Any) -> dict[str, Any]:
    """`order.paid`."""
    data = {"order_id": order_id, "paid_fen": paid_fen}
    return event(id or f"paid-{order_id}", "order.paid", data=data, **given)


def refunded(
    refunded_fen: int, order_id: str = "A1", *, refund_id: str = "r1", id: str | None = None, **given: Any
) -> dict[str, Any]:
    """`order.refunded`."""
    data = {"order_id": order_id, "refund_id": refund_id, "refunded_fen": refunded_fen}
    return event(id or f"refund-{order_id}-{refund_id}", "order.refunded", data=data, **given)


@dataclass
class Shop:
    """Program 1: points that cannot go into debt, growth that can; no rule yet."""

    service: Service
    callers: Callers
    keys: ClassVar[Iterator[int]] = itertools.count(1)

    def __post_init__(self) -> None:
        self.marketer = self.callers.staff("marketer")

    def found(self) -> None:
        """Set the program up."""
        assert self.marketer.put("/v1/program", {"name": "Acme"}).status_code == 200
        self.put_asset("points")
        self.put_asset("growth", debt_allowed=True)

    def put_asset(self, code: str, **given: Any) -> None:
        """Create an asset or change it."""
        answer = self.marketer.put(f"/v1/assets/{code}", {"name_en": code, "name_zh": code, **given})
        assert answer.status_code == 200, answer.json

    def draft(self, code: str, **given: Any) -> TestResponse:
        """Write a draft: by default a point a yuan for paid orders."""
        return self.marketer.put(f"/v1/rules/{code}/draft", {**RULE, "asset": "points", **given})

    def act(self, code: str, what: str, body: Any = None) -> TestResponse:
        """Publish, roll back or retire a rule under a new key."""
        return self.marketer.post(f"/v1/rules/{code}/{what}", body, key=f"act-{next(self.keys)}")

    def publish(self, code: str = "order", **given: Any) -> int:
        """Draft and publish; returns the version."""
        assert self.draft(code, **given).status_code == 200
        answer = self.act(code, "publication")
        assert answer.status_code == 200, answer.json
        return int(answer.json["live_version"])

    def post(self, body: Any, **headers: str) -> TestResponse:
        """Send a body to intake as the shop's system."""
        return self.callers.system("events", **headers).post("/v1/events", body)

    def send(self, *events: dict[str, Any]) -> list[dict[str, Any]]:
        """Take in one event, or several in one request; returns their results."""
        answer = self.post(events[0] if len(events) == 1 else list(events))
        assert answer.status_code == 200, answer.json
        return list(answer.json["results"])

    def send_one(self, event: dict[str, Any]) -> dict[str, Any]:
        """Take in one event; returns its result."""
        return self.send(event)[0]

    def spend(self, amount: int, *, member_id: int = 7, asset: str = "points") -> None:
        """A member spends."""
        self.move("spend", amount, member_id=member_id, asset=asset)

    def move(self, kind: str, amount: int, *, member_id: int = 7, asset: str = "points") -> None:
        """Earn or spend past the rules."""
        body = {"member_id": member_id, "asset": asset, "kind": kind, "amount": amount}
        answer = self.callers.system("ledger").post("/v1/postings", body, key=f"move-{next(self.keys)}")
        assert answer.status_code == 201, answer.json

    def account(self, member_id: int = 7, asset: str = "points") -> dict[str, Any]:
        """A member's account."""
        return dict(self.callers.member(member_id).get(f"/v1/accounts/{asset}").json)

    def balance(self, member_id: int = 7, asset: str = "points") -> int:
        """A member's balance."""
        return int(self.account(member_id, asset)["balance"])

    def entries(self, member_id: int = 7, asset: str = "points") -> list[dict[str, Any]]:
        """A member's journal, oldest first."""
        answer = self.callers.member(member_id).get(f"/v1/accounts/{asset}/entries", limit=200)
        return list(reversed(answer.json["entries"]))

    def amounts(self, member_id: int = 7, asset: str = "points") -> list[int]:
        """The journal's amounts, oldest first."""
        return [entry["amount"] for entry in self.entries(member_id, asset)]

    def feed(self, *topics: str) -> list[dict[str, Any]]:
        """Everything that the neighbours can read of these topics (all when none is named)."""
        answer = self.callers.service("levels").get("/feed", limit=1000, topics=",".join(topics))
        assert not answer.json["more"]
        return list(answer.json["facts"])

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """What a statement answers."""
        with self.service.database.transaction() as session:
            return [tuple(row) for row in session.execute(text(statement))]

    def written(self) -> list[int]:
        """How many events, orders, entries and facts there are."""
        tables = ("points_events", "points_orders", "points_entries", "points_outbox")
        return [int(self.rows(f"SELECT count(*) FROM {table}")[0][0]) for table in tables]

    def assert_sound(self) -> None:
        """Every invariant of the service holds, once the worker of a house would have sealed."""
        seal_posted()
        assert [finding for finding in run_checks(self.service) if finding.violations] == []


@dataclass
class LevelsDouble:
    """A stand-in for levels that says who an identity is: ids from 1000 on in the order in which it was asked.

    `mood`: `well`, `unwell` (503), `refusing` (422, as for an identity type that it does not know) or `denying` (403).
    """

    mood: str = "well"
    members: dict[tuple[str, str, str], int] = field(default_factory=dict)
    requests: list[dict[str, Any]] = field(default_factory=list)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        assert (environ["REQUEST_METHOD"], environ["PATH_INFO"]) == ("POST", "/v1/members/resolution")
        caller = verify(environ["HTTP_X_JIFEN_IDENTITY"], secret=settings().identity_secret.get_secret_value())
        body = json.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
        self.requests.append({"caller": caller, **body})
        status, answer = self._answer(body)
        start_response(status, [("Content-Type", "application/json")])
        return [json.dumps(answer).encode()]

    def _answer(self, body: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        if self.mood == "unwell":
            return "503 Service Unavailable", {"code": "unavailable"}
        if self.mood == "denying":
            return "403 Forbidden", {"code": "forbidden", "status": 403}
        if self.mood == "refusing":
            errors = [{"pointer": "/identities/0/type", "detail": "Must be one of: customer_id, phone_hash."}]
            return "422 Unprocessable Entity", {"code": "invalid_request", "status": 422, "errors": errors}
        return "200 OK", {"members": [self._member(identity) for identity in body["identities"]]}

    def _member(self, identity: dict[str, str]) -> dict[str, Any]:
        key = (identity["type"], identity.get("app", ""), identity["value"])
        created = key not in self.members
        self.members.setdefault(key, 1000 + len(self.members))
        return {"member_id": self.members[key], "created": created}


def at_once(calls: Iterable[Callable[[], Any]]) -> list[Any]:
    """The answers to all the calls, begun in the same moment, each by a thread of its own."""
    calls = list(calls)
    gate = Barrier(len(calls))

    def begin(call: Callable[[], Any]) -> Any:
        gate.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(begin, calls))


@lru_cache(maxsize=1)
def _callers() -> Callers:
    # Making an app takes longer than most tests here; it keeps nothing between requests.
    from services.points.service import service

    return Callers(service)


_found = built_once(Shop.found)


def open_shop(service: Service) -> Iterator[Shop]:
    """A shop in an emptied service; what a test leaves behind passes every check. `yield from` it in a fixture."""
    empty(service)
    redis().flushall()
    made = Shop(service, _callers())
    _found(made)
    yield made
    made.assert_sound()
    forget_books()
    forget_rules()


@pytest.fixture
def shop(points_migrated: Service) -> Iterator[Shop]:
    """An empty points service with a program."""
    yield from open_shop(points_migrated)
