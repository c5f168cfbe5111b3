"""A back-test as a value: which time, which rules against which, how far it has come. Pure.

Recorded events run in the order of their time through two sets of rules: `live` (what decides now) and `candidate` (the
same with drafts in place and some rules left out). Nothing of members changes; what would be awarded is only counted.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from common.clock import business_day, day_start
from common.errors import Refusal

#: So many may wait or run at a time in a program; more would only make each other slow.
MOST_UNFINISHED = 3
#: A run whose heart has not beaten for this long was killed; another worker goes on from its last slice.
DEAD_AFTER = timedelta(seconds=60)
#: After so many deaths a back-test is given up: something about it kills its worker.
MOST_RUNS = 5


class State(StrEnum):
    """Where a back-test stands; the last three are for ever."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


ENDED = (State.DONE, State.FAILED, State.CANCELLED)


class UnknownBacktest(Refusal):
    """There is no such back-test: `backtest`."""

    code = "backtest_not_found"


class BacktestEnded(Refusal):
    """It has come to its end already: `backtest`, `state`."""

    code = "backtest_ended"


class TooManyBacktests(Refusal):
    """So many wait or run already: `most`."""

    code = "too_many_backtests"


class TooMuchToRemember(Exception):
    """The run would need more memory than it may take; the back-test ends as failed and says this."""


@dataclass(frozen=True, slots=True)
class Window:
    """The events of `since` ≤ time < `until`; earlier ones from `warm_since` on only fill caps and are not counted."""

    since: datetime
    until: datetime
    warm_since: datetime


@dataclass(frozen=True, slots=True)
class Cursor:
    """The event that was replayed last: its time, source and id."""

    time: datetime
    source: str
    id: str


def last_days(days: int, *, now: datetime, time_zone: str) -> tuple[datetime, datetime]:
    """The last `days` business days, today's beginning among them, until now."""
    first = business_day(now, time_zone) - timedelta(days=days - 1)
    return day_start(first, time_zone), now


def window(
    since: datetime, until: datetime, *, cap_periods: Iterable[str], time_zone: str, cooldown_hours: int = 0
) -> Window:
    """The window with its warm-up: caps of a day, week or month begin with that calendar period, not at `since`.

    Cool-downs look back as far as they last. Totals and budgets begin with the first replayed event.
    """
    first = business_day(since, time_zone)
    starts = {
        "day": first,
        "week": first - timedelta(days=first.weekday()),
        "month": first.replace(day=1),
    }
    begun = [day_start(starts[period], time_zone) for period in cap_periods if period in starts]
    return Window(since, until, min([*begun, since - timedelta(hours=cooldown_hours)]))


def beginning(window: Window) -> Cursor:
    """The cursor before any event of the window."""
    return Cursor(window.warm_since.astimezone(UTC), "", "")
