"""What tests of referrals stand on: the service, feeds that say what the test says, and a clock to move."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from sqlalchemy import text

import common.clock
from common.commands import run_checks
from common.feed import Fact, Page, pull
from common.queue import redis
from common.service import Service
from tests.support import DATABASES, Caller, Callers, configure, empty, migrated

NOW = datetime(2026, 5, 20, 4, 0, tzinfo=UTC)
POINTS = [{"kind": "asset", "asset": "points", "amount": 50}]
CREDIT = [{"kind": "asset", "asset": "credit", "amount": 500}, {"kind": "badge", "badge": "friend"}]


class Referrals:
    """The service in a program, with members who do things."""

    def __init__(self, service: Service, callers: Callers) -> None:
        self.service = service
        self.callers = callers
        self.now = NOW
        self.feeds: dict[str, list[Fact]] = {"points": [], "levels": []}
        self._keys = count(1)

    # Who calls

    def member(self, member_id: int, program_id: int = 1, **headers: str) -> Caller:
        return self.callers.member(member_id, program_id, **headers)

    def marketer(self, program_id: int = 1) -> Caller:
        return self.callers.staff("marketer", program_id=program_id)

    def key(self) -> str:
        return f"k{next(self._keys)}"

    def later(self, **by: float) -> datetime:
        """Let time pass."""
        self.now += timedelta(**by)
        return self.now

    # Invitations

    def campaign(self, code: str = "spring", **terms: Any) -> Any:
        body = {"name": "Spring", "inviter_reward": POINTS, "invitee_reward": CREDIT, **terms}
        answer = self.marketer().put(f"/v1/invitations/campaigns/{code}", body)
        assert answer.status_code == 200, answer.text
        return answer.json

    def code(self, member_id: int, campaign: str = "spring") -> str:
        answer = self.member(member_id).post("/v1/invitations", {"campaign": campaign})
        assert answer.status_code == 201, answer.text
        return str(answer.json["code"])

    def bind(self, member_id: int, code: str, **more: Any) -> Any:
        return self.member(member_id).post("/v1/bindings", {"code": code, **more}, key=self.key())

    def review(self, binding: str, decision: str = "approve", key: str | None = None) -> Any:
        staff = self.callers.staff("customer_service")
        body = {"decision": decision, "note": "looked at it"}
        return staff.post(f"/v1/bindings/{binding}/review", body, key=key or self.key())

    def tally(self, member_id: int) -> Any:
        return self.member(member_id).get("/v1/invitations").json["invitations"][0]

    # Group-buys

    def groupbuy_campaign(self, code: str = "tea", **terms: Any) -> Any:
        body = {
            "item": "Tea",
            "price_fen": 3900,
            "size": 3,
            "window_seconds": 86_400,
            "seat_hold_seconds": 900,
            "reward_on_fill": POINTS,
            **terms,
        }
        answer = self.marketer().put(f"/v1/groupbuys/campaigns/{code}", body)
        assert answer.status_code == 200, answer.text
        return answer.json

    def open(self, member_id: int, campaign: str = "tea") -> Any:
        return self.member(member_id).post("/v1/groupbuys", {"campaign": campaign}, key=self.key())

    def join(self, member_id: int, group: str) -> Any:
        return self.member(member_id).post(f"/v1/groupbuys/{group}/seats", key=self.key())

    def group(self, group: str) -> Any:
        return self.callers.staff("auditor").get(f"/v1/groupbuys/{group}").json

    def take_and_pay(self, member_id: int, group: str, order: str) -> None:
        """Join and pay."""
        answer = self.join(member_id, group)
        assert answer.status_code == 201, answer.text
        self.paid(member_id, order, 3900, seat=answer.json["my_seat"]["id"])

    def filled(self, *members: int) -> str:
        """Open a group by the first of the members and have all of them pay `g<member>`."""
        group = str(self.open(members[0]).json["id"])
        for member_id in members:
            self.take_and_pay(member_id, group, f"g{member_id}")
        return group

    def requests(self, **query: Any) -> list[Any]:
        answer = self.callers.staff("finance").get("/v1/groupbuys/refunds", **query)
        return list(answer.json["refunds"])

    # Feeds

    def fact(
        self, source: str, topic: str, payload: dict[str, Any], *, member_id: int | None = None, program_id: int = 1
    ) -> Fact:
        """Put a fact on a feed, not yet taken."""
        facts = self.feeds[source]
        facts.append(Fact(source, len(facts) + 1, topic, program_id, member_id, self.now, payload))
        return facts[-1]

    def event(
        self,
        topic: str,
        member_id: int | None,
        data: Any,
        *,
        at: datetime | None = None,
        program_id: int = 1,
        event: str | None = None,
    ) -> Fact:
        """Put an event of the shop on the points feed."""
        name = event or f"shop e{len(self.feeds['points']) + 1}"
        payload = {"event": name, "time": (at or self.now).isoformat(), "data": data}
        return self.fact("points", topic, payload, member_id=member_id, program_id=program_id)

    def order(self, member_id: int, order: str, fen: int, *, seat: str | None = None, **more: Any) -> Fact:
        """Tell of a paid order, not yet taken."""
        data = {"order_id": order, "paid_fen": fen} | ({"groupbuy_seat": seat} if seat else {})
        return self.event("order.paid", member_id, data, **more)

    def paid(self, member_id: int, order: str, fen: int, *, seat: str | None = None, **more: Any) -> None:
        """Tell of a paid order, and take it."""
        self.order(member_id, order, fen, seat=seat, **more)
        self.pull("points")

    def refunded(self, member_id: int, order: str, fen: int, refund: str = "r1", **more: Any) -> None:
        """Tell of a refund, and take it."""
        data = {"order_id": order, "refund_id": refund, "refunded_fen": fen}
        self.event("order.refunded", member_id, data, **more)
        self.pull("points")

    def pull(self, source: str) -> int:
        facts = self.feeds[source]

        def fetch(cursor: str, topics: tuple[str, ...]) -> Page:
            begin = int(cursor or 0)
            page = [fact for fact in facts[begin : begin + 500] if fact.topic in topics]
            return Page(page, str(min(begin + 500, len(facts))), begin + 500 < len(facts))

        return pull(self.service.database, self.service.feed, self.service.subscription(source), fetch)

    def replay(self, source: str = "points") -> None:
        """Take the whole feed again from its beginning, as after a lost cursor."""
        self.sql("DELETE FROM referrals_feed_cursors WHERE source = :source", source=source)
        self.pull(source)

    # What came of it

    def sql(self, statement: str, **values: Any) -> list[Any]:
        with self.service.database.transaction() as session:
            result: Any = session.execute(text(statement), values)
            return list(result) if result.returns_rows else []

    def facts(self, topic: str) -> list[dict[str, Any]]:
        """Payloads of our own facts of a topic, with `for` whom."""
        rows = self.sql("SELECT member_id, payload FROM referrals_outbox WHERE topic = :t ORDER BY id", t=topic)
        return [{**row.payload, "for": row.member_id} for row in rows]

    def granted(self) -> dict[str, int]:
        """Whom each grant went to."""
        facts = self.facts("reward.granted")
        assert len({fact["grant_id"] for fact in facts}) == len(facts)
        return {fact["grant_id"]: fact["for"] for fact in facts}

    def reversed(self) -> list[str]:
        """The grants taken back, in full."""
        facts = self.facts("reward.reversed")
        assert all(fact["numerator"] == fact["denominator"] for fact in facts)
        return sorted(fact["grant_id"] for fact in facts)

    def violations(self) -> dict[str, str]:
        """What `verify` finds wrong."""
        return {finding.name: finding.detail for finding in run_checks(self.service) if finding.violations}


def at_once(*calls: Any) -> list[Any]:
    """Make the calls in as many threads at the same time; their answers in order."""
    with ThreadPoolExecutor(len(calls)) as threads:
        return [future.result() for future in [threads.submit(call) for call in calls]]


@pytest.fixture(scope="session")
def referrals_migrated(postgres: Any, valkey: Any) -> Iterator[Service]:
    """The referrals service with its schema."""
    from services.referrals.service import service

    postgres.create_databases(DATABASES)
    configure(postgres, valkey.url)
    yield migrated(service, "services.referrals")
    service.database.dispose()


@pytest.fixture
def referrals(referrals_migrated: Service, monkeypatch: pytest.MonkeyPatch) -> Iterator[Referrals]:
    """An empty referrals service whose clock is the test's; what a test leaves behind passes every check."""
    empty(referrals_migrated)
    redis().flushall()
    house = Referrals(referrals_migrated, Callers(referrals_migrated))
    monkeypatch.setattr(common.clock, "now", lambda: house.now)
    yield house
    assert house.violations() == {}
