"""RQ entry points of the points service: wake-ups and sweeps, each a few lines over the same use cases as HTTP.

What may take longer than a feed should wait stands in the heavy queue, which has a worker of its own.
"""

import uuid

from common.clock import now
from common.http.once import forget_keys
from common.queue import job
from common.worker import pull_from
from services.points.adjustments import use_cases as adjustments
from services.points.audit import jobs as audit
from services.points.backtests import jobs as backtests
from services.points.budgets import use_cases as budgets
from services.points.changesets import jobs as changesets
from services.points.codes import jobs as codes
from services.points.database import database, keys, transaction
from services.points.figures import use_cases as figures
from services.points.ledger import use_cases as ledger
from services.points.triggers import use_cases as triggers
from services.points.wakeups import HEAVY


@job("points")
def pull_feed(source: str) -> None:
    """Apply what stands ready in a neighbour's feed; what we said ourselves is sealed."""
    from services.points.service import service

    if source == service.name:
        audit.seal_if_rested()
    else:
        pull_from(service, source)


@job("points")
def seal_entries() -> None:
    """Seal what was posted since into the audit log."""
    audit.seal_if_rested()


@job(HEAVY)
def settle_due_accounts() -> None:
    """Expire dead lots and holds of accounts that nobody touched, a transaction every 500 accounts."""
    after: tuple[int, int, int] | None = (0, 0, 0)
    while after is not None:
        with transaction() as session:
            after = ledger.settle_due(session, after=after)


@job(HEAVY)
def forget_old_keys() -> None:
    """Delete idempotency keys that were kept long enough. The ledger's own keys are kept for ever."""
    forget_keys(database, keys, now=now())


@job(HEAVY)
def fold_figures() -> None:
    """Fold what was posted since into the daily figures, a page and its cursor in one transaction."""
    more = True
    while more:
        with transaction() as session:
            more = figures.fold(session)


@job("points")
def level_budgets() -> None:
    """Share out anew what budgets have left where some members' part is used up; a transaction each."""
    with transaction() as session:
        uneven = budgets.uneven_pots(session)
    for program_id, key in uneven:
        with transaction() as session:
            budgets.level_pot(session, program_id=program_id, key=key)


@job("points")
def expire_adjustments() -> None:
    """End requests for adjustments that nobody decided about in time."""
    ended = 1
    while ended:
        with transaction() as session:
            ended = adjustments.expire_requests(session)


@job("points")
def resume_changesets() -> None:
    """Go on with changesets whose job was lost."""
    changesets.resume()


@job(HEAVY)
def take_in_joined() -> None:
    """Take in whoever has entered a tag or segment since as events for rules, a page a transaction."""
    more = True
    while more:
        with transaction() as session:
            more = triggers.take_joined(session, now=now())


@job(HEAVY)
def check_changeset(program_id: int, changeset_id: str) -> None:
    """The dry run of a changeset."""
    changesets.check(program_id, uuid.UUID(changeset_id))


@job(HEAVY)
def apply_changeset(program_id: int, changeset_id: str) -> None:
    """Post every line of an approved changeset, or none."""
    changesets.apply(program_id, uuid.UUID(changeset_id))


@job(HEAVY)
def undo_changeset(program_id: int, changeset_id: str) -> None:
    """Reverse every line of a changeset, or none."""
    changesets.undo(program_id, uuid.UUID(changeset_id))


@job(HEAVY)
def run_backtest(program_id: int, backtest_id: int) -> None:
    """A slice of a back-test."""
    backtests.run(program_id, backtest_id)


@job("points")
def resume_backtests() -> None:
    """Go on with back-tests whose job was lost."""
    backtests.resume()


@job(HEAVY)
def make_codes(program_id: int, code_set: str) -> None:
    """The codes of a set that are not made yet."""
    codes.make(program_id, code_set)


@job("points")
def resume_code_sets() -> None:
    """Go on with sets of codes whose job was lost."""
    codes.resume()
