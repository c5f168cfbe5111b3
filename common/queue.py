"""RQ: wake-ups and work. Redis holds nothing that matters, so a lost job loses nothing and a failed enqueue only waits.

JSON serializer: jobs get ids and ISO strings, never objects.
"""

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Any, ParamSpec

import structlog
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from rq import Queue
from rq.serializers import JSONSerializer

from common.metrics import WAKES_FAILED
from common.settings import settings

log = structlog.get_logger()
P = ParamSpec("P")


@lru_cache(maxsize=1)
def redis() -> Redis:
    """The Redis of this process. It answers soon or not at all: nothing correct waits for it."""
    return Redis.from_url(settings().redis_url, socket_timeout=2, socket_connect_timeout=1, retry=Retry(NoBackoff(), 1))


def queue(name: str) -> Queue:
    """An RQ queue: a service's own is called as the service."""
    return Queue(name, connection=redis(), serializer=JSONSerializer)


def heavy(service: str) -> str:
    """The name of a service's queue for what may take long: with a worker of its own, so that feeds never wait."""
    return f"{service}.heavy"


def enqueue(name: str, function: str, *args: Any, timeout_seconds: int = 600) -> None:
    """Put work on a queue, by dotted path. Raises `RedisError` when Redis does not answer."""
    queue(name).enqueue(function, args=args, result_ttl=0, failure_ttl=86_400, job_timeout=timeout_seconds)


def enqueue_once(name: str, function: str, *args: Any, within_seconds: int, timeout_seconds: int = 600) -> bool:
    """Put work on a queue unless the same work already waits; false when it did.

    A flag coalesces: whoever sets it enqueues, a function declared with `job` clears it before it begins, so work that
    arrives while the job runs is queued once more, never lost. The flag dies by itself after `within_seconds`, so a
    job lost with Redis is only late.
    """
    if not redis().set(_flag(name, function, args), 1, nx=True, ex=within_seconds):
        return False
    enqueue(name, function, *args, timeout_seconds=timeout_seconds)
    return True


def job(name: str) -> Callable[[Callable[P, None]], Callable[P, None]]:
    """Declare a function of `services.X.jobs` as coalesced work of queue `name`: running it clears its flag first."""

    def declare(function: Callable[P, None]) -> Callable[P, None]:
        path = f"{function.__module__}.{function.__qualname__}"

        @wraps(function)
        def run(*args: P.args, **kwargs: P.kwargs) -> None:
            redis().delete(_flag(name, path, args))
            function(*args, **kwargs)

        return run

    return declare


def wake(consumer: str, source: str) -> None:
    """Ask a consumer to pull the feed of `source` soon. Never raises: the consumer's cron pulls anyway."""
    try:
        enqueue_once(consumer, f"services.{consumer}.jobs.pull_feed", source, within_seconds=10)
    except RedisError as error:
        WAKES_FAILED.labels(consumer).inc()
        log.warning("wake_failed", consumer=consumer, source=source, error=str(error))


def _flag(name: str, function: str, args: tuple[Any, ...]) -> str:
    return ":".join(("jifen", "queued", name, function, *map(str, args)))
