"""Customer service at work: agents with roles, what they ask for, and changesets driven to their end."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any, ClassVar

import pytest
from rq import SimpleWorker
from rq.serializers import JSONSerializer
from werkzeug.test import TestResponse

from common import queue
from common.settings import settings
from services.points.wakeups import HEAVY
from tests.points import Brand, done
from tests.support import Caller
from tests.wsgi import serving


@dataclass
class Desk:
    """Program 1's staff: `lin` and `wu` of customer service, `mei` of finance, `ada` the admin."""

    brand: Brand
    keys: ClassVar[Iterator[int]] = itertools.count(1)

    def staff(self, name: str, *roles: str, program_id: int = 1) -> Caller:
        """Somebody by name."""
        return self.brand.callers.staff(*roles, name=name, program_id=program_id)

    @property
    def lin(self) -> Caller:
        """An agent."""
        return self.staff("lin", "customer_service")

    @property
    def wu(self) -> Caller:
        """Another agent."""
        return self.staff("wu", "customer_service")

    @property
    def mei(self) -> Caller:
        """Finance."""
        return self.staff("mei", "finance")

    @property
    def ada(self) -> Caller:
        """The admin."""
        return self.staff("ada", "admin")

    def key(self) -> str:
        """A key nobody used before."""
        return f"care-{next(self.keys)}"

    def ask(self, amount: int, *, by: Caller | None = None, key: str | None = None, **given: Any) -> TestResponse:
        """Ask for an adjustment of member 7's points."""
        body = {"member_id": 7, "asset": "points", "amount": amount, "reason_code": "goodwill", **given}
        return (by or self.lin).post("/v1/adjustments", body, key=key or self.key())

    def redate(
        self, amount: int, first: date, to: date, *, by: Caller | None = None, key: str | None = None, **given: Any
    ) -> TestResponse:
        """Ask that points of member 7 end on another day."""
        days = {"from_on": first.isoformat(), "to_on": to.isoformat()}
        body = {"member_id": 7, "asset": "points", "amount": amount, "reason_code": "goodwill", **days, **given}
        return (by or self.lin).post("/v1/adjustments/redatings", body, key=key or self.key())

    def posted(self, amount: int, **given: Any) -> dict[str, Any]:
        """An adjustment that must be posted at once."""
        answer = self.ask(amount, **given)
        assert answer.status_code == 201, answer.get_data(as_text=True)
        return dict(answer.json or {})

    def waiting(self, amount: int, **given: Any) -> dict[str, Any]:
        """An adjustment that must wait for a second person."""
        answer = self.ask(amount, **given)
        assert answer.status_code == 202, answer.get_data(as_text=True)
        return dict(answer.json or {})

    def decide(
        self, what: str, adjustment: dict[str, Any], *, by: Caller | None = None, note: str = ""
    ) -> TestResponse:
        """Approve, reject (`approval`, `rejection`) or undo an adjustment."""
        path = f"/v1/adjustments/{adjustment['id']}/{what}"
        return (by or self.mei).post(path, {"note": note}, key=self.key())

    def show(self, adjustment: dict[str, Any]) -> dict[str, Any]:
        """The adjustment as it stands."""
        return done(self.mei.get(f"/v1/adjustments/{adjustment['id']}"))

    def upload(self, csv: str, *, kind: str = "adjustment", by: Caller | None = None, **given: Any) -> dict[str, Any]:
        """Upload a changeset."""
        body = {"kind": kind, "name": "May", "csv": csv, **given}
        answer = (by or self.lin).post("/v1/changesets", body, key=self.key())
        assert answer.status_code == 202, answer.get_data(as_text=True)
        return dict(answer.json or {})

    def checked(self, csv: str, **given: Any) -> dict[str, Any]:
        """Upload a changeset and let the worker check it."""
        made = self.upload(csv, **given)
        work_off()
        return self.changeset(made)

    def changeset(self, changeset: dict[str, Any]) -> dict[str, Any]:
        """The changeset as it stands."""
        return done(self.mei.get(f"/v1/changesets/{changeset['id']}"))

    def act(self, what: str, changeset: dict[str, Any], *, by: Caller | None = None) -> TestResponse:
        """Approve, reject, undo, … a changeset."""
        body = {} if what in ("approval", "rejection") else None
        return (by or self.mei).post(f"/v1/changesets/{changeset['id']}/{what}", body, key=self.key())

    def applied(self, csv: str, **given: Any) -> dict[str, Any]:
        """A changeset that must be applied."""
        made = self.checked(csv, **given)
        assert made["status"] == "checked", self.faults(made)
        assert self.act("approval", made).status_code == 202
        work_off()
        made = self.changeset(made)
        assert made["status"] == "applied", self.faults(made)
        return made

    def undone(self, changeset: dict[str, Any]) -> dict[str, Any]:
        """Ask to undo, let another one say yes, and let the worker try."""
        assert self.act("undo", changeset, by=self.lin).status_code == 202
        assert self.act("undo/approval", changeset).status_code == 202
        work_off()
        return self.changeset(changeset)

    def faults(self, changeset: dict[str, Any]) -> list[tuple[int, str, str]]:
        """What is wrong: line, column, code."""
        page = done(self.mei.get(f"/v1/changesets/{changeset['id']}/faults", limit=1000))
        return [(fault["line"], fault["column"], fault["code"]) for fault in page["faults"]]


@dataclass
class MembersDouble:
    """A stand-in for levels: members 1 to 99,999 exist; identities of `known`, and strangers it is told to make."""

    known: dict[str, int] = field(default_factory=dict)
    unwell: bool = False
    denying: bool = False
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        import json

        body = json.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
        self.asked.append((environ["PATH_INFO"], body))
        status, answer = self._answer(environ["PATH_INFO"], body)
        start_response(status, [("Content-Type", "application/json")])
        return [json.dumps(answer).encode()]

    def _answer(self, path: str, body: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        if self.unwell:
            return "503 Service Unavailable", {"code": "unavailable"}
        if self.denying:
            return "403 Forbidden", {"code": "forbidden", "status": 403}
        if path == "/v1/members/presence":
            assert len(body["member_ids"]) <= 1000
            return "200 OK", {"member_ids": [one for one in body["member_ids"] if one < 100_000]}
        assert path == "/v1/members/resolution"
        assert len(body["identities"]) <= 1000
        for number, identity in enumerate(body["identities"]):
            if identity["type"] == "wechat_openid" and "app" not in identity:
                errors = [{"pointer": f"/identities/{number}/app", "detail": "It needs the app it was given for."}]
                return "422 Unprocessable Entity", {"code": "invalid_request", "status": 422, "errors": errors}
        return "200 OK", {"members": [self._member(one, body["create"]) for one in body["identities"]]}

    def _member(self, identity: dict[str, str], create: bool) -> dict[str, Any]:
        key = f"{identity['type']}:{identity['value']}"
        created = create and key not in self.known
        if created:
            self.known[key] = 500 + len(self.known)
        return {"member_id": self.known.get(key), "created": created}


def work_off(name: str = HEAVY) -> None:
    """Let a real worker do everything that waits, heavy jobs unless told."""
    worker = SimpleWorker([queue.queue(name)], connection=queue.redis(), serializer=JSONSerializer)
    worker.work(burst=True, logging_level="WARNING")
    assert queue.queue(name).failed_job_registry.count == 0


@pytest.fixture
def desk(brand: Brand) -> Desk:
    """Program 1 with its staff."""
    return Desk(brand)


@pytest.fixture
def levels_double(monkeypatch: pytest.MonkeyPatch) -> Iterator[MembersDouble]:
    """Levels, as far as changesets ask it."""
    double = MembersDouble()
    with serving(double) as url:
        monkeypatch.setenv("JIFEN_LEVELS_URL", url)
        settings.cache_clear()
        yield double
    settings.cache_clear()
