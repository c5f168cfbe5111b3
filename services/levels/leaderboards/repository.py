"""The SQL that reads rankings, and keeps boards, settlements and what Valkey still has to be told."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    and_,
    case,
    delete,
    exists,
    func,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import distinct_on, insert
from sqlmodel import Session

from services.levels.leaderboards.domain import Board, Placed, Prize, Rank, RankedSet, Score
from services.levels.leaderboards.models import boards, hidden, results, scores, settlements
from services.levels.reward import from_json, to_json

_FREEZE = text(
    "INSERT INTO levels_board_results (program_id, member_id, board, period, starts_on, position, score)"
    " SELECT program_id, member_id, :b, period, starts_on,"
    "  row_number() OVER (ORDER BY score DESC, reached_at, member_id), score FROM levels_board_scores s"
    " WHERE program_id = :p AND metric = :k AND period = :e AND starts_on = :d AND score > 0 AND NOT EXISTS"
    " (SELECT FROM levels_board_hidden h WHERE (h.program_id, h.member_id) = (s.program_id, s.member_id))"
)
_HIDDEN = exists().where(hidden.c.program_id == scores.c.program_id, hidden.c.member_id == scores.c.member_id)


def lock_board(session: Session, program_id: int, code: str) -> None:
    """Let one publication of a board happen at a time."""
    session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"levels board {program_id} {code}", 0))))


def find_board(session: Session, program_id: int, code: str) -> Board | None:
    """The newest version of the board, or None."""
    c = boards.c
    wanted = select(boards).where(c.program_id == program_id, c.code == code)
    row = session.execute(wanted.order_by(c.version.desc()).limit(1)).one_or_none()
    return _board(row) if row else None


def list_boards(session: Session, program_id: int) -> list[Board]:
    """The newest version of each board of the program."""
    c = boards.c
    newest = (
        select(boards).ext(distinct_on(c.code)).where(c.program_id == program_id).order_by(c.code, c.version.desc())
    )
    return [_board(row) for row in session.execute(newest)]


def list_openings(session: Session) -> list[tuple[int, Board, dict[str, datetime]]]:
    """Every program's boards as they stand, each with the instant from which it has run over each of its periods."""
    c = boards.c
    found: dict[tuple[int, str], tuple[Board, dict[str, datetime]]] = {}
    opened: dict[tuple[int, str], dict[str, datetime]] = defaultdict(dict)
    for row in session.execute(select(boards).order_by(c.program_id, c.code, c.version)):
        key, board = (row.program_id, row.code), _board(row)
        for period in board.periods:
            opened[key].setdefault(period, row.published_at)
        found[key] = (board, opened[key])
    return [(program_id, board, begun) for (program_id, _), (board, begun) in found.items()]


def last_settled(session: Session) -> dict[tuple[int, str, str], date]:
    """The newest settled start per `(program_id, board, period)`."""
    c = settlements.c
    newest = select(c.program_id, c.board, c.period, func.max(c.starts_on)).group_by(c.program_id, c.board, c.period)
    return {(row[0], row[1], row[2]): row[3] for row in session.execute(newest)}


def add_board(session: Session, program_id: int, board: Board, *, by: str, now: datetime) -> None:
    """Insert a version."""
    terms = {
        "name_en": board.name_en,
        "name_zh": board.name_zh,
        "metric": board.metric,
        "periods": list(board.periods),
        "prizes": {
            period: [{"first": one.first, "last": one.last, "reward": to_json(one.reward)} for one in prizes]
            for period, prizes in board.prizes.items()
        },
    }
    key = {"program_id": program_id, "code": board.code, "version": board.version}
    session.execute(insert(boards).values(**key, published_at=now, published_by=by, terms=terms))


def list_top(session: Session, ranked: RankedSet, limit: int) -> list[Placed]:
    """The first places, from PostgreSQL."""
    c = scores.c
    best = select(c.member_id, c.score).where(_ranked(ranked)).order_by(c.score.desc(), c.reached_at, c.member_id)
    rows = session.execute(best.limit(limit))
    return [Placed(place, row.member_id, row.score) for place, row in enumerate(rows, start=1)]


def find_rank(session: Session, ranked: RankedSet, member_id: int) -> Rank:
    """A member's place, from PostgreSQL; no rank with no score or when hidden."""
    c = scores.c
    mine = session.execute(
        select(c.score, c.reached_at, _HIDDEN.label("hidden")).where(_set(ranked), c.member_id == member_id)
    ).one_or_none()
    if mine is None or mine.hidden or mine.score <= 0:
        return Rank(None, 0, None)
    ahead = or_(
        c.score > mine.score,
        and_(c.score == mine.score, c.reached_at < mine.reached_at),
        and_(c.score == mine.score, c.reached_at == mine.reached_at, c.member_id < member_id),
    )
    row = session.execute(select(func.count(), func.min(c.score)).where(_ranked(ranked), ahead)).one()
    return Rank(row[0] + 1, mine.score, None if row[1] is None else row[1] - mine.score)


def stream_scores(session: Session, ranked: RankedSet, chunk: int) -> Iterator[list[Score]]:
    """All scores of a ranking as they are to be shown, in chunks, as of one instant."""
    found = session.execute(shown_scores().where(_set(ranked)), execution_options={"yield_per": chunk})
    for rows in found.partitions():
        yield [score_of(row) for row in rows]


def list_ranked_sets(session: Session) -> list[RankedSet]:
    """Every ranking that has scores."""
    c = scores.c
    kept = select(c.program_id, c.metric, c.period, c.starts_on).distinct()
    return [RankedSet(*row) for row in session.execute(kept)]


def hide(session: Session, program_id: int, member_id: int, now: datetime) -> bool:
    """Take the member out of rankings; false when that is so already."""
    row = {"program_id": program_id, "member_id": member_id, "hidden_at": now}
    added = insert(hidden).values(row).on_conflict_do_nothing().returning(hidden.c.member_id)
    return session.execute(added).one_or_none() is not None


def unhide(session: Session, program_id: int, member_id: int) -> bool:
    """Put the member back; false when that is so already."""
    gone = delete(hidden).where(hidden.c.program_id == program_id, hidden.c.member_id == member_id)
    return session.execute(gone.returning(hidden.c.member_id)).one_or_none() is not None


def add_settlement(session: Session, board: Board, ranked: RankedSet, now: datetime) -> bool:
    """Close a period of a board; false when it is closed already."""
    row = {"program_id": ranked.program_id, "board": board.code, "period": ranked.period, "starts_on": ranked.starts_on}
    closing = insert(settlements).values(**row, version=board.version, closed_at=now, winners=0)
    return session.execute(closing.on_conflict_do_nothing().returning(settlements.c.board)).one_or_none() is not None


def freeze(session: Session, board: Board, ranked: RankedSet) -> None:
    """Copy the ranking as it stands into the board's results."""
    values = {"p": ranked.program_id, "b": board.code, "k": ranked.metric, "e": ranked.period, "d": ranked.starts_on}
    session.execute(_FREEZE, values)


def count_winners(session: Session, board: Board, ranked: RankedSet, winners: int) -> None:
    """Note how many members were rewarded."""
    mine = update(settlements).where(_settled(board, ranked, settlements))
    session.execute(mine.values(winners=winners))


def find_closing(session: Session, board: Board, ranked: RankedSet) -> datetime | None:
    """When this period of the board was closed, or None."""
    return session.execute(select(settlements.c.closed_at).where(_settled(board, ranked, settlements))).scalar()


def list_results(session: Session, board: Board, ranked: RankedSet, limit: int) -> list[Placed]:
    """The first frozen places."""
    c = results.c
    best = select(c.position, c.member_id, c.score).where(_settled(board, ranked, results)).order_by(c.position)
    return [Placed(*row) for row in session.execute(best.limit(limit))]


def find_result(session: Session, board: Board, ranked: RankedSet, member_id: int) -> Rank:
    """A member's frozen place."""
    c = results.c
    mine = select(c.position, c.score).where(_settled(board, ranked, results), c.member_id == member_id)
    row = session.execute(mine).one_or_none()
    if row is None:
        return Rank(None, 0, None)
    better = select(c.score).where(_settled(board, ranked, results), c.position == row.position - 1)
    ahead = session.execute(better).scalar_one_or_none()
    return Rank(row.position, row.score, None if ahead is None else ahead - row.score)


def _set(ranked: RankedSet) -> ColumnElement[bool]:
    c = scores.c
    return and_(
        c.program_id == ranked.program_id,
        c.metric == ranked.metric,
        c.period == ranked.period,
        c.starts_on == ranked.starts_on,
    )


def _ranked(ranked: RankedSet) -> ColumnElement[bool]:
    return and_(_set(ranked), scores.c.score > 0, ~_HIDDEN)


def _settled(board: Board, ranked: RankedSet, table: Any) -> ColumnElement[bool]:
    c = table.c
    return and_(
        c.program_id == ranked.program_id,
        c.board == board.code,
        c.period == ranked.period,
        c.starts_on == ranked.starts_on,
    )


def shown_scores() -> Any:
    """Scores as they are to be shown: 0 for members who are hidden, so that they leave the sorted set."""
    c = scores.c
    score = case((_HIDDEN, 0), else_=func.greatest(c.score, 0)).label("score")
    return select(c.program_id, c.metric, c.period, c.starts_on, c.member_id, score, c.reached_at, c.version)


def score_of(row: Any) -> Score:
    """A row of `shown_scores`."""
    ranked = RankedSet(row.program_id, row.metric, row.period, row.starts_on)
    return Score(ranked, row.member_id, row.score, row.reached_at, row.version)


def _board(row: Any) -> Board:
    terms = row.terms
    prizes = {
        period: tuple(Prize(one["first"], one["last"], from_json(one["reward"])) for one in ranges)
        for period, ranges in terms["prizes"].items()
    }
    periods = tuple(terms["periods"])
    return Board(row.code, row.version, terms["name_en"], terms["name_zh"], terms["metric"], periods, prizes)
