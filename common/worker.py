"""The RQ worker of a service. It does not fork per job: a feed job is milliseconds, a fork costs tens of them."""

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


def work(service: Service) -> None:
    """Work until stopped; waits for a Redis that went away."""
    while True:
        try:
            worker = SimpleWorker([queue(service.name)], connection=redis(), serializer=JSONSerializer)
            worker.work(logging_level="WARNING")
            return
        except RedisError as error:
            log.warning("queue_unavailable", service=service.name, error=str(error))
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
