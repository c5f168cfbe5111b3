"""RQ entry points: pulling feeds, and the work that is due in rows. A lost job loses nothing; the cron asks again."""

from datetime import date, timedelta

from common import clock
from common.http.once import forget_keys
from common.queue import enqueue_once, job
from common.worker import pull_from
from services.levels.anniversaries import use_cases as anniversaries
from services.levels.anniversaries.domain import KINDS
from services.levels.checkins import use_cases as checkins
from services.levels.database import database, keys, transaction
from services.levels.leaderboards import use_cases as leaderboards
from services.levels.leaderboards.domain import RankedSet
from services.levels.tiers import use_cases as tiers
from services.levels.wakeups import HEAVY

#: No transaction of points lives longer (time-outs of common/database.py): a pull begun this long after an instant has
#: seen every entry made before it, so what falls due then is decided with all that was earned in time.
_SETTLED = timedelta(seconds=30)


@job("levels")
def pull_feed(source: str) -> None:
    """Apply what stands ready in a neighbour's feed."""
    _pull(source)


@job(HEAVY)
def advance_tiers() -> None:
    """Let validity windows end and new ladders come into force, with every growth entry made before."""
    until = clock.now() - _SETTLED
    _pull("points")
    while True:
        with transaction() as session:
            if not tiers.advance_due(session, until=until):
                return


@job(HEAVY)
def grant_promotions() -> None:
    """Hand out what promotions owe."""
    while True:
        with transaction() as session:
            if not tiers.grant_promotions(session):
                return


@job(HEAVY)
def grant_milestones() -> None:
    """Hand out streak milestones that are due."""
    while True:
        with transaction() as session:
            if not checkins.grant_milestones(session, now=clock.now()):
                return


@job(HEAVY)
def tell_anniversaries() -> None:
    """Tell whose birthday or day of joining it is, and was on days that nobody told: a slice a transaction."""
    at = clock.now()
    with transaction() as session:
        days = anniversaries.days_to_tell(session, now=at)
    for program_id, day in days:
        for kind in KINDS:
            after: int | None = 0
            while after is not None:
                with transaction() as session:
                    after = anniversaries.tell(session, program_id=program_id, kind=kind, day=day, after=after, now=at)
        with transaction() as session:
            anniversaries.mark_told(session, program_id=program_id, day=day, now=at)


@job(HEAVY)
def forget_old_keys() -> None:
    """Delete idempotency keys that were kept long enough."""
    forget_keys(database, keys, now=clock.now())


@job(HEAVY)
def refresh_boards() -> None:
    """Show changed scores, a slice at a time: what came into the queue meanwhile is done before the next."""
    if leaderboards.refresh(database):
        enqueue_once(HEAVY, "services.levels.jobs.refresh_boards", within_seconds=60)


@job(HEAVY)
def rebuild_board(program_id: int, metric: str, period: str, starts_on: str) -> None:
    """Build the sorted set that somebody asked for and that is not there."""
    leaderboards.rebuild(database, RankedSet(program_id, metric, period, date.fromisoformat(starts_on)))


@job(HEAVY)
def close_boards() -> None:
    """Freeze and reward the periods that have ended, with every order and entry that came before their end."""
    until = clock.now() - _SETTLED
    _pull("points")
    with transaction() as session:
        due = leaderboards.due_closings(session, until=until)
    for board, ranked in due:
        with transaction() as session:
            leaderboards.close_period(session, board, ranked, now=clock.now())


def _pull(source: str) -> None:
    from services.levels.service import service  # the service's routes import what this module imports

    pull_from(service, source)
