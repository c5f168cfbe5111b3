"""Work behind the points service: sweeps, pulled feeds, what cron enqueues, and that waking never stands in the way."""

import importlib
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from redis import Redis
from redis.exceptions import ConnectionError
from rq import SimpleWorker, Worker
from rq.serializers import JSONSerializer
from sqlalchemy import MetaData, text

from common import clock, queue
from common.cron import Cron, Every
from common.database import Database
from common.feed import FeedTables, append
from common.http.once import idempotency_table
from common.metrics import WAKES_FAILED
from common.queue import enqueue_once, job, wake
from common.service import Service
from services.points import jobs
from services.points.database import transaction
from services.points.ledger import use_cases as ledger
from services.points.ledger.domain import Kind
from services.points.ledger.use_cases import Command
from services.points.programs.use_cases import program_book
from services.points.schedule import SCHEDULE
from services.points.wakeups import HEAVY
from tests.earning import Shop, event
from tests.support import listening

RAN: list[Any] = []


@job("points")
def note(what: str) -> None:
    """Note that it ran; asks for itself again while it runs when told to."""
    RAN.append(what)
    if what == "again":
        RAN.append(enqueue_once("points", NOTE, "again", within_seconds=60))
        RAN.append(enqueue_once("points", NOTE, "again", within_seconds=60))


@job(HEAVY)
def last(what: str) -> None:
    """Take as long as a large changeset: until `end:{what}` is there, at most a minute."""
    wait_until(lambda: bool(queue.redis().exists(f"end:{what}")))


NOTE = f"{__name__}.note"
LAST = f"{__name__}.last"


def wait_until(true: Callable[[], bool]) -> None:
    """Wait for a minute at most."""
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline, "it never came to be"
        time.sleep(0.02)


@contextmanager
def a_worker(name: str, *words: str) -> Iterator[None]:
    """A worker of queue `name` as the stack starts it: `python -m services.points worker …`."""
    process = subprocess.Popen([sys.executable, "-m", "services.points", "worker", *words])
    try:
        wait_until(lambda: any(one.queue_names() == [name] for one in Worker.all(connection=queue.redis())))
        yield
    finally:
        process.terminate()
        process.wait()


@pytest.fixture
def ran() -> list[Any]:
    """What `note` noted."""
    RAN.clear()
    return RAN


def waiting(name: str = "points") -> list[str]:
    """The functions that wait in a queue."""
    return [one.func_name for one in queue.queue(name).jobs]


def work_off(name: str = "points") -> None:
    """Let a real worker do everything that waits."""
    worker = SimpleWorker([queue.queue(name)], connection=queue.redis(), serializer=JSONSerializer)
    worker.work(burst=True, logging_level="WARNING")
    assert queue.queue(name).failed_job_registry.count == 0


def hold(members: int) -> None:
    """Holds of that many members, all past their deadline."""
    with transaction() as session:
        book = program_book(session, 1)
        commands = [
            Command(
                scope="t", key=f"{kind}{n}", kind=kind, member_id=n, asset="points", amount=5, ttl_seconds=1, cause="t"
            )
            for kind in (Kind.EARN, Kind.HOLD)
            for n in range(1, members + 1)
        ]
        lines = [ledger.line_of(book, command, now=clock.now()) for command in commands]
        ledger.post(session, lines, zones={1: "Asia/Shanghai"})
        session.execute(text("UPDATE points_holds SET expires_at = expires_at - interval '1 hour'"))
        session.execute(text("UPDATE points_accounts SET due_at = due_at - interval '1 hour'"))


def test_everything_due_is_settled_in_chunks_however_many_accounts_there_are(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold(501)
    chunks: list[Any] = []
    real = ledger.settle_due

    def watched(*args: Any, **kwargs: Any) -> Any:
        chunks.append(real(*args, **kwargs))
        return chunks[-1]

    monkeypatch.setattr(ledger, "settle_due", watched)
    jobs.settle_due_accounts()
    assert chunks == [(1, 500, 1), (1, 501, 1), None]
    assert shop.rows("SELECT count(*), sum(held), count(due_at) FROM points_accounts") == [(501, 0, 0)]
    assert shop.rows("SELECT count(*) FROM points_holds WHERE state = 3") == [(501,)]
    written = shop.written()
    jobs.settle_due_accounts()
    assert shop.written() == written


def test_a_sweep_that_is_killed_goes_on_where_it_stood(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    hold(501)
    real = ledger.settle_due

    def killed(*args: Any, **kwargs: Any) -> Any:
        if kwargs["after"] != (0, 0, 0):
            raise KeyboardInterrupt
        return real(*args, **kwargs)

    with monkeypatch.context() as broken:
        broken.setattr(ledger, "settle_due", killed)
        with pytest.raises(KeyboardInterrupt):
            jobs.settle_due_accounts()
    assert shop.rows("SELECT count(*) FROM points_holds WHERE state = 3") == [(500,)]
    jobs.settle_due_accounts()
    assert shop.rows("SELECT count(*) FROM points_holds WHERE state = 3") == [(501,)]


@pytest.fixture
def levels(servers: None) -> Iterator[Service]:
    """A tiny service called levels: a feed and nothing else, in a database that points does not use."""
    metadata = MetaData()
    database = Database("gateway", metadata)
    feed, keys = FeedTables("levels", metadata), idempotency_table("levels", metadata)
    metadata.create_all(database.engine)
    yield Service("levels", "Levels", database, feed, keys, routes=(), wakes={"points": frozenset({"reward.granted"})})
    metadata.drop_all(database.engine)
    database.dispose()


def grant(levels: Service, grant_id: str) -> None:
    """A grant of ten points, told on the feed of levels."""
    reward = [{"kind": "asset", "asset": "points", "amount": 10}]
    payload = {"grant_id": grant_id, "reward": reward, "cause": "c", "rule": "r", "at": datetime.now(UTC).isoformat()}
    with levels.database.transaction() as session:
        append(session, levels.feed, "reward.granted", program_id=1, member_id=7, payload=payload)
        append(session, levels.feed, "member.joined", program_id=1, member_id=7, payload={})


def test_a_real_feed_is_pulled_over_http_and_each_fact_applied_once(shop: Shop, levels: Service) -> None:
    with listening(levels):
        grant(levels, "a")
        jobs.pull_feed("levels")
        assert shop.amounts() == [10]
        jobs.pull_feed("levels")
        for number in range(3):
            grant(levels, f"b{number}")
        jobs.pull_feed("levels")
        jobs.pull_feed("levels")
    assert shop.amounts() == [10] * 4
    assert shop.rows("SELECT source, facts FROM points_feed_cursors") == [("levels", 4)]


def test_a_fact_wakes_its_consumer_whose_worker_pulls_it(shop: Shop, levels: Service) -> None:
    with listening(levels):
        queue.redis().flushall()
        grant(levels, "a")
        grant(levels, "b")
        assert waiting() == ["services.points.jobs.pull_feed"]
        work_off()
    assert shop.amounts() == [10, 10]
    assert waiting() == []


def test_points_wakes_those_who_listen_once_while_they_have_not_begun(shop: Shop) -> None:
    queue.redis().flushall()
    shop.send(event(), event("e2", "order.paid", data={"order_id": "A1", "paid_fen": 100}))
    assert waiting("referrals") == ["services.referrals.jobs.pull_feed"]
    queue.redis().flushall()
    for number in range(3):
        shop.move("earn", number + 1)
    assert waiting("levels") == ["services.levels.jobs.pull_feed"]
    assert waiting("referrals") == []  # it takes orders only
    assert [(one.func_name, one.args) for one in queue.queue("points").jobs] == [
        ("services.points.jobs.pull_feed", ["points"])
    ]
    assert queue.queue("levels").jobs[0].args == ["points"]
    assert waiting("redemption") == []


def test_what_cron_lists_exists_and_is_coalesced_under_its_own_name(shop: Shop) -> None:
    assert {entry.queue for entry in SCHEDULE} == {"points", HEAVY}
    for entry in SCHEDULE:
        module, _, name = entry.function.rpartition(".")
        function = getattr(importlib.import_module(module), name)
        assert f"{function.__module__}.{function.__qualname__}" == entry.function
        assert hasattr(function, "__wrapped__"), "declared with `job`, so that running it clears its flag"
    sources = {entry.args[0] for entry in SCHEDULE if entry.function.endswith("pull_feed")}
    assert sources == {subscription.source for subscription in shop.service.consumes}


def test_cron_ticks_pile_up_nothing(shop: Shop) -> None:
    queue.redis().flushall()
    cron = Cron(queue.redis())
    for entry in SCHEDULE:
        cron.add(entry)
    for _ in range(5):
        for one in cron.get_jobs():
            one.enqueue(queue.redis())
    assert sorted(waiting() + waiting(HEAVY)) == sorted(entry.function for entry in SCHEDULE)


def test_what_cron_enqueues_clears_its_flag_when_it_runs(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "pull_from", lambda *_: 0)
    queue.redis().flushall()
    cron = Cron(queue.redis())
    for entry in SCHEDULE:
        cron.add(entry)
    for one in cron.get_jobs():
        one.enqueue(queue.redis())
    assert len(queue.redis().keys("jifen:queued:*")) == len(SCHEDULE)
    for name in ("points", HEAVY):
        work_off(name)
    assert queue.redis().keys("jifen:queued:*") == [], "declared for one queue and enqueued in another"


def test_a_fact_is_applied_while_a_heavy_job_runs(shop: Shop, levels: Service) -> None:
    queue.redis().flushall()
    with listening(levels), a_worker("points"), a_worker(HEAVY, "--heavy"):
        enqueue_once(HEAVY, LAST, "a", within_seconds=60)
        wait_until(lambda: queue.queue(HEAVY).started_job_registry.count == 1)
        grant(levels, "a")
        wait_until(lambda: shop.amounts() == [10])
        assert queue.queue(HEAVY).started_job_registry.count == 1, "it still runs"
        queue.redis().set("end:a", 1)
        wait_until(lambda: queue.queue(HEAVY).started_job_registry.count == 0)
    assert queue.queue(HEAVY).failed_job_registry.count == 0


def test_cron_survives_a_redis_that_is_away(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    cron = Cron(queue.redis())
    cron.add(Every("services.points.jobs.settle_due_accounts", HEAVY, seconds=300))
    with monkeypatch.context() as away:
        away.setattr(queue, "redis", unreachable)
        [one] = cron.get_jobs()
        one.enqueue(queue.redis())
    one.enqueue(queue.redis())
    assert "services.points.jobs.settle_due_accounts" in waiting(HEAVY)


def test_the_sweep_of_the_schedule_is_done_by_a_real_worker(shop: Shop) -> None:
    hold(3)
    enqueue_once(HEAVY, "services.points.jobs.settle_due_accounts", within_seconds=60)
    work_off(HEAVY)
    assert shop.rows("SELECT count(*) FROM points_holds WHERE state = 3") == [(3,)]


def test_work_asked_for_twice_waits_once(shop: Shop, ran: list[Any]) -> None:
    queue.redis().flushall()
    asked = [enqueue_once("points", NOTE, what, within_seconds=60) for what in ("a", "a", "b", "a")]
    assert asked == [True, False, True, False]
    work_off()
    assert ran == ["a", "b"]
    assert enqueue_once("points", NOTE, "a", within_seconds=60)


def test_work_asked_for_twice_while_it_runs_runs_once_more(shop: Shop, ran: list[Any]) -> None:
    queue.redis().flushall()
    enqueue_once("points", NOTE, "again", within_seconds=60)
    worker = SimpleWorker([queue.queue("points")], connection=queue.redis(), serializer=JSONSerializer)
    worker.work(burst=True, max_jobs=1, logging_level="WARNING")
    assert ran == ["again", True, False]
    assert waiting() == [NOTE]


def test_a_job_lost_with_redis_is_only_late(shop: Shop, ran: list[Any]) -> None:
    queue.redis().flushall()
    assert enqueue_once("points", NOTE, "a", within_seconds=60)
    queue.queue("points").empty()
    assert not enqueue_once("points", NOTE, "a", within_seconds=60)
    [flag] = queue.redis().keys("jifen:queued:*")
    assert 0 < queue.redis().ttl(flag) <= 60
    queue.redis().pexpire(flag, 1)
    while queue.redis().exists(flag):
        pass
    assert enqueue_once("points", NOTE, "a", within_seconds=60)
    work_off()
    assert ran == ["a"]


def unreachable() -> Redis:
    """A Redis that nobody answers for."""
    return Redis.from_url("redis://127.0.0.1:9/0", socket_connect_timeout=1)


def test_without_redis_postings_go_on_and_missed_wakes_are_counted(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    def failed() -> float:
        return sum(sample.value for one in WAKES_FAILED.collect() for sample in one.samples if "total" in sample.name)

    monkeypatch.setattr(queue, "redis", unreachable)
    before = failed()
    wake("levels", "points")
    assert failed() == before + 1
    shop.move("earn", 5)
    assert shop.balance() == 5
    assert failed() == before + 3  # levels and our own log
    with pytest.raises(ConnectionError):
        enqueue_once("points", NOTE, "a", within_seconds=60)
