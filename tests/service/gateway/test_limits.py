"""How much one may ask, with Redis and without."""

import time
from collections.abc import Iterator

import pytest

from common.queue import redis
from deploy.local.embedded import EmbeddedValkey
from gateway.limits import policies
from gateway.limits.domain import Policy, TooManyRequests
from gateway.limits.limiter import Limiter, limiter
from tests.gateway import People, environment, forget_everything, http
from tests.servers import throwaway_valkey


@pytest.fixture
def own_redis(people: People) -> Iterator[EmbeddedValkey]:
    """A Redis of this test's own, to be killed."""
    with throwaway_valkey() as server, environment(JIFEN_REDIS_URL=server.url):
        redis.cache_clear()
        forget_everything()
        yield server
    redis.cache_clear()
    forget_everything()


def test_a_member_may_ask_forty_at_once_and_is_then_told_to_wait(door: str, people: People) -> None:
    replies = [http(door, "GET", "/v1/accounts", headers=people.member()) for _ in range(60)]
    assert [reply.status for reply in replies[:40]] == [201] * 40
    assert replies[0].headers["ratelimit-policy"] == '"member";q=40;w=2'
    assert replies[0].headers["ratelimit"] == '"member";r=39;t=1'
    refused = [reply for reply in replies if reply.status == 429]
    assert refused, "60 requests within a second or two are too many"
    assert refused[0].code == "too_many_requests"
    assert refused[0].headers["retry-after"] == "1"
    assert refused[0].headers["ratelimit"] in ('"member";r=0;t=2', '"member";r=0;t=3')


def test_callers_do_not_eat_from_each_others_plates(door: str, people: People) -> None:
    for _ in range(60):
        http(door, "GET", "/v1/accounts", headers=people.member(7))
    others = (people.member(8), people.member(7, program_id=2))
    assert [http(door, "GET", "/v1/accounts", headers=other).status for other in others] == [201, 201]


def test_a_key_has_its_own_rate_also_for_our_own_routes(door: str, people: People) -> None:
    key = people.key(rate_per_second=1)
    target = "/v1/sessions/current"
    replies = [http(door, "GET", target, headers=key.sign("GET", target)) for _ in range(4)]
    assert [reply.status for reply in replies] == [200, 200, 429, 429]
    assert replies[0].headers["ratelimit-policy"] == '"system";q=2;w=2'


def test_processes_share_what_is_left(people: People) -> None:
    policy = Policy("shared", rate=0.001, burst=10)
    here, there = Limiter(), Limiter()
    for _ in range(8):
        here.take("one", policy)
    here.share_now()
    there.take("one", policy)
    there.share_now()
    there.take("one", policy)
    with pytest.raises(TooManyRequests):
        there.take("one", policy)


def test_sharing_goes_on_by_itself(people: People) -> None:
    policy = Policy("shared", rate=0.001, burst=2)
    for _ in range(2):
        limiter.take("self", policy)
    deadline = time.monotonic() + 5
    while not redis().exists("jifen:limits:self"):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert float(redis().hget("jifen:limits:self", "tokens")) == pytest.approx(0, abs=0.1)


def test_a_changed_rate_counts_at_once_and_forgives_nothing(people: People) -> None:
    wide, narrow = Policy("system", rate=0.001, burst=10), Policy("system", rate=0.001, burst=3)
    for _ in range(10):
        limiter.take("changed", wide)
    with pytest.raises(TooManyRequests):
        limiter.take("changed", narrow)


def test_without_redis_the_door_limits_by_itself_and_stays_open(
    own_redis: EmbeddedValkey, door: str, people: People
) -> None:
    key = people.key(rate_per_second=1)
    own_redis.kill()
    began = time.monotonic()
    statuses = [http(door, "GET", "/v1/accounts", headers=key.sign("GET", "/v1/accounts")).status for _ in range(4)]
    assert statuses == [201, 201, 429, 429]
    assert [http(door, "GET", "/v1/accounts", headers=people.member()).status for _ in range(5)] == [201] * 5
    assert time.monotonic() - began < 5


def test_without_redis_a_copy_is_still_refused_here(own_redis: EmbeddedValkey, door: str, people: People) -> None:
    key = people.key()
    own_redis.kill()
    signed = key.sign("GET", "/v1/accounts")
    assert http(door, "GET", "/v1/accounts", headers=signed).status == 201
    assert http(door, "GET", "/v1/accounts", headers=signed).code == "nonce_used"


def test_wrong_passwords_are_slowed_down_without_redis_too(
    own_redis: EmbeddedValkey, door: str, people: People
) -> None:
    people.hire("lin")
    own_redis.kill()
    body = {"program": "acme", "name": "lin", "password": "guess guess"}
    statuses = [http(door, "POST", "/v1/sessions/staff", body).status for _ in range(7)]
    assert statuses == [401] * 5 + [429] * 2


def test_unused_buckets_are_forgotten_before_there_are_too_many(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gateway.limits import limiter as module

    monkeypatch.setattr(module, "_MOST_BUCKETS", 10)
    mine = Limiter()
    quick = Policy("quick", rate=1000, burst=1)
    mine.take("kept", policies.LOGIN_NAME)
    for number in range(30):
        mine.take(f"caller {number}", quick)
        mine.share_now()
        time.sleep(0.002)
    assert len(mine._buckets) <= 12
    assert mine._buckets["kept"].tokens < 5


def test_who_never_took_has_nothing_to_give_back(people: People) -> None:
    mine = Limiter()
    mine.give_back("nobody")
    mine.share_now()
    assert redis().keys("jifen:limits:nobody") == []
