"""Sealing, as the worker does it: page after page of our own feed, each in a transaction of its own."""

from common.clock import now
from services.points.audit import use_cases
from services.points.audit.signing import signer
from services.points.database import transaction

#: Leaves a transaction, with one head; 10^5 take a few seconds.
_LEAVES_AT_ONCE = 5_000


def seal_posted() -> int:
    """Seal what was posted since; returns how many facts that were. Where another worker is at it, it goes on."""
    key, sealed, more = signer(), 0, True
    while more:
        with transaction() as session:
            facts, more = use_cases.seal_next(session, signer=key, now=now(), limit=_LEAVES_AT_ONCE)
        sealed += facts
    with transaction() as session:
        use_cases.renew_heads(session, signer=key, now=now())
    return sealed


def seal_if_rested() -> int:
    """As `seal_posted`, unless a head was signed a moment ago: what it leaves, the cron seals."""
    with transaction() as session:
        rested = use_cases.has_rested(session, now=now())
    return seal_posted() if rested else 0
