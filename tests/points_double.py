"""A stand-in for the points service, for redemption's tests: real HTTP, one integer per account, faults on demand.

It is a test double, not points: no lots, no expiry of points, no ledger. It keeps the promises that redemption builds
on: one effect and one answer per key, refusals included; holds that end once; whole reversals.
"""

import socket
import time
import uuid
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock
from typing import Any

from flask import Flask, Response, request

from common.clock import now
from common.identity import HEADER, verify
from common.settings import settings

Answer = tuple[int, dict[str, Any]]
Account = tuple[int, int, str]


@dataclass
class DoubleHold:
    """A reservation."""

    account: Account
    amount: int
    expires_at: datetime
    reason: str
    state: str = "open"


@dataclass
class DoublePosting:
    """A capture, and whether it was reversed."""

    account: Account
    amount: int
    reversed: bool = False


@dataclass
class PointsDouble:
    """What the double keeps. `fail("capture", "lose_reply", times=4)` makes the next calls of a step go wrong."""

    clock: Callable[[], datetime] = now
    balances: dict[Account, int] = field(default_factory=lambda: defaultdict(int))
    frozen: set[Account] = field(default_factory=set)
    holds: dict[uuid.UUID, DoubleHold] = field(default_factory=dict)
    postings: dict[uuid.UUID, DoublePosting] = field(default_factory=dict)
    answers: dict[tuple[int, str], tuple[Any, Answer]] = field(default_factory=dict)
    faults: list[tuple[str, str]] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    lock: Lock = field(default_factory=Lock)

    def give(self, member_id: int, amount: int, *, asset: str = "points", program_id: int = 1) -> None:
        """Points for a member."""
        self.balances[program_id, member_id, asset] += amount

    def available(self, member_id: int, *, asset: str = "points", program_id: int = 1) -> int:
        """What the member can spend: what is held is out of the balance."""
        self._expire()
        return self.balances[program_id, member_id, asset]

    def open_holds(self) -> int:
        """Holds that have not ended."""
        self._expire()
        return sum(hold.state == "open" for hold in self.holds.values())

    def fail(self, step: str, how: str, *, times: int = 1) -> None:
        """`lose_reply`: done, not answered · `drop`, `unwell` (503), `deny` (403): not done · `slow`: answered late."""
        self.faults += [(step, how)] * times

    def answer(self, step: str, program_id: int, key: str, body: Any, act: Callable[[], Answer]) -> Answer:
        """The answer to a call: the first one of its key."""
        with self.lock:
            self._expire()
            self.calls.append(step)
            if (program_id, key) in self.answers:
                print_, answer = self.answers[program_id, key]
                return answer if print_ == body else (422, {"code": "idempotency_key_reused"})
            answer = act()
            self.answers[program_id, key] = (body, answer)
            return answer

    def hold(self, program_id: int, body: dict[str, Any]) -> Answer:
        """Reserve."""
        account = (program_id, body["member_id"], body["asset"])
        if account[2] == "unknown":
            return 404, {"code": "asset_not_found", "facts": {"asset": "unknown"}}
        if account in self.frozen:
            return 409, {"code": "account_frozen"}
        short = body["amount"] - self.balances[account]
        if short > 0:
            facts = {"available": self.balances[account], "short_by": short}
            return 422, {"code": "insufficient_points", "facts": facts}
        self.balances[account] -= body["amount"]
        hold_id, expires_at = uuid.uuid4(), self.clock() + timedelta(seconds=body["ttl_seconds"])
        self.holds[hold_id] = DoubleHold(account, body["amount"], expires_at, body["reason"])
        shown = {"member_id": account[1], "asset": account[2], "amount": body["amount"]}
        return 201, {"hold_id": str(hold_id), **shown, "expires_at": expires_at.isoformat(), "state": "open"}

    def capture(self, hold_id: uuid.UUID) -> Answer:
        """Take."""
        hold = self.holds[hold_id]
        if hold.state != "open":
            return 409, {"code": "hold_not_open"}
        hold.state = "captured"
        posting_id = uuid.uuid4()
        self.postings[posting_id] = DoublePosting(hold.account, hold.amount)
        return 200, {"hold_id": str(hold_id), "state": "captured", "posting_id": str(posting_id), "seq": 1}

    def void(self, hold_id: uuid.UUID) -> Answer:
        """Let go."""
        hold = self.holds[hold_id]
        if hold.state != "open":
            return 409, {"code": "hold_not_open"}
        hold.state = "voided"
        self.balances[hold.account] += hold.amount
        return 200, {"state": "voided"}

    def reverse(self, body: dict[str, Any]) -> Answer:
        """Give back, once."""
        posting = self.postings[uuid.UUID(body["posting_id"])]
        if posting.reversed:
            return 409, {"code": "reversal_exceeded"}
        posting.reversed = True
        self.balances[posting.account] += posting.amount
        return 201, {"posting_id": str(uuid.uuid4()), "seq": 2}

    def next_fault(self, step: str) -> str:
        """How this call goes wrong; "" when it does not."""
        with self.lock:
            if self.faults and self.faults[0][0] in (step, "any"):
                return self.faults.pop(0)[1]
            return ""

    def _expire(self) -> None:
        for hold in self.holds.values():
            if hold.state == "open" and self.clock() >= hold.expires_at:
                hold.state = "expired"
                self.balances[hold.account] += hold.amount


def make_app(double: PointsDouble) -> Flask:
    """The double over HTTP."""
    app = Flask("points-double")

    def run(step: str, act: Callable[[int], Answer]) -> Response:
        caller = verify(request.headers.get(HEADER), secret=settings().identity_secret.get_secret_value())
        assert (caller.kind, caller.subject) == ("service", "redemption")
        fault, body = double.next_fault(step), request.get_json()
        if fault == "unwell":
            return _json(app, 503, {"code": "unavailable"})
        if fault == "deny":
            return _json(app, 403, {"code": "forbidden"})
        if fault == "slow":
            time.sleep(1.0)
        if fault == "drop":
            return _hang_up(app)
        key = request.headers["Idempotency-Key"]
        status, answer = double.answer(
            step, caller.program_id, key, [request.path, body], lambda: act(caller.program_id)
        )
        return _hang_up(app) if fault == "lose_reply" else _json(app, status, answer)

    @app.post("/v1/holds")
    def hold() -> Response:
        return run("hold", lambda program_id: double.hold(program_id, request.get_json()))

    @app.get("/v1/holds/<uuid:hold_id>")
    def show_hold(hold_id: uuid.UUID) -> Response:
        found = double.holds[hold_id]
        assert request.args["member_id"] == str(found.account[1])
        return _json(app, 200, {"hold_id": str(hold_id), "state": found.state})

    @app.post("/v1/holds/<uuid:hold_id>/capture")
    def capture(hold_id: uuid.UUID) -> Response:
        return run("capture", lambda _: double.capture(hold_id))

    @app.post("/v1/holds/<uuid:hold_id>/void")
    def void(hold_id: uuid.UUID) -> Response:
        return run("void", lambda _: double.void(hold_id))

    @app.post("/v1/reversals")
    def reverse() -> Response:
        return run("reverse", lambda _: double.reverse(request.get_json()))

    return app


def _json(app: Flask, status: int, body: dict[str, Any]) -> Response:
    return Response(app.json.dumps(body), status, content_type="application/json")


def _hang_up(app: Flask) -> Response:
    """Close the connection instead of answering."""
    request.environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
    return Response(status=500)
