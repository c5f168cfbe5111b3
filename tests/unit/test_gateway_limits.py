"""Laws of the token bucket."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.limits.domain import Bucket, Policy, TooManyRequests, rate_headers

POLICY = Policy("test", rate=2, burst=5)


def test_a_full_bucket_gives_its_burst_and_then_its_rate() -> None:
    bucket = Bucket(POLICY, now=0)
    assert [bucket.take(0) for _ in range(6)] == [True] * 5 + [False]
    assert not bucket.take(0.49)
    assert bucket.take(0.5)
    assert not bucket.take(0.5)


def test_a_clock_that_goes_back_gives_nothing() -> None:
    bucket = Bucket(POLICY, now=10)
    for _ in range(5):
        bucket.take(10)
    assert not bucket.take(3)
    assert not bucket.take(10.4)
    assert bucket.take(10.5)


def test_what_is_given_back_can_be_taken_again_but_not_more() -> None:
    bucket = Bucket(POLICY, now=0)
    for _ in range(5):
        bucket.take(0)
    bucket.take(0, -1)
    assert [bucket.take(0), bucket.take(0)] == [True, False]
    for _ in range(9):
        bucket.take(0, -1)
    assert [bucket.take(0) for _ in range(6)] == [True] * 5 + [False]


def test_what_others_took_is_missing_here() -> None:
    bucket = Bucket(POLICY, now=0)
    bucket.take(0)
    bucket.unshared = 0
    bucket.take(0)
    bucket.learn(0, tokens=2)
    assert [bucket.take(0), bucket.take(0)] == [True, False]


def test_a_bucket_is_full_when_nothing_would_be_lost() -> None:
    bucket = Bucket(POLICY, now=0)
    assert bucket.is_full(0)
    bucket.take(0)
    bucket.unshared = 0
    assert not bucket.is_full(0.4)
    assert bucket.is_full(0.5)
    bucket.unshared = 1
    assert not bucket.is_full(9)


def test_headers_tell_quota_rest_and_wait() -> None:
    bucket = Bucket(POLICY, now=0)
    bucket.take(0)
    assert rate_headers(bucket) == [("RateLimit-Policy", '"test";q=5;w=3'), ("RateLimit", '"test";r=4;t=1')]
    for _ in range(4):
        bucket.take(0)
    refusal = TooManyRequests(bucket)
    assert (refusal.facts, refusal.headers[1][1]) == ({"seconds": 1}, '"test";r=0;t=3')


def test_a_slow_bucket_says_how_long_to_wait() -> None:
    bucket = Bucket(Policy("slow", rate=1 / 30, burst=1), now=0)
    bucket.take(0)
    assert bucket.seconds_to_wait == 30


@given(
    rate=st.floats(0.01, 1000),
    burst=st.integers(1, 1000),
    gaps=st.lists(st.floats(0, 10), min_size=1, max_size=200),
)
def test_no_more_is_ever_given_than_the_burst_and_the_rate(rate: float, burst: int, gaps: list[float]) -> None:
    bucket, now, given_out = Bucket(Policy("law", rate, burst), now=0), 0.0, 0
    for gap in gaps:
        now += gap
        given_out += bucket.take(now)
        assert given_out <= burst + rate * now + 1e-6
        assert 0 <= bucket.tokens <= burst


@pytest.mark.parametrize("rate", [1, 2000])
def test_an_api_key_may_use_two_seconds_at_once(rate: int) -> None:
    from gateway.limits.policies import system

    assert system(rate) is system(rate)
    assert (system(rate).rate, system(rate).burst) == (rate, 2 * rate)
