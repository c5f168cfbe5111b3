"""Idempotency keys at the edge: one effect and one answer per key, refusals included, failures never remembered."""

import importlib
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any, ClassVar

import pytest
from marshmallow import Schema, fields
from sqlalchemy import text
from sqlmodel import Session

from common.clock import now
from common.errors import Busy, NeighbourUnavailable, Refusal
from common.http.callers import ANY_STAFF, system
from common.http.fields import integer
from common.http.once import forget_keys
from common.http.problems import Wording
from common.http.routes import Routes
from common.identity import Identity
from common.service import Service
from services.points.database import database, feed, keys
from tests.points import pointers, refused, sql
from tests.support import Callers


class TooDear(Refusal):
    """The thing costs more than there is."""

    code = "too_dear"


class ThingRequest(Schema):
    """A thing to make, and how long that takes."""

    size = integer(1, 1000, required=True)
    seconds = fields.Float(load_default=0.0)


class ThingResponse(Schema):
    """A thing that was made."""

    place = fields.Integer(required=True)
    size = fields.Integer(required=True)


routes = Routes("things", wordings={TooDear: Wording(422, "It costs {price}.", "价格为 {price}。", pointer="/size")})


class Trouble:
    """What the next calls run into, in turn; nothing when empty."""

    ahead: ClassVar[list[Exception]] = []


@routes.post(
    "/things", allow=(system("things"), ANY_STAFF), body=ThingRequest, answer=ThingResponse, status=201, once=True
)
def make_thing(caller: Identity, session: Session, body: dict[str, Any]) -> dict[str, Any]:
    """Make a thing."""
    made = text("INSERT INTO test_effects (name) VALUES (:name) RETURNING place")
    place = session.execute(made, {"name": caller.actor}).scalar_one()
    time.sleep(body["seconds"])
    if Trouble.ahead:
        raise Trouble.ahead.pop(0)
    return {"place": place, "size": body["size"]}


@routes.post("/things/<id:place>/paint", allow=(system("things"),), body=ThingRequest, answer=ThingResponse, once=True)
def paint(caller: Identity, session: Session, place: int, body: dict[str, Any]) -> dict[str, Any]:
    """Paint a thing."""
    session.execute(text("INSERT INTO test_effects (name) VALUES (:name)"), {"name": f"paint {place}"})
    return {"place": place, "size": body["size"]}


things = Service(
    name="things",
    title="Things",
    database=database,
    feed=feed,
    keys=keys,
    routes=(routes,),
)


@pytest.fixture
def callers(points: Callers) -> Iterator[Callers]:
    """Callers of the service of things, on the points database."""
    sql("CREATE TABLE test_effects (place bigserial PRIMARY KEY, name text NOT NULL)")
    Trouble.ahead.clear()
    yield Callers(things)
    sql("DROP TABLE test_effects")


@pytest.fixture
def made(callers: Callers) -> Callable[[], int]:
    """How many things were made."""
    return lambda: int(sql("SELECT count(*) FROM test_effects")[0][0])


def test_the_same_key_and_body_get_the_first_answer_again(callers: Callers, made: Callable[[], int]) -> None:
    shop = callers.system("things")
    first = shop.post("/v1/things", {"size": 5}, key="k")
    again = shop.post("/v1/things", {"size": 5}, key="k")
    assert first.status_code == again.status_code == 201
    assert first.data == again.data
    assert first.headers.get("Idempotency-Replayed") is None
    assert again.headers["Idempotency-Replayed"] == "true"
    assert made() == 1


def test_the_order_of_a_bodys_fields_says_nothing(callers: Callers, made: Callable[[], int]) -> None:
    shop = callers.system("things")
    for raw in (b'{"size": 5, "seconds": 0}', b'{ "seconds":0,"size":5}'):
        answer = shop.post("/v1/things", data=raw, content_type="application/json", key="k")
        assert answer.status_code == 201
    assert made() == 1


def test_another_body_under_the_same_key_is_refused(callers: Callers, made: Callable[[], int]) -> None:
    shop = callers.system("things")
    shop.post("/v1/things", {"size": 5}, key="k")
    answer = shop.post("/v1/things", {"size": 6}, key="k")
    assert refused(answer) == (422, "idempotency_key_reused")
    assert pointers(answer) == ["/headers/Idempotency-Key"]
    assert shop.post("/v1/things", {"size": 5}, key="k").status_code == 201
    assert made() == 1


def test_another_place_in_the_path_is_another_request(callers: Callers) -> None:
    shop = callers.system("things")
    assert shop.post("/v1/things/1/paint", {"size": 5}, key="k").json["place"] == 1
    assert refused(shop.post("/v1/things/2/paint", {"size": 5}, key="k")) == (422, "idempotency_key_reused")
    assert shop.post("/v1/things/2/paint", {"size": 5}, key="k2").json["place"] == 2


def test_keys_of_other_callers_routes_and_programs_are_other_keys(callers: Callers, made: Callable[[], int]) -> None:
    for caller in (
        callers.system("things"),
        callers.system("things", key_id="till"),
        callers.system("things", program_id=2),
        callers.staff("support", name="shop"),
    ):
        answer = caller.post("/v1/things", {"size": 5}, key="k")
        assert (answer.status_code, answer.headers.get("Idempotency-Replayed")) == (201, None)
    assert callers.system("things").post("/v1/things/1/paint", {"size": 5}, key="k").status_code == 200
    assert made() == 5


def test_twins_in_flight_have_one_effect_and_the_same_answer(callers: Callers, made: Callable[[], int]) -> None:
    meeting = Barrier(6)

    def post(_: int) -> Any:
        meeting.wait()
        return callers.system("things").post("/v1/things", {"size": 5, "seconds": 0.4}, key="k")

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(post, range(6)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.data for answer in answers}) == 1
    assert sum(answer.headers.get("Idempotency-Replayed") == "true" for answer in answers) == 5
    assert made() == 1


def test_a_twin_that_takes_too_long_is_not_waited_for(callers: Callers, made: Callable[[], int]) -> None:
    body = {"size": 5, "seconds": 3.8}
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(callers.system("things").post, "/v1/things", body, key="k")
        while not sql("SELECT 1 FROM pg_stat_activity WHERE query LIKE 'INSERT INTO test_effects%'"
                      " AND pid <> pg_backend_pid()"):  # fmt: skip
            time.sleep(0.01)
        impatient = callers.system("things").post("/v1/things", body, key="k")
        assert refused(impatient) == (409, "busy")
        assert impatient.headers["Retry-After"] == "1"
        assert slow.result().status_code == 201
    assert callers.system("things").post("/v1/things", body, key="k").data == slow.result().data
    assert made() == 1


def test_a_refusal_is_an_answer_and_leaves_no_effect(callers: Callers, made: Callable[[], int]) -> None:
    Trouble.ahead.append(TooDear(price=700))
    shop = callers.system("things")
    first = shop.post("/v1/things", {"size": 5}, key="k")
    again = shop.post("/v1/things", {"size": 5}, key="k")
    assert refused(first) == refused(again) == (422, "too_dear")
    assert again.data == first.data
    assert again.json["facts"] == {"price": 700}
    assert again.headers["Idempotency-Replayed"] == "true"
    assert made() == 0


@pytest.mark.parametrize("trouble", [NeighbourUnavailable(service="levels"), Busy(), ConnectionError("x")])
def test_what_may_be_sent_again_is_not_remembered(
    callers: Callers, made: Callable[[], int], trouble: Exception
) -> None:
    Trouble.ahead.append(trouble)
    shop = callers.system("things")
    answer = shop.post("/v1/things", {"size": 5}, key="k")
    assert refused(answer)[0] in (409, 500, 503)
    assert made() == 0
    assert sql("SELECT count(*) FROM points_idempotency_keys")[0][0] == 0
    assert shop.post("/v1/things", {"size": 5}, key="k").status_code == 201
    assert made() == 1


def test_what_failed_before_the_rules_were_asked_is_not_remembered(callers: Callers) -> None:
    shop = callers.system("things")
    assert refused(shop.post("/v1/things", {"size": "5"}, key="k")) == (422, "invalid_request")
    assert refused(callers.anybody().post("/v1/things", {"size": 5}, key="k")) == (401, "unauthenticated")
    assert refused(callers.system().post("/v1/things", {"size": 5}, key="k")) == (403, "forbidden")
    assert shop.post("/v1/things", {"size": 5}, key="k").status_code == 201


@pytest.mark.parametrize("key", [None, "", "a b", "x" * 256])
def test_without_a_key_nothing_happens(callers: Callers, made: Callable[[], int], key: str | None) -> None:
    answer = callers.system("things").post("/v1/things", {"size": 5}, key=key)
    assert refused(answer) == (400, "idempotency_key_missing")
    assert made() == 0


def test_a_key_names_another_request_after_ninety_days(callers: Callers, made: Callable[[], int]) -> None:
    shop = callers.system("things")
    for key in ("old", "older", "oldest", "young"):
        assert shop.post("/v1/things", {"size": 5}, key=key).status_code == 201
    sql("UPDATE points_idempotency_keys SET created_at = created_at - interval '90 days' WHERE key <> 'young'")
    assert forget_keys(database, keys, now=now() - timedelta(minutes=5)) == 0
    assert forget_keys(database, keys, now=now(), at_once=2) == 3
    assert forget_keys(database, keys, now=now(), at_once=2) == 0
    assert shop.post("/v1/things", {"size": 6}, key="old").status_code == 201
    assert shop.post("/v1/things", {"size": 6}, key="young").status_code == 422
    assert made() == 5


def test_a_key_that_somebody_uses_now_is_left_for_the_next_time(callers: Callers) -> None:
    assert callers.system("things").post("/v1/things", {"size": 5}, key="k").status_code == 201
    sql("UPDATE points_idempotency_keys SET created_at = created_at - interval '91 days'")
    with database.transaction() as session:
        session.execute(text("SELECT FROM points_idempotency_keys FOR UPDATE"))
        assert forget_keys(database, keys, now=now()) == 0
    assert forget_keys(database, keys, now=now()) == 1


@pytest.mark.parametrize("service", ["points", "levels", "referrals"])
def test_the_cron_forgets_keys_once_a_day(service: str) -> None:
    schedule = importlib.import_module(f"services.{service}.schedule").SCHEDULE
    (entry,) = [entry for entry in schedule if entry.function.endswith(".forget_old_keys")]
    minute, hour, *rest = entry.crontab.split()
    assert minute.isdigit()
    assert hour.isdigit()
    assert rest == ["*", "*", "*"]
    assert callable(importlib.import_module(f"services.{service}.jobs").forget_old_keys)
