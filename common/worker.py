"""The RQ workers of a service. None forks per job: a feed job is milliseconds, a fork costs tens of them."""

import gc
import time
from functools import lru_cache

import structlog
from redis.exceptions import RedisError
from rq import SimpleWorker
from rq.serializers import JSONSerializer

from common.errors import NeighbourUnavailable
from common.feed import pull
from common.queue import queue, redis
from common.service import Service
from common.service_client import Neighbour

log = structlog.get_logger()


def work(name: str) -> None:
    """Work off the queue of that name until stopped; waits for a Redis that went away."""
    # What is loaded by now stays: the collector need not look at it again and again, nor in the middle of a page.
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
    while True:
        try:
            worker = SimpleWorker([queue(name)], connection=redis(), serializer=JSONSerializer)
            worker.work(logging_level="WARNING")
            return
        except RedisError as error:
            log.warning("queue_unavailable", queue=name, error=str(error))
            time.sleep(1)


def pull_from(service: Service, source: str) -> int:
    """Apply everything that stands ready in the feed of `source`; returns how many facts.

    A source that does not answer is asked again by the next wake-up or cron; its facts wait.
    """
    try:
        return pull(service.database, service.feed, service.subscription(source), _neighbour(source, service.name).feed)
    except NeighbourUnavailable as error:
        log.warning("feed_unavailable", source=source, cause=repr(error.__cause__))
        return 0


@lru_cache
def _neighbour(source: str, caller: str) -> Neighbour:
    """Kept, with its connections, for as long as the worker lives."""
    return Neighbour(source, caller=caller)
