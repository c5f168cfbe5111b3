"""RQ entry points of the points service: wake-ups and sweeps, each a few lines over the same use cases as HTTP."""

from common.queue import job
from common.worker import pull_from
from services.points.database import transaction
from services.points.ledger import use_cases as ledger


@job("points")
def pull_feed(source: str) -> None:
    """Apply what stands ready in a neighbour's feed."""
    from services.points.service import service

    pull_from(service, source)


@job("points")
def settle_due_accounts() -> None:
    """Expire dead lots and holds of accounts that nobody touched, a transaction every 500 accounts."""
    after: tuple[int, int, int] | None = (0, 0, 0)
    while after is not None:
        with transaction() as session:
            after = ledger.settle_due(session, after=after)
