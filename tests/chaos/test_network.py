"""A network that is slow, loses answers, is cut or falls silent: what was acknowledged is there, and nothing twice."""

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event, Thread
from typing import Any

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from werkzeug.test import TestResponse

import common.database
from common.service import Service
from deploy.local.postgres import SOCKET_NAME, EmbeddedPostgres
from tests.chaos.conftest import points_at
from tests.earning import paid
from tests.points import Brand, done, refused, wrong
from tests.wire import Wire, wire_to

Act = Callable[[Brand], TestResponse]


@pytest.fixture
def brand(wire: Wire, brand: Brand) -> Brand:
    """Member 7 has a hundred points, over the wire."""
    brand.earn(100, key="before")
    return brand


def assert_retryable(answer: TestResponse) -> None:
    """It could not be done now; the same may be sent again."""
    assert refused(answer) == (503, "unavailable")
    assert int(answer.headers["Retry-After"]) > 0


def earn(brand: Brand) -> TestResponse:
    """The lean way of a single posting."""
    return brand.send("postings", kind="earn", amount=5, key="k")


def earn_as(brand: Brand, key: str) -> TestResponse:
    """The same under another key."""
    return brand.send("postings", kind="earn", amount=5, key=key)


def hold(brand: Brand) -> TestResponse:
    """A hold."""
    return brand.send("holds", amount=5, key="k")


def batch(brand: Brand) -> TestResponse:
    """Several postings at once, each under its key."""
    line = {"member_id": 7, "asset": "points", "kind": "earn", "amount": 5}
    return brand.shop.post("/v1/postings/batch", {"lines": [{**line, "key": "k"}, {**line, "key": "l"}]})


def event(brand: Brand) -> TestResponse:
    """An event, whose name is its key."""
    return brand.callers.system("events").post("/v1/events", paid())


def adjustment(brand: Brand) -> TestResponse:
    """An adjustment by staff: the edge keeps its key."""
    body = {"member_id": 7, "asset": "points", "amount": 5, "reason_code": "goodwill"}
    return brand.callers.staff("customer_service").post("/v1/adjustments", body, key="k")


def written(beside: psycopg.Connection) -> list[int]:
    """How many rows there are of what a change can leave behind."""
    names = ("entries", "outbox", "postings", "holds", "events", "adjustments", "idempotency_keys")
    columns = ", ".join(f"(SELECT count(*) FROM points_{name})" for name in names)
    row = beside.execute(f"SELECT {columns}").fetchone()
    return list(row or ())


@pytest.mark.parametrize("act", [earn, hold, batch, event, adjustment])
def test_a_reply_that_is_lost_after_the_commit_comes_again_under_the_same_key(
    brand: Brand, wire: Wire, beside: psycopg.Connection, act: Act
) -> None:
    before = written(beside)
    wire.lose_answer_to = b"COMMIT"
    assert_retryable(act(brand))
    after = written(beside)
    assert after != before
    again = act(brand)
    assert again.status_code in (200, 201), again.get_data(as_text=True)
    assert 'replayed":true' in again.get_data(as_text=True) or again.headers["Idempotency-Replayed"] == "true"
    assert written(beside) == after
    assert wrong() == []


def test_a_slow_network_costs_time_and_nothing_else(brand: Brand, wire: Wire) -> None:
    wire.delay_seconds = 0.01
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda n: brand.send("postings", kind="spend", amount=1, key=f"n{n % 40}"), range(50)))
    assert {answer.status_code for answer in answers} == {201}
    assert brand.figures()[0] == 60
    assert wrong() == []


def test_connections_cut_at_any_moment_lose_nothing_and_do_nothing_twice(brand: Brand, wire: Wire) -> None:
    quiet, dice = Event(), random.Random(7)

    def vandalize() -> None:
        while not quiet.wait(dice.uniform(0.02, 0.08)):
            wire.cut()

    def insist(number: int) -> tuple[int, dict[str, Any]]:
        for refusals in range(200):
            answer = brand.send("postings", kind="earn", amount=number, member_id=number % 5 + 11, key=f"n{number}")
            if answer.status_code == 201:
                return refusals, done(answer)
            assert_retryable(answer)
        raise AssertionError(f"n{number} was never posted")

    vandal = Thread(target=vandalize)
    vandal.start()
    try:
        with ThreadPoolExecutor(8) as pool:
            posted = list(pool.map(insist, range(1, 61)))
    finally:
        quiet.set()
        vandal.join()
    assert sum(refusals for refusals, _ in posted) > 3
    for number, (_, first) in enumerate(posted, 1):
        again = done(brand.send("postings", kind="earn", amount=number, member_id=number % 5 + 11, key=f"n{number}"))
        assert again == first
    assert sum(brand.figures(member=member)[0] for member in range(11, 16)) == sum(range(1, 61))
    assert wrong() == []


@pytest.mark.parametrize("by", ["the network", "the server"])
def test_connections_that_were_closed_while_nobody_used_them_cost_no_caller_a_refusal(
    brand: Brand, wire: Wire, beside: psycopg.Connection, by: str
) -> None:
    def earn_together(run: int) -> set[int]:
        with ThreadPoolExecutor(8) as pool:
            return {one.status_code for one in pool.map(lambda n: earn_as(brand, f"{run}-{n}"), range(16))}

    assert earn_together(1) == {201}
    if by == "the network":
        wire.cut()
    else:
        others = "FROM pg_stat_activity WHERE datname = 'points' AND pid <> pg_backend_pid()"
        beside.execute(f"SELECT pg_terminate_backend(pid, 5000) {others}")
    assert earn_together(2) == {201}
    assert wrong() == []


def test_a_server_that_is_gone_without_a_goodbye_is_noticed(
    points_migrated: Service, postgres: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(common.database._SILENCE, "tcp_user_timeout", 500)
    with (
        wire_to(str(postgres.sockets / SOCKET_NAME), small=True) as (wire, port),
        points_at(f"postgresql+psycopg://postgres@127.0.0.1:{port}/points"),
        points_migrated.database.engine.connect() as connection,
    ):
        connection.execute(text("SELECT 1"))
        wire.stall()
        # More than fits on the way: bytes that nobody takes are how the kernel tells a dead server from a slow one.
        with pytest.raises(OperationalError):
            connection.execute(text("SELECT length(:it)"), {"it": "x" * 8_000_000})
