"""Own jobs asked for inside a transaction and enqueued after its commit; the cron asks again, so none is needed."""

import structlog
from redis.exceptions import RedisError
from sqlmodel import Session

from common.metrics import WAKES_FAILED
from common.queue import enqueue_once

log = structlog.get_logger()


def ask(session: Session, job: str) -> None:
    """Have the function `job` of `services.levels.jobs` run soon after this transaction has committed."""
    session.info.setdefault("jobs_asked", set()).add(job)


def enqueue_asked(session: Session) -> None:
    """What the database calls after each commit. Never raises."""
    for job in sorted(session.info.get("jobs_asked", ())):
        try:
            enqueue_once("levels", f"services.levels.jobs.{job}", within_seconds=60)
        except RedisError as error:
            WAKES_FAILED.labels("levels").inc()
            log.warning("wake_failed", consumer="levels", job=job, error=str(error))
