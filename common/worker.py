"""The RQ worker of a service. It does not fork per job: a feed job is milliseconds, a fork costs tens of them."""

import time

import structlog
from redis.exceptions import RedisError
from rq import SimpleWorker
from rq.serializers import JSONSerializer

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
    """Apply everything that stands ready in the feed of `source`; returns how many facts."""
    neighbour = Neighbour(source, caller=service.name)
    return pull(service.database, service.feed, service.subscription(source), neighbour.feed)
