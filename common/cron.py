"""The cron process: `python -m common.cron services.points.schedule …` enqueues what those modules list, when due.

RQ's own cron does the timing; entries are coalesced, so two cron processes, or a slow worker, pile up nothing.
"""

import importlib
import logging
import sys
from dataclasses import dataclass
from typing import Any

from redis import Redis
from redis.exceptions import RedisError
from rq.cron import CronJob, CronScheduler
from rq.job import Job

from common.logs import configure_logs
from common.queue import enqueue_once, redis
from common.settings import settings

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Every:
    """Call `function` (dotted path) on `queue` every `seconds`, or at the times of a crontab line (UTC)."""

    function: str
    queue: str
    seconds: int | None = None
    crontab: str | None = None
    args: tuple[Any, ...] = ()


class _Coalesced(CronJob):
    def enqueue(self, connection: Redis) -> Job:
        try:
            enqueue_once(self.queue_name, self.func_name, *self.args, within_seconds=max(self.interval or 60, 5))
        except RedisError as error:
            # Redis may be restarting; the next tick tries again.
            log.warning("cron_enqueue_failed %s %s", self.func_name, error)
        return None  # type: ignore[return-value]  # RQ's scheduler does not look at the job


class Cron(CronScheduler):
    """RQ's scheduler over `Every` entries; survives a Redis that goes away and comes back."""

    def add(self, entry: Every) -> None:
        """Register one entry."""
        self._cron_jobs.append(
            _Coalesced(
                entry.queue,
                func_name=entry.function,
                args=entry.args,
                interval=entry.seconds,
                cron=entry.crontab,
            )
        )


def main(modules: list[str]) -> None:
    """Run until stopped."""
    configure_logs(settings(), service="cron")
    cron = Cron(redis())
    for module in modules:
        for entry in importlib.import_module(module).SCHEDULE:
            cron.add(entry)
    cron.start()  # type: ignore[no-untyped-call]  # RQ annotates its scheduler in part only


if __name__ == "__main__":
    main(sys.argv[1:])
