"""What RQ runs for this service. Each job may run at any time, any number of times."""

import structlog
from sqlalchemy.exc import SQLAlchemyError

from common import clock
from common.http.once import forget_keys
from common.queue import job
from services.referrals.database import database, keys, transaction
from services.referrals.groupbuys import payments

log = structlog.get_logger()

_PAGE = 500


@job("referrals")
def pull_feed(source: str) -> None:
    """Apply what stands ready in the feed of `source`."""
    from common.worker import pull_from
    from services.referrals.service import service

    pull_from(service, source)


@job("referrals")
def expire_groupbuys() -> None:
    """Expire the groups whose time is over, each in its own transaction: one that fails stops none of the others.

    It fails itself at the end, so that it is seen, and the next run finds the same group again.
    """
    now = clock.now()
    last, failed = None, []
    while True:
        with transaction() as session:
            due = payments.list_due(session, now=now, after=last, limit=_PAGE)
        for group in due:
            try:
                with transaction() as session:
                    payments.expire(session, program_id=group.program_id, group_id=group.id, now=now)
            except SQLAlchemyError as error:
                log.exception("groupbuy_not_expired", program_id=group.program_id, groupbuy=str(group.id))
                failed.append(error)
        if len(due) < _PAGE:
            break
        last = due[-1]
    if failed:
        raise ExceptionGroup("groups not expired", failed)


@job("referrals")
def forget_old_keys() -> None:
    """Delete idempotency keys that were kept long enough."""
    forget_keys(database, keys, now=clock.now())


@job("referrals")
def release_seats() -> None:
    """Note the holds that have run out."""
    with transaction() as session:
        payments.release_seats(session, now=clock.now())
