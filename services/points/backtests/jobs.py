"""Replaying in the background: slices short enough for other heavy jobs to get their turn between them."""

from time import monotonic

from common.clock import now
from services.points import wakeups
from services.points.backtests import use_cases
from services.points.database import transaction

_SLICE_SECONDS = 2.0


def run(program_id: int, backtest_id: int) -> None:
    """One slice, and the next one is asked for; a worker that dies loses this slice only."""
    with transaction() as session:
        begun = use_cases.take_up(session, program_id=program_id, backtest_id=backtest_id)
    if not begun:
        return
    with transaction() as session:
        more = use_cases.replay_slice(
            session, program_id=program_id, backtest_id=backtest_id, seconds=_SLICE_SECONDS, ticks=monotonic
        )
        if more:
            wakeups.ask(session, "run_backtest", program_id, backtest_id)


def resume() -> None:
    """Ask again for those whose job was lost."""
    with transaction() as session:
        for program_id, backtest_id in use_cases.list_stalled(session, now=now()):
            wakeups.ask(session, "run_backtest", program_id, backtest_id)
