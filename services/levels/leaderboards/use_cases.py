"""Setting up boards, counting what happens, showing who leads, and closing periods."""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import TypeVar

import structlog
from redis.exceptions import RedisError
from sqlmodel import Session

from common.clock import business_day
from common.database import Database
from common.queue import enqueue_once
from services.levels import wakeups
from services.levels.badges import use_cases as badges
from services.levels.leaderboards import domain, projection, repository, scores_repository, untold_repository
from services.levels.leaderboards.domain import (
    BUILT_IN,
    Board,
    Earned,
    Gain,
    Paid,
    PeriodNotKept,
    Placed,
    Rank,
    RankedSet,
    Refunded,
    Score,
    Shown,
    UnknownBoard,
)
from services.levels.programs import use_cases as programs
from services.levels.reward import badges_of
from services.levels.rewards import use_cases as rewards

log = structlog.get_logger()
T = TypeVar("T")
_CHUNK = 5_000
#: Scores told to Valkey by one job, with the rest of a page: tens of milliseconds, for feeds wait in the same queue.
_TOLD_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class View:
    """A board over one period, as somebody looks at it. `closed_at`: since then it is frozen."""

    board: Board
    ranked: RankedSet
    closed_at: datetime | None


def publish_board(session: Session, *, program_id: int, board: Board, by: str, now: datetime) -> Board:
    """Publish the next version of a board. Raises `BadPrizes`, `UnknownBadge`."""
    domain.check_board(board)
    promised = [prize.reward for prizes in board.prizes.values() for prize in prizes]
    badges.require(session, program_id=program_id, codes=badges_of(promised))
    repository.lock_board(session, program_id, board.code)
    earlier = repository.find_board(session, program_id, board.code)
    board = replace(board, version=earlier.version + 1 if earlier else 1)
    repository.add_board(session, program_id, board, by=by, now=now)
    return board


def list_boards(session: Session, *, program_id: int) -> list[Board]:
    """The boards of the program: those it published, and of the built-in ones those it did not."""
    own = {board.code: board for board in repository.list_boards(session, program_id)}
    return sorted(({board.code: board for board in BUILT_IN} | own).values(), key=lambda board: board.code)


def count_paid(session: Session, orders: Sequence[Paid]) -> None:
    """Orders count, once per order id, in the periods of their business time."""
    zones = programs.time_zones(session, [order.program_id for order in orders])
    dated = [(order, business_day(order.at, zones[order.program_id])) for order in orders]
    _gain(session, scores_repository.add_orders(session, dated))


def count_refunded(session: Session, refunds: Sequence[Refunded]) -> None:
    """Refunds are taken off where their order counted, once per refund id, whichever comes first (T30)."""
    _gain(session, scores_repository.add_refunds(session, refunds))


def count_earned(session: Session, earned: Sequence[Earned]) -> None:
    """Points earned count on the day of their entry, once per entry."""
    zones = programs.time_zones(session, [one.program_id for one in earned])
    _gain(
        session,
        [
            Gain(
                one.program_id,
                one.member_id,
                "points_earned",
                business_day(one.at, zones[one.program_id]),
                one.amount,
                one.at,
            )
            for one in scores_repository.take_new_earnings(session, earned)
        ],
    )


def open_view(session: Session, *, program_id: int, code: str, period: str, on: date | None, now: datetime) -> View:
    """The board over the period in which `on` (today when not named) falls. Raises `UnknownBoard`, `PeriodNotKept`."""
    found = [board for board in list_boards(session, program_id=program_id) if board.code == code]
    if not found:
        raise UnknownBoard(board=code)
    board = found[0]
    if period not in board.periods:
        raise PeriodNotKept(board=code, period=period)
    day = on or programs.today(session, program_id, now)
    ranked = RankedSet(program_id, board.metric, period, domain.starts_on(period, day))
    return View(board, ranked, repository.find_closing(session, board, ranked))


def shown_top(view: View, limit: int) -> Shown[list[Placed]] | None:
    """The first places from Valkey; None when it cannot tell (then it is asked to learn). No transaction is open."""
    return _shown(view, lambda: projection.find_top(view.ranked, limit))


def shown_rank(view: View, member_id: int) -> Shown[Rank] | None:
    """A member's place from Valkey; None when it cannot tell (then it is asked to learn). No transaction is open."""
    return _shown(view, lambda: projection.find_rank(view.ranked, member_id))


def top(session: Session, view: View, limit: int) -> Shown[list[Placed]]:
    """The first places from PostgreSQL: frozen when closed, else as they stand."""
    if view.closed_at:
        return Shown(repository.list_results(session, view.board, view.ranked, limit), view.closed_at)
    return Shown(repository.list_top(session, view.ranked, limit), programs.points_applied_at(session))


def rank(session: Session, view: View, member_id: int) -> Shown[Rank]:
    """A member's place from PostgreSQL: frozen when closed, else as it stands."""
    if view.closed_at:
        return Shown(repository.find_result(session, view.board, view.ranked, member_id), view.closed_at)
    return Shown(repository.find_rank(session, view.ranked, member_id), programs.points_applied_at(session))


def set_visibility(session: Session, *, program_id: int, member_id: int, visible: bool, now: datetime) -> None:
    """Take the member out of every ranking that is not frozen, or put them back (R3, opt-out)."""
    if visible:
        changed = repository.unhide(session, program_id, member_id)
    else:
        changed = repository.hide(session, program_id, member_id, now)
    if changed:
        untold_repository.touch_scores(session, program_id, member_id)
        wakeups.ask(session, "refresh_boards")


def refresh(database: Database) -> bool:
    """Tell Valkey of some changes it does not know yet; returns whether there may be more. Raises `RedisError`.

    A set that is not there is not told: whoever begins to build it later reads what we could have told.
    """
    with database.transaction() as session:
        pages, more = untold_repository.list_untold(session, _TOLD_AT_ONCE)
        sets = untold_repository.list_changed_sets(session, pages)
    if sets := projection.kept(sets):
        with database.transaction() as session:
            changed = untold_repository.list_changed(session, pages, sets)
            as_of = programs.points_applied_at(session)
        projection.push(changed, as_of)
    if pages:
        with database.transaction() as session:
            untold_repository.delete_untold(session, pages)
    return more


def rebuild(database: Database, ranked: RankedSet) -> bool:
    """Build one sorted set anew; false when Valkey was flushed, or another build began, meanwhile."""
    token = uuid.uuid4().hex
    projection.begin(ranked, token)
    # What changes from here on is told by `refresh`; whichever comes second, the newer version of a score stays.
    with database.transaction() as session:
        as_of = programs.points_applied_at(session)
        for chunk in repository.stream_scores(session, ranked, _CHUNK):
            projection.push(chunk, as_of)
    return projection.finish(ranked, token, as_of)


def rebuild_all(database: Database) -> int:
    """Build every sorted set anew; returns how many."""
    with database.transaction() as session:
        kept = repository.list_ranked_sets(session)
    return sum(rebuild(database, ranked) for ranked in kept)


def due_closings(session: Session, *, until: datetime) -> list[tuple[Board, RankedSet]]:
    """The periods of published boards that have ended by `until` and are not settled; `all` never ends."""
    openings = repository.list_openings(session)
    settled = repository.last_settled(session)
    zones = programs.time_zones(session, [program_id for program_id, _, _ in openings])
    return [
        (board, RankedSet(program_id, board.metric, period, start))
        for program_id, board, opened in openings
        for period in board.periods
        for start in domain.closed(
            period,
            after=settled.get((program_id, board.code, period)),
            opened=opened[period],
            until=until,
            time_zone=zones[program_id],
        )
    ]


def close_period(session: Session, board: Board, ranked: RankedSet, *, now: datetime) -> bool:
    """Freeze a period's ranking and hand out its prizes, once; false when that is done already."""
    if not repository.add_settlement(session, board, ranked, now):
        return False
    repository.freeze(session, board, ranked)
    last = max((prize.last for prize in board.prizes.get(ranked.period, ())), default=0)
    won = domain.prizes_won(board, ranked, repository.list_results(session, board, ranked, last), now)
    rewards.grant(session, won)
    repository.count_winners(session, board, ranked, len(won))
    return True


def _gain(session: Session, gains: Sequence[Gain]) -> None:
    added: list[Score] = domain.spread(gains)
    if added:
        scores_repository.add_scores(session, added)
        wakeups.ask(session, "refresh_boards")


def _shown(view: View, find: Callable[[], Shown[T] | None]) -> Shown[T] | None:
    if view.closed_at:
        return None
    try:
        shown = find()
        if shown is None:
            one = view.ranked
            arguments = (one.program_id, one.metric, one.period, str(one.starts_on))
            enqueue_once(wakeups.HEAVY, "services.levels.jobs.rebuild_board", *arguments, within_seconds=60)
    except RedisError as error:
        log.warning("board_not_shown", error=str(error))
        return None
    return shown
