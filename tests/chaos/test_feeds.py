"""Feeds under fire: producer, consumers, relay, Valkey and PostgreSQL are killed in mid-run, Valkey is flushed.

Afterwards each consumer has applied every fact exactly once: its own count of facts equals what the producer ever
offered it, balances and scores equal what was sent, and `verify` is clean.
"""

import random
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from redis import Redis
from redis.exceptions import RedisError

from tests.house import House, eventually, purchase, running_house
from tests.servers import throwaway_folder

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

ORDERS, BATCH, CUSTOMERS = 6_000, 50, 300
VICTIMS = (
    "points.web",
    "levels.web",
    "gateway.web",
    "levels.worker",
    "points.worker",
    "referrals.worker",
    "cron",
    "valkey",
)


@pytest.fixture
def house() -> Iterator[House]:
    """A house of this test's own, to be set on fire."""
    with throwaway_folder() as folder, running_house(folder) as house:
        yield house


class Arsonist(threading.Thread):
    """Kills one process after another with SIGKILL, and flushes Valkey now and then, until told to stop."""

    def __init__(self, house: House, victims: tuple[str, ...], *, every_seconds: float) -> None:
        super().__init__(daemon=True)
        self._house, self._victims, self._every = house, victims, every_seconds
        self._done = threading.Event()
        self.killed: list[str] = []

    def run(self) -> None:
        dice = random.Random(7)
        while not self._done.wait(self._every):
            victim = self._victims[len(self.killed) % len(self._victims)]
            try:
                pid = self._house.stack.kill(victim)
            except (LookupError, ProcessLookupError):
                continue  # It is still on its way back from the last time.
            self.killed.append(victim)
            self._house.stack.wait_until_back(victim, killed_pid=pid, seconds=60)
            if dice.random() < 0.3:
                flush(self._house)

    def stop(self) -> None:
        self._done.set()
        self.join(90)


def flush(house: House) -> None:
    """Empty Valkey: jobs, flags, boards, limits."""
    try:
        Redis.from_url(house.stack.env["JIFEN_REDIS_URL"]).flushall()
    except RedisError:
        return  # It was just killed, which loses no less.


def send_all(house: House) -> None:
    """Send every order, each batch until it is acknowledged: a retry has the same keys."""
    events = [purchase(number, number % CUSTOMERS, 100 + number) for number in range(ORDERS)]
    batches = [events[start : start + BATCH] for start in range(0, ORDERS, BATCH)]

    def send(batch: list[dict[str, object]]) -> None:
        deadline = time.monotonic() + 180
        while True:
            try:
                house.shop.call("POST", "/v1/events", batch)
            except Exception:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)
            else:
                return

    with ThreadPoolExecutor(4) as senders:
        list(senders.map(send, batches))


def assert_applied_exactly_once(house: House) -> None:
    """Compare what the producers offered with what the consumers say they applied, and with what was sent."""
    offered = "SELECT count(*) FROM points_outbox WHERE topic = ANY(:topics)"
    applied = "SELECT facts FROM {0}_feed_cursors WHERE source = 'points'"
    for consumer, topics in {
        "levels": ["program.configured", "ledger.entry", "order.paid", "order.refunded"],
        "referrals": ["program.configured", "order.paid", "order.refunded"],
    }.items():
        expected = house.rows("points", offered, topics=topics)[0][0]
        eventually(partial(house.rows, consumer, applied.format(consumer)), [(expected,)], seconds=180)
    paid = sum(100 + number for number in range(ORDERS))
    spent = "SELECT sum(score)::bigint FROM levels_board_scores WHERE metric = 'spend' AND period = 'all'"
    assert house.rows("levels", spent)[0][0] == paid
    events = house.rows("points", "SELECT count(*), count(DISTINCT (source, id)) FROM points_events")
    assert tuple(events[0]) == (ORDERS, ORDERS)
    growth = "SELECT sum(balance)::bigint FROM points_accounts WHERE asset_id = 2"
    assert house.rows("points", growth)[0][0] == sum((100 + number) // 100 for number in range(ORDERS))
    assert house.violations() == []


def test_every_fact_is_applied_once_though_processes_and_valkey_are_killed_and_flushed(house: House) -> None:
    fire = Arsonist(house, VICTIMS, every_seconds=1.0)
    fire.start()
    try:
        send_all(house)
        while len(set(fire.killed)) < len(VICTIMS):
            assert fire.is_alive(), house.stack.output()[-4000:]
            time.sleep(0.2)
    finally:
        fire.stop()
    assert set(fire.killed) == set(VICTIMS)
    assert_applied_exactly_once(house)


def test_every_acknowledged_fact_survives_the_death_of_postgresql(house: House) -> None:
    fire = Arsonist(house, ("postgres",), every_seconds=3.0)
    fire.start()
    try:
        send_all(house)
        while len(fire.killed) < 2:
            assert fire.is_alive(), house.stack.output()[-4000:]
            time.sleep(0.2)
    finally:
        fire.stop()
    assert_applied_exactly_once(house)
