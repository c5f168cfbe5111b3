"""Heavy jobs asked for inside a transaction and enqueued after its commit; the cron asks again, so none is needed."""

import structlog
from redis.exceptions import RedisError
from sqlmodel import Session

from common.metrics import WAKES_FAILED
from common.queue import enqueue_once, heavy

log = structlog.get_logger()

#: What takes long: feeds do not wait for it, it waits for others of its kind.
HEAVY = heavy("points")


def ask(session: Session, job: str, *arguments: int | str) -> None:
    """Have the heavy `job` of `services.points.jobs` run soon after this transaction has committed."""
    session.info.setdefault("jobs_asked", set()).add((job, *arguments))


def enqueue_asked(session: Session) -> None:
    """What the database calls after each commit. Never raises."""
    for job, *arguments in sorted(session.info.get("jobs_asked", ()), key=str):
        try:
            enqueue_once(HEAVY, f"services.points.jobs.{job}", *arguments, within_seconds=60)
        except RedisError as error:
            WAKES_FAILED.labels("points").inc()
            log.warning("wake_failed", consumer="points", job=job, error=str(error))
