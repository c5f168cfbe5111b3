"""What tests of redemption stand on: the service with its points double, a clock to move, crashes at every boundary."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pybreaker import CircuitBreaker
from sqlalchemy import text
from urllib3 import PoolManager, Retry, Timeout
from werkzeug.test import TestResponse

import common.clock
import common.service_client
from common.commands import run_checks
from common.queue import redis
from common.service import Service
from services.redemption.catalog import routes as catalog_routes
from services.redemption.database import transaction
from services.redemption.orders import clients, jobs, routes, saga
from tests.points_double import PointsDouble, make_app
from tests.support import DATABASES, Callers, configure, empty, migrated
from tests.wsgi import serving

ORDERS = "/v1/redemptions"


class MovableClock:
    """The real time, moved."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        """This instant, as these tests have it."""
        return datetime.now(UTC) + self.ahead

    def move(self, **by: float) -> None:
        """Let time pass."""
        self.ahead += timedelta(**by)


class Killed(BaseException):
    """The process was killed here."""


class Boundaries:
    """Every place between two effects of a saga; `kill_at` says at which one the process dies (counted from 1)."""

    def __init__(self) -> None:
        self.passed: list[str] = []
        self.kill_at: int | None = None

    def at(self, name: str) -> None:
        """Pass a boundary, or die there."""
        self.passed.append(name)
        if len(self.passed) == self.kill_at:
            raise Killed(name)

    def watch(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Put boundaries around every transaction and every call to points."""

        @contextmanager
        def watched() -> Iterator[Any]:
            with transaction() as session:
                yield session
                self.at("before commit")
            self.at("after commit")

        for module in (saga, routes, jobs):
            monkeypatch.setattr(module, "transaction", watched)
        for name in ("hold", "capture", "void", "reverse"):
            monkeypatch.setattr(clients, name, self._around(name, getattr(clients, name)))

    def _around(self, name: str, call: Callable[[Any], Any]) -> Callable[[Any], Any]:
        def around(order: Any) -> Any:
            self.at(f"before {name}")
            answer = call(order)
            self.at(f"after {name}")
            return answer

        return around


class Mall:
    """The redemption service as these tests use it."""

    def __init__(self, service: Service, points: PointsDouble, clock: MovableClock) -> None:
        self.service = service
        self.callers = Callers(service)
        self.points = points
        self.clock = clock
        self.marketer = self.callers.staff("marketer")
        self.desk = self.callers.staff("customer_service")

    def put_item(self, code: str = "mug", **changes: Any) -> TestResponse:
        """Set up an item; says so when that is refused."""
        offer = {"name_en": "Mug", "name_zh": "杯子", "price": 100, "stock": 10}
        answer = self.marketer.put(f"/v1/items/{code}", {**offer, **changes})
        assert answer.status_code == 200, answer.json
        return answer

    def redeem(self, member_id: int = 7, *, key: str = "a", item: str = "mug", quantity: int = 1) -> TestResponse:
        """A member takes pieces of an item."""
        return self.callers.member(member_id).post(ORDERS, {"item": item, "quantity": quantity}, key=key)

    def cancel(self, order_id: str, *, member_id: int = 7, key: str = "c") -> TestResponse:
        """The member cancels."""
        return self.callers.member(member_id).post(f"{ORDERS}/{order_id}/cancellation", {}, key=key)

    def show(self, order_id: str) -> dict[str, Any]:
        """An order as staff see it."""
        shown: dict[str, Any] = self.desk.get(f"{ORDERS}/{order_id}").json
        return shown

    def stock(self, code: str = "mug") -> dict[str, int]:
        """An item's stock."""
        stock: dict[str, int] = self.marketer.get(f"/v1/items/{code}").json["stock"]
        return stock

    def recover(self) -> None:
        """Let the requests in flight be given up for dead, and the recovery run."""
        self.clock.move(seconds=91)
        jobs.recover_orders()

    def rows(self, statement: str) -> list[Any]:
        """What a statement finds in the database."""
        with transaction() as session:
            return [tuple(row) for row in session.execute(text(statement))]

    def facts(self) -> list[tuple[str, str]]:
        """The topic and the order of every fact told."""
        return self.rows("SELECT topic, payload ->> 'order_id' FROM redemption_outbox ORDER BY id")

    def assert_settled(self) -> None:
        """Points and stock tell the same story, and no order is in doubt."""
        assert [finding for finding in run_checks(self.service) if finding.violations] == []
        assert self.rows("SELECT order_id, state FROM redemption_orders WHERE due_at IS NOT NULL") == []
        assert self.points.open_holds() == 0
        rows = self.rows(
            "SELECT order_id, state, posting_id, asset, member_id, price, program_id FROM redemption_orders"
        )
        paid = {row[2]: row for row in rows if row[1] in ("completed", "fulfilled")}
        taken = {id_: posting for id_, posting in self.points.postings.items() if not posting.reversed}
        assert paid.keys() == taken.keys()
        for posting_id, row in paid.items():
            assert (taken[posting_id].account, taken[posting_id].amount) == ((row[6], row[4], row[3]), row[5])
        told = self.facts()
        assert len(told) == len(set(told))
        ever = {str(row[0]) for row in rows if row[2]}
        assert {order for topic, order in told if topic == "redemption.completed"} == ever
        back = {str(row[0]) for row in rows if row[1] == "cancelled"}
        assert {order for topic, order in told if topic == "redemption.cancelled"} == back


@pytest.fixture(scope="session")
def redemption_migrated(postgres: Any, valkey: Any) -> Iterator[Service]:
    """The redemption service with its schema."""
    from services.redemption.service import service

    postgres.create_databases(DATABASES)
    configure(postgres, valkey.url)
    yield migrated(service, "services.redemption")
    service.database.dispose()


@pytest.fixture
def redemption(redemption_migrated: Service) -> Callers:
    """Callers of an empty redemption service; points is not there."""
    empty(redemption_migrated)
    redis().flushall()
    return Callers(redemption_migrated)


@pytest.fixture
def mall(redemption: Callers, redemption_migrated: Service, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mall]:
    """An empty redemption service beside a points double, with a clock to move; member 7 has 1,000 points."""
    clock = MovableClock()
    for module in (saga, routes, jobs, catalog_routes):
        monkeypatch.setattr(module, "now", clock)
    hurry(monkeypatch)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    double = PointsDouble(clock=clock)
    double.give(7, 1000)
    with serving(make_app(double)) as url:
        monkeypatch.setenv("JIFEN_POINTS_URL", url)
        common.service_client.settings.cache_clear()
        yield Mall(redemption_migrated, double, clock)
    monkeypatch.undo()
    common.service_client.settings.cache_clear()


def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries without waiting, a read time-out of half a second, a breaker that never opens."""
    quick = common.service_client._SAFE.new(backoff_factor=0, backoff_jitter=0)
    assert isinstance(quick, Retry)
    monkeypatch.setattr(common.service_client, "_SAFE", quick)
    monkeypatch.setattr(clients.points, "_pool", PoolManager(maxsize=32, timeout=Timeout(connect=1, read=0.5)))
    monkeypatch.setattr(clients.points, "_breaker", CircuitBreaker(fail_max=1_000_000))


@pytest.fixture
def boundaries(mall: Mall, monkeypatch: pytest.MonkeyPatch) -> Boundaries:
    """Crashes on demand."""
    made = Boundaries()
    made.watch(monkeypatch)
    return made
