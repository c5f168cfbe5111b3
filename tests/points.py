"""What tests of points stand on: a brand with its assets, callers who post for it, and a clock that can be set."""

import itertools
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import Row, text
from werkzeug.test import TestResponse

from common.clock import now
from common.commands import run_checks
from common.service import Finding
from services.points.database import transaction
from services.points.deductions import routes as deductions_routes
from services.points.exchanges import routes as exchanges_routes
from services.points.figures import routes as figures_routes
from services.points.ledger import account_routes, hold_routes, posting_sql, routes, teller, use_cases
from services.points.ledger.domain import Kind, Outcome, Redating
from services.points.ledger.use_cases import Command
from services.points.programs.use_cases import forget_books, read_book
from services.points.rules.use_cases import forget_rules
from services.points.service import service
from tests.ledger import us
from tests.support import Caller, Callers, Kept

#: `points` never expire and never sink into debt, `energy` lives for 30 days, `growth` may be owed.
ASSETS: dict[str, dict[str, Any]] = {
    "points": {"name_en": "Points", "name_zh": "积分"},
    "energy": {"name_en": "Energy", "name_zh": "能量值", "validity": "30D"},
    "growth": {"name_en": "Growth", "name_zh": "成长值", "validity": "12M_U", "debt_allowed": True},
}

_KEYS = itertools.count(1)


class Brand:
    """One program, with `shop` as the system that posts. Every call without a key makes a new one."""

    def __init__(self, callers: Callers, *, program_id: int = 1) -> None:
        self.callers, self.program_id = callers, program_id
        self.shop: Caller = callers.system("ledger", "read", program_id=program_id)

    def found(self, *, time_zone: str = "Asia/Shanghai") -> "Brand":
        """Set the program up; returns itself."""
        marketer = self.callers.staff("marketer", program_id=self.program_id)
        assert marketer.put("/v1/program", {"name": "Acme", "time_zone": time_zone}).status_code == 200
        for code, asset in ASSETS.items():
            assert marketer.put(f"/v1/assets/{code}", asset).status_code == 200
        return self

    def new_key(self) -> str:
        """A key nobody used before."""
        return f"key-{next(_KEYS)}"

    def send(self, path: str, *, key: str | None = None, **body: Any) -> TestResponse:
        """POST to the ledger, of member 7's points unless told."""
        if not path.startswith("/"):
            path = f"/v1/{path}"
        body = {"member_id": 7, **body}
        if "/holds/" not in path and not path.endswith("/deferral"):
            body = {"asset": "points", **body}
        return self.shop.post(path, body, key=key or self.new_key())

    def earn(self, amount: int, **more: Any) -> dict[str, Any]:
        """The answer of an earning that must succeed."""
        return done(self.send("postings", kind="earn", amount=amount, **more))

    def spend(self, amount: int, **more: Any) -> dict[str, Any]:
        """The answer of a spending that must succeed."""
        return done(self.send("postings", kind="spend", amount=amount, **more))

    def hold(self, amount: int, **more: Any) -> dict[str, Any]:
        """The answer of a hold that must succeed."""
        return done(self.send("holds", amount=amount, **more))

    def capture(self, hold: dict[str, Any], **more: Any) -> TestResponse:
        """Spend a hold."""
        return self.send(f"holds/{hold['hold_id']}/capture", **more)

    def void(self, hold: dict[str, Any], **more: Any) -> TestResponse:
        """Give a hold up."""
        return self.send(f"holds/{hold['hold_id']}/void", **more)

    def reverse(self, posting: dict[str, Any], **more: Any) -> TestResponse:
        """Reverse a posting."""
        return self.send("reversals", posting_id=posting["posting_id"], **more)

    def confirm(self, posting: dict[str, Any], **more: Any) -> TestResponse:
        """Defer a pending earning, without more to now."""
        return self.send(f"/v1/postings/{posting['posting_id']}/deferral", **more)

    def give(self, amount: int, to: int, **more: Any) -> TestResponse:
        """Give to another member."""
        return self.send("transfers", amount=amount, to_member_id=to, **more)

    def set_asset(self, code: str = "points", **settings: Any) -> None:
        """Change what an asset's settings say."""
        marketer = self.callers.staff("marketer", program_id=self.program_id)
        done(marketer.put(f"/v1/assets/{code}", {**ASSETS[code], **settings}))

    def turn(self, kind: Kind, asset: str = "points", *, member: int = 7) -> Outcome:
        """Freeze or unfreeze an account: the ledger's own line, whatever the route for it looks like."""
        return self._own(kind, asset, 0, member)

    def redate(self, amount: int, days: Redating, asset: str = "points", *, member: int = 7) -> Outcome:
        """Let lots end on another day, as an adjustment does."""
        return self._own(Kind.REDATE, asset, amount, member, redating=days)

    def restore(self, redating: Outcome, asset: str = "points", *, amount: int = 0, member: int = 7) -> Outcome:
        """Take a redating back, as the undoing of an adjustment does."""
        more = {"reverses_posting": redating.posting_id, "up_to": True}
        return self._own(Kind.REVERSE, asset, amount, member, **more)

    def _own(self, kind: Kind, asset: str, amount: int, member: int, **more: Any) -> Outcome:
        command = Command("test", self.new_key(), kind, member, asset, amount, "staff:lin", **more)
        with transaction() as session:
            book = read_book(session, self.program_id)
            zones = {self.program_id: book.program.time_zone}
            (outcome,) = use_cases.post(session, [use_cases.line_of(book, command, now=now())], zones=zones)
        return outcome

    def account(self, asset: str = "points", *, member: int = 7) -> dict[str, Any]:
        """A member's account."""
        return done(self.shop.get(f"/v1/accounts/{asset}", member_id=member))

    def figures(self, asset: str = "points", *, member: int = 7) -> tuple[int, int, int, int]:
        """Balance, available, held and debt."""
        account = self.account(asset, member=member)
        return account["balance"], account["available"], account["held"], account["debt"]

    def entries(self, asset: str = "points", *, member: int = 7, **query: Any) -> list[dict[str, Any]]:
        """The journal of a member's account, oldest first."""
        page = done(self.shop.get(f"/v1/accounts/{asset}/entries", member_id=member, limit=200, **query))
        return list(reversed(page["entries"]))

    def kinds(self, asset: str = "points", *, member: int = 7) -> list[tuple[str, int]]:
        """What happened on an account: kind and amount of each entry."""
        return [(entry["kind"], entry["amount"]) for entry in self.entries(asset, member=member)]


class Clock:
    """Sets the time for the ledger: the database's clock and the edge's."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self._patch = patch

    def set(self, instant: datetime) -> None:
        """From now on it is `instant`, and stays so."""
        self._patch.setattr(posting_sql, "CLOCK", f"SELECT {us(instant)}::bigint")
        edges = (routes, account_routes, hold_routes, teller, figures_routes, deductions_routes, exchanges_routes)
        for module in edges:
            self._patch.setattr(module, "now", lambda: instant)


_kept: dict[str, Kept] = {}


def built_once(build: Callable[[Any], object]) -> Callable[[Any], None]:
    """What `build` makes of the tables of points: built at the first call, brought back at those after it."""

    def again(given: Any) -> None:
        forget_books()
        forget_rules()
        name = f"{build.__module__}.{build.__qualname__}"
        if name in _kept:
            _kept[name].bring_back(service)
        else:
            build(given)
            _kept[name] = Kept(service)

    return again


_found = built_once(Brand.found)


@pytest.fixture
def brand(points: Callers) -> Brand:
    """Program 1 in Shanghai."""
    made = Brand(points)
    _found(made)
    return made


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The time, in the test's hands."""
    return Clock(monkeypatch)


def done(answer: TestResponse) -> dict[str, Any]:
    """The JSON of an answer that must be a success."""
    assert answer.status_code in (200, 201), answer.get_data(as_text=True)
    return dict(answer.json or {})


def refused(answer: TestResponse) -> tuple[int, str]:
    """Status and code of an answer that must be a problem."""
    assert answer.content_type == "application/problem+json", answer.get_data(as_text=True)
    problem = answer.json or {}
    assert problem["status"] == answer.status_code
    assert problem["title"]
    assert problem["detail"]
    assert problem["request_id"]
    return answer.status_code, problem["code"]


def pointers(answer: TestResponse) -> list[str]:
    """Where in the request something is wrong."""
    return [error["pointer"] for error in (answer.json or {})["errors"]]


def sql(statement: str, **values: Any) -> list[Row[Any]]:
    """Run a statement on the points database, in its own transaction."""
    with transaction() as session:
        result = session.execute(text(statement), values)
        return list(result.all()) if result.returns_rows else []


def wrong() -> list[Finding]:
    """The invariants of the points database that do not hold."""
    return [finding for finding in run_checks(service) if finding.violations]


def make_due(interval: str) -> None:
    """Bring every deadline of holds forward by `interval`, as if that time had passed; pending earnings keep theirs."""
    sql(f"UPDATE points_holds SET expires_at = expires_at - interval '{interval}' WHERE state = 0 AND purpose = 0")
    sql(f"UPDATE points_accounts SET due_at = due_at - interval '{interval}'")
