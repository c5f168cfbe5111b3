"""What tests of levels stand on: the service, feeds that say what the test says, and a clock to move."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import count
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import text

import common.clock
from common.commands import run_checks
from common.feed import Fact, Page, pull
from common.queue import redis
from common.service import Service
from tests.support import DATABASES, Caller, Callers, configure, empty, migrated

#: Noon in Shanghai, on a Wednesday.
NOW = datetime(2026, 5, 20, 4, 0, tzinfo=UTC)


def points(amount: int) -> list[dict[str, Any]]:
    """A reward of points."""
    return [{"kind": "asset", "asset": "points", "amount": amount}]


def badge(code: str) -> list[dict[str, Any]]:
    """A reward of a badge."""
    return [{"kind": "badge", "badge": code}]


class Levels:
    """The service in a program, with members who do things."""

    def __init__(self, service: Service, callers: Callers) -> None:
        self.service = service
        self.callers = callers
        self.now = NOW
        self.feeds: dict[str, list[Fact]] = {"points": [], "referrals": [], "redemption": []}
        self.member = callers.member
        self.staff = callers.staff
        self._keys = count(1)

    # Who calls

    def marketer(self, program_id: int = 1, **headers: str) -> Caller:
        return self.callers.staff("marketer", program_id=program_id, **headers)

    def neighbour(self, program_id: int = 1) -> Caller:
        return self.callers.service("gateway", program_id)

    def key(self) -> str:
        return f"k{next(self._keys)}"

    def later(self, **by: float) -> datetime:
        """Let time pass."""
        self.now += timedelta(**by)
        return self.now

    def zone(self, time_zone: str, program_id: int = 1) -> None:
        payload = {"name": "Acme", "time_zone": time_zone, "currency": "CNY"}
        self.fact("points", "program.configured", payload, program_id=program_id)
        self.pull()

    # Members

    def resolve(self, *identities: dict[str, Any], create: bool = True, program_id: int = 1, **more: Any) -> list[Any]:
        body = {"identities": list(identities), "create": create, **more}
        answer = self.neighbour(program_id).post("/v1/members/resolution", body)
        assert answer.status_code == 200, answer.text
        return list(answer.json["members"])

    def join(self, value: str, program_id: int = 1) -> int:
        return int(self.resolve({"type": "customer_id", "value": value}, program_id=program_id)[0]["member_id"])

    # Tiers

    def ladder(self, *tiers: tuple[str, int], keep: int = 0, days: int = 365, **rewards: Any) -> Any:
        body = [
            {"code": code, "name_en": code, "name_zh": code, "growth": growth}
            | ({"keep": keep, "validity_days": days} if growth else {})
            | ({"reward": rewards[code]} if code in rewards else {})
            for code, growth in tiers
        ]
        answer = self.marketer().put("/v1/tiers", {"tiers": body})
        assert answer.status_code == 200, answer.text
        return answer.json

    def growth(self, member_id: int, balance: int, seq: int, *, at: datetime | None = None, **more: Any) -> Fact:
        """Put an entry of the growth account on the feed, not yet taken."""
        return self.entry(member_id, "growth", balance, seq, balance=balance, at=at, **more)

    def grow(self, member_id: int, balance: int, seq: int, **more: Any) -> None:
        """Put it there and take it."""
        self.growth(member_id, balance, seq, **more)
        self.pull()

    def tier(self, member_id: int) -> str | None:
        rows = self.sql("SELECT tier FROM levels_standings WHERE member_id = :m", m=member_id)
        return rows[0].tier if rows else None

    def changes(self, member_id: int) -> list[Any]:
        """Decisions, oldest first."""
        answer = self.callers.staff("auditor").get("/v1/tiers/changes", member_id=member_id)
        return list(reversed(answer.json["changes"]))

    # Badges

    def describe(self, code: str, **more: Any) -> Any:
        words = {"name_en": code, "name_zh": code, "criteria_en": "do it", "criteria_zh": "完成"}
        answer = self.marketer().put(f"/v1/badges/{code}", {**words, **more})
        assert answer.status_code == 200, answer.text
        return answer.json

    def held(self, member_id: int, program_id: int = 1) -> list[tuple[str, str]]:
        answer = self.callers.staff("auditor", program_id=program_id).get(f"/v1/badges/members/{member_id}")
        return sorted((one["badge"], one["period"]) for one in answer.json["held"])

    def granted_elsewhere(self, member_id: int, grant_id: str, reward: Any, **more: Any) -> Fact:
        """A neighbour hands something out."""
        payload = {"grant_id": grant_id, "reward": reward, "cause": "c1", "rule": "r1", "at": self.now.isoformat()}
        return self.fact("referrals", "reward.granted", payload, member_id=member_id, **more)

    def reversed_elsewhere(self, member_id: int, grant_id: str, numerator: int, denominator: int) -> Fact:
        """A neighbour takes a part of it back."""
        payload = {
            "grant_id": grant_id,
            "reversal_id": f"x{numerator}",
            "numerator": numerator,
            "denominator": denominator,
            "cause": "refund",
            "at": self.now.isoformat(),
        }
        return self.fact("referrals", "reward.reversed", payload, member_id=member_id)

    # Check-ins

    def campaign(self, code: str = "daily", **terms: Any) -> Any:
        body = {"name_en": "Daily", "name_zh": "每日签到", "day_table": [points(5)] * 7, **terms}
        answer = self.marketer().put(f"/v1/checkins/campaigns/{code}", body)
        assert answer.status_code == 200, answer.text
        return answer.json

    def tap(self, member_id: int, campaign: str = "daily", *, key: str | None = None, program_id: int = 1) -> Any:
        return self.callers.member(member_id, program_id).post(
            "/v1/checkins", {"campaign": campaign}, key=key or self.key()
        )

    def calendar(self, member_id: int, campaign: str = "daily", **query: str) -> Any:
        answer = self.callers.member(member_id).get("/v1/checkins", campaign=campaign, **query)
        assert answer.status_code == 200, answer.text
        return answer.json

    # Boards

    def board(self, code: str = "spend", **terms: Any) -> Any:
        body = {"name_en": "Spend", "name_zh": "消费榜", "metric": "spend", "periods": ["day", "month", "all"], **terms}
        answer = self.marketer().put(f"/v1/leaderboards/{code}", body)
        assert answer.status_code == 200, answer.text
        return answer.json

    def pay(self, member_id: int | None, order: str, fen: Any, *, at: datetime | None = None, **more: Any) -> Fact:
        """Put a paid order on the feed, not yet taken."""
        return self.event("order.paid", member_id, {"order_id": order, "paid_fen": fen}, at=at, **more)

    def refund(self, member_id: int, order: str, fen: int, refund: str = "r1", *, at: datetime | None = None) -> Fact:
        """Put a refund on the feed, not yet taken."""
        data = {"order_id": order, "refund_id": refund, "refunded_fen": fen}
        return self.event("order.refunded", member_id, data, at=at)

    def top(self, board: str = "spend", **query: Any) -> list[tuple[int, int]]:
        """Members and scores, best first."""
        return [(place["member_id"], place["score"]) for place in self.ranking(board, **query)["places"]]

    def ranking(self, board: str = "spend", **query: Any) -> Any:
        answer = self.callers.staff("auditor").get(f"/v1/leaderboards/{board}", **query)
        assert answer.status_code == 200, answer.text
        return answer.json

    def rank(self, member_id: int, board: str = "spend", **query: Any) -> tuple[int | None, int, int | None]:
        """Rank, score and gap."""
        answer = self.callers.member(member_id).get(f"/v1/leaderboards/{board}/me", **query)
        assert answer.status_code == 200, answer.text
        return answer.json["rank"], answer.json["score"], answer.json["gap"]

    # Feeds

    def fact(
        self, source: str, topic: str, payload: dict[str, Any], *, member_id: int | None = None, program_id: int = 1
    ) -> Fact:
        """Put a fact on a feed, not yet taken."""
        facts = self.feeds[source]
        facts.append(Fact(source, len(facts) + 1, topic, program_id, member_id, self.now, payload))
        return facts[-1]

    def entry(
        self,
        member_id: int,
        asset: str,
        amount: int,
        seq: int,
        *,
        kind: str = "earn",
        balance: int = 0,
        held_delta: int = 0,
        held: int = 0,
        at: datetime | None = None,
        program_id: int = 1,
    ) -> Fact:
        """Put a ledger entry on the feed, not yet taken."""
        payload = {
            "asset": asset,
            "seq": seq,
            "kind": kind,
            "amount": amount,
            "held_delta": held_delta,
            "balance_after": balance,
            "held_after": held,
            "at": (at or self.now).isoformat(),
            "cause": "event",
        }
        return self.fact("points", "ledger.entry", payload, member_id=member_id, program_id=program_id)

    def event(
        self, topic: str, member_id: int | None, data: Any, *, at: datetime | None = None, program_id: int = 1
    ) -> Fact:
        """Put an event of the shop on the points feed."""
        payload = {
            "event": f"shop e{len(self.feeds['points']) + 1}",
            "time": (at or self.now).isoformat(),
            "data": data,
        }
        return self.fact("points", topic, payload, member_id=member_id, program_id=program_id)

    def pull(self, source: str = "points", page: int = 500) -> int:
        """Take what stands ready."""
        facts = self.feeds[source]

        def fetch(cursor: str, topics: tuple[str, ...]) -> Page:
            begin = int(cursor or 0)
            found = [fact for fact in facts[begin : begin + page] if fact.topic in topics]
            return Page(found, str(min(begin + page, len(facts))), begin + page < len(facts))

        return pull(self.service.database, self.service.feed, self.service.subscription(source), fetch)

    def replay(self, source: str = "points") -> None:
        """Take the whole feed again from its beginning, as after a lost cursor."""
        self.sql("DELETE FROM levels_feed_cursors WHERE source = :source", source=source)
        self.pull(source)

    def run(self, job: str) -> None:
        """Run one of the service's jobs; when it pulls points, it pulls what the test put there."""
        from services.levels import jobs

        getattr(jobs, job)()

    # What came of it

    def sql(self, statement: str, **values: Any) -> list[Any]:
        with self.service.database.transaction() as session:
            result: Any = session.execute(text(statement), values)
            return list(result) if result.returns_rows else []

    def facts(self, topic: str) -> list[dict[str, Any]]:
        """Payloads of our own facts of a topic, with `for` whom."""
        rows = self.sql("SELECT member_id, payload FROM levels_outbox WHERE topic = :t ORDER BY id", t=topic)
        return [{**row.payload, "for": row.member_id} for row in rows]

    def granted(self) -> dict[str, Any]:
        """What each grant gave."""
        facts = self.facts("reward.granted")
        assert len({fact["grant_id"] for fact in facts}) == len(facts)
        return {fact["grant_id"]: fact["reward"] for fact in facts}

    def violations(self) -> dict[str, str]:
        """What `verify` finds wrong."""
        return {finding.name: finding.detail for finding in run_checks(self.service) if finding.violations}


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """Make the calls in as many threads at the same time; their answers in order."""
    barrier = Barrier(len(calls))

    def make(call: Callable[[], Any]) -> Any:
        barrier.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as threads:
        return [future.result() for future in [threads.submit(make, call) for call in calls]]


@pytest.fixture(scope="session")
def levels_migrated(postgres: Any, valkey: Any) -> Iterator[Service]:
    """The levels service with its schema."""
    from services.levels.service import service

    postgres.create_databases(DATABASES)
    configure(postgres, valkey.url)
    yield migrated(service, "services.levels")
    service.database.dispose()


@pytest.fixture
def unchecked(levels_migrated: Service, monkeypatch: pytest.MonkeyPatch) -> Levels:
    """An empty levels service whose clock is the test's, and whose jobs pull the test's feeds."""
    import services.levels.jobs

    empty(levels_migrated)
    redis().flushall()
    house = Levels(levels_migrated, Callers(levels_migrated))
    monkeypatch.setattr(common.clock, "now", lambda: house.now)
    monkeypatch.setattr(services.levels.jobs, "pull_from", lambda _, source: house.pull(source))
    return house


@pytest.fixture
def levels(unchecked: Levels) -> Iterator[Levels]:
    """The same; and what a test leaves behind passes every check."""
    yield unchecked
    assert unchecked.violations() == {}
