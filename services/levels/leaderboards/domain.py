"""The rules of leaderboards: periods, ranking, prizes by position, and how a place is written in a sorted set."""

import calendar
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Generic, TypeVar

from common.clock import business_day, day_end
from common.errors import Refusal
from services.levels.reward import Grant, Reward

T = TypeVar("T")

#: `spend`: net paid 分 of orders, refunds taken off where the order counted.
#: `points_earned`: points earned, net of reversals.
METRICS = ("spend", "points_earned")
PERIODS = ("day", "week", "month", "all")
#: The one start of the period that never ends.
_EVER = date(1970, 1, 1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECONDS = 10**17 - 1
_IDS = 10**19 - 1


class UnknownBoard(Refusal):
    """The program has no such board."""

    code = "board_not_found"


class PeriodNotKept(Refusal):
    """The board does not run over this period."""

    code = "period_not_kept"


class BadPrizes(Refusal):
    """Prize ranges overlap, are out of order, or belong to a period that the board has not or that never closes."""

    code = "bad_prizes"


@dataclass(frozen=True, slots=True)
class Prize:
    """`reward` for each position from `first` to `last`."""

    first: int
    last: int
    reward: Reward


@dataclass(frozen=True, slots=True)
class Board:
    """A published version of a board; version 0 is one every program has without setting it up: no prizes."""

    code: str
    version: int
    name_en: str
    name_zh: str
    metric: str
    periods: tuple[str, ...]
    prizes: dict[str, tuple[Prize, ...]]


BUILT_IN = (
    Board("points_earned", 0, "Points earned", "积分榜", "points_earned", PERIODS, {}),
    Board("spend", 0, "Spend", "消费榜", "spend", PERIODS, {}),
)


@dataclass(frozen=True, slots=True)
class RankedSet:
    """One ranking: a metric of a program over one period. Boards of the same metric share it."""

    program_id: int
    metric: str
    period: str
    starts_on: date


@dataclass(frozen=True, slots=True)
class Score:
    """A member's score in a ranked set. `reached_at` breaks ties, earlier first; `version` grows with each change."""

    ranked: RankedSet
    member_id: int
    score: int
    reached_at: datetime
    version: int


@dataclass(frozen=True, slots=True)
class Paid:
    """An order was paid."""

    program_id: int
    member_id: int
    order_id: str
    fen: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Refunded:
    """A part of an order was refunded."""

    program_id: int
    member_id: int
    order_id: str
    refund_id: str
    fen: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Earned:
    """Points earned (or, below zero, an earning reversed) by entry `seq` of the member's points account."""

    program_id: int
    member_id: int
    seq: int
    amount: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Gain:
    """What an event adds to a member's score on a business day, and when it happened."""

    program_id: int
    member_id: int
    metric: str
    day: date
    amount: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Rank:
    """A place in a ranking. `gap`: how far the score is behind the next better one, none for the first."""

    rank: int | None
    score: int
    gap: int | None


@dataclass(frozen=True, slots=True)
class Shown(Generic[T]):
    """An answer about a ranking, and the instant up to which facts are in it."""

    value: T
    as_of: datetime


@dataclass(frozen=True, slots=True)
class Placed:
    """A line of a ranking."""

    rank: int
    member_id: int
    score: int


def starts_on(period: str, day: date) -> date:
    """The first day of the period in which a day falls; weeks begin on Monday."""
    if period == "week":
        return day - timedelta(days=day.weekday())
    if period == "month":
        return day.replace(day=1)
    return day if period == "day" else _EVER


def ends_on(period: str, start: date) -> date | None:
    """The last day of the period that begins on `start`; none for `all`."""
    if period == "day":
        return start
    if period == "week":
        return start + timedelta(days=6)
    if period == "month":
        return start.replace(day=calendar.monthrange(start.year, start.month)[1])
    return None


def closed(period: str, *, after: date | None, opened: datetime, until: datetime, time_zone: str) -> list[date]:
    """The starts of periods that have ended by `until`: behind `after`, the last settled one, else from `opened` on."""
    start = starts_on(period, business_day(opened, time_zone))
    if after is not None:
        start = _following(period, after)
    found = []
    while (last := ends_on(period, start)) is not None and day_end(last, time_zone) <= until:
        found.append(start)
        start = _following(period, start)
    return found


def check_board(board: Board) -> None:
    """Raise `BadPrizes` unless prize ranges ascend without overlap, in periods that the board has and that close."""
    for period, prizes in board.prizes.items():
        if period not in board.periods or period == "all":
            raise BadPrizes(period=period)
        expected = 1
        for prize in prizes:
            if not expected <= prize.first <= prize.last:
                raise BadPrizes(period=period)
            expected = prize.last + 1


def prize_for(prizes: Sequence[Prize], position: int) -> Reward:
    """What a position wins; () for nothing."""
    return next((prize.reward for prize in prizes if prize.first <= position <= prize.last), ())


def prizes_won(board: Board, ranked: RankedSet, winners: Iterable[Placed], now: datetime) -> list[Grant]:
    """The grants of a closed period, one per winner."""
    name = f"{board.code}:{ranked.period}:{ranked.starts_on}"
    prizes = board.prizes.get(ranked.period, ())
    return [
        Grant(
            ranked.program_id,
            placed.member_id,
            f"levels:board:{name}:{placed.member_id}",
            reward,
            f"board:{name}",
            f"board:{board.code}:{board.version}",
            now,
        )
        for placed in winners
        if (reward := prize_for(prizes, placed.rank))
    ]


def spread(gains: Iterable[Gain]) -> list[Score]:
    """The gains summed per ranked set and member, in key order; `score` is what is to be added."""
    summed: dict[tuple[RankedSet, int], tuple[int, datetime]] = {}
    for gain in gains:
        for period in PERIODS:
            ranked = RankedSet(gain.program_id, gain.metric, period, starts_on(period, gain.day))
            amount, reached_at = summed.get((ranked, gain.member_id), (0, gain.at))
            summed[ranked, gain.member_id] = (amount + gain.amount, max(reached_at, gain.at))
    return [Score(ranked, member_id, amount, at, 1) for (ranked, member_id), (amount, at) in summed.items()]


def entry_name(score: Score) -> str:
    """A member's name inside a sorted set: among equal scores, the later in the alphabet ranks higher.

    So time and id are written inverted: who reached the score earlier ranks higher, then the older member.
    """
    reached = (score.reached_at - _EPOCH) // timedelta(microseconds=1)
    return f"{_MICROSECONDS - reached:017d}{_IDS - score.member_id:019d}"


def member_of(name: str) -> int:
    """The member whose entry has this name."""
    return _IDS - int(name[17:])


def masked(member_id: int) -> str:
    """How a member is called in public: no name, no whole id."""
    return f"***{member_id % 10_000:04d}"


def _following(period: str, start: date) -> date:
    last = ends_on(period, start)
    return start if last is None else last + timedelta(days=1)
