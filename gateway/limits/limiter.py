"""The limiter: decides in memory, on the spot; every tenth of a second of traffic it trues up with the other processes.

So no request waits for Redis. The price: callers who spread over N processes can for a tenth of a second take up to
N bursts, which the shared bucket then makes them wait for. While Redis is away each process limits by itself.
"""

import time
from threading import Event, Thread

import structlog
from redis.exceptions import RedisError

from gateway.limits.domain import Bucket, Policy, TooManyRequests
from gateway.limits.shared import share

log = structlog.get_logger()

SHARE_SECONDS = 0.1
_MOST_PER_CALL = 500
_MOST_BUCKETS = 200_000


class Limiter:
    """The buckets of this process."""

    def __init__(self) -> None:
        self._buckets: dict[str, Bucket] = {}
        self._taken: set[str] = set()
        self._work = Event()
        self._thread: Thread | None = None

    def take(self, key: str, policy: Policy) -> Bucket:
        """Take one token of this caller; raises `TooManyRequests` when there is none."""
        now = time.monotonic()
        bucket = self._buckets.get(key)
        if bucket is None or bucket.policy is not policy:
            bucket = self._open(key, policy, now)
        if not bucket.take(now):
            raise TooManyRequests(bucket)
        self._note(key)
        return bucket

    def give_back(self, key: str) -> None:
        """Undo one `take`: it turned out not to count."""
        if bucket := self._buckets.get(key):
            bucket.take(time.monotonic(), -1)
            self._note(key)

    def forget(self) -> None:
        """Start with full buckets, e.g. between tests."""
        self._buckets.clear()
        self._taken.clear()

    def share_now(self) -> None:
        """True up with the other processes; what Redis does not hear now is not told later: buckets refill anyway."""
        keys = [self._taken.pop() for _ in range(min(len(self._taken), _MOST_PER_CALL))]
        told = [(key, bucket, bucket.unshared) for key in keys if (bucket := self._buckets.get(key))]
        if not told:
            return
        for _, bucket, count in told:
            bucket.unshared -= count
        left = share([(key, bucket.policy, count) for key, bucket, count in told])
        now = time.monotonic()
        for (_, bucket, _), tokens in zip(told, left, strict=True):
            bucket.learn(now, tokens)

    def _open(self, key: str, policy: Policy, now: float) -> Bucket:
        if len(self._buckets) >= _MOST_BUCKETS:
            self._buckets = {key: bucket for key, bucket in self._buckets.items() if not bucket.is_full(now)}
        bucket = Bucket(policy, now)
        if before := self._buckets.get(key):
            # The policy changed: what was taken stays taken.
            bucket.tokens = min(bucket.tokens, before.tokens)
        self._buckets[key] = bucket
        return bucket

    def _note(self, key: str) -> None:
        self._taken.add(key)
        if not self._work.is_set():
            if self._thread is None:
                # Not earlier: threads do not survive the fork of a worker.
                self._thread = Thread(target=self._share_for_ever, name="limits", daemon=True)
                self._thread.start()
            self._work.set()

    def _share_for_ever(self) -> None:
        while True:
            self._work.wait()
            time.sleep(SHARE_SECONDS)
            self._work.clear()
            try:
                while self._taken:
                    self.share_now()
            except RedisError as error:
                log.warning("limits_not_shared", error=type(error).__name__)


#: The buckets of this process.
limiter = Limiter()
