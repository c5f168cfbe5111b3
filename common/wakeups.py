"""A service's heavy jobs, asked for inside a transaction and enqueued after its commit.

The cron asks for each again, so a wake-up that Redis loses makes its job late, never lost.
"""

import structlog
from redis.exceptions import RedisError
from sqlmodel import Session

from common.metrics import WAKES_FAILED
from common.queue import enqueue_once, heavy

log = structlog.get_logger()


class Wakeups:
    """What takes long in a service: feeds do not wait for it, it waits for others of its kind."""

    def __init__(self, service: str) -> None:
        self.queue = heavy(service)
        self._service = service

    def ask(self, session: Session, job: str, *arguments: int | str) -> None:
        """Have the heavy `job` of the service's `jobs` run soon after this transaction has committed."""
        session.info.setdefault("jobs_asked", set()).add((job, *arguments))

    def enqueue_asked(self, session: Session) -> None:
        """What the database calls after each commit. Never raises."""
        for job, *arguments in sorted(session.info.get("jobs_asked", ()), key=str):
            try:
                enqueue_once(self.queue, f"services.{self._service}.jobs.{job}", *arguments, within_seconds=60)
            except RedisError as error:
                WAKES_FAILED.labels(self._service).inc()
                log.warning("wake_failed", consumer=self._service, job=job, error=str(error))
