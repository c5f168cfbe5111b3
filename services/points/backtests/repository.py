"""Every SQL statement over back-tests."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, func, insert, or_, select, text, update
from sqlmodel import Session

from common import arrays
from services.points.backtests.domain import DEAD_AFTER, Cursor, State, UnknownBacktest
from services.points.backtests.models import backtests, members

#: Everything but what only the run needs.
_SHOWN = [column for column in backtests.c if column.name not in ("live", "candidate", "memory", "result")]
_UNFINISHED = backtests.c.state.in_([State.QUEUED, State.RUNNING])


def add_backtest(session: Session, values: dict[str, Any]) -> int:
    """Write a new one; returns its id."""
    return int(session.execute(insert(backtests).values(values).returning(backtests.c.id)).scalar_one())


def count_unfinished(session: Session, program_id: int) -> int:
    """How many wait or run."""
    mine = select(func.count()).where(backtests.c.program_id == program_id, _UNFINISHED)
    return int(session.execute(mine).scalar_one())


def get_backtest(session: Session, program_id: int, backtest_id: int, *, lock: bool = False) -> Row[Any]:
    """The back-test with its result; raises `UnknownBacktest`."""
    wanted = select(*_SHOWN, backtests.c.result).where(*_this(program_id, backtest_id))
    row = session.execute(wanted.with_for_update() if lock else wanted).one_or_none()
    if row is None:
        raise UnknownBacktest(backtest=backtest_id)
    return row


def list_backtests(session: Session, program_id: int, *, before: int | None, limit: int) -> Sequence[Row[Any]]:
    """The newest first, from below the id `before` on."""
    mine: Select[Any] = select(*_SHOWN).where(backtests.c.program_id == program_id)
    if before is not None:
        mine = mine.where(backtests.c.id < before)
    return session.execute(mine.order_by(backtests.c.id.desc()).limit(limit)).all()


def list_results(session: Session) -> Iterator[Row[Any]]:
    """Every result with what was asked, of all programs."""
    done = select(
        backtests.c.id,
        backtests.c.program_id,
        backtests.c.since,
        backtests.c.until,
        backtests.c.live,
        backtests.c.candidate,
        backtests.c.result,
    ).where(backtests.c.state == State.DONE)
    yield from session.execute(done.execution_options(yield_per=100))


def claim_backtest(session: Session, program_id: int, backtest_id: int) -> Row[Any] | None:
    """The unfinished back-test with its sets and memory, locked for this slice; None when another worker has it."""
    wanted = select(backtests).where(*_this(program_id, backtest_id), _UNFINISHED)
    return session.execute(wanted.with_for_update(skip_locked=True)).one_or_none()


def list_stalled(session: Session, *, now: datetime) -> Sequence[Row[Any]]:
    """Those that wait, or whose heart has not beaten for a minute: `program_id`, `id`."""
    stalled = or_(backtests.c.state == State.QUEUED, backtests.c.beat_at < now - DEAD_AFTER)
    return session.execute(
        select(backtests.c.program_id, backtests.c.id).where(_UNFINISHED, stalled).order_by(backtests.c.id)
    ).all()


def mark_begun(session: Session, program_id: int, backtest_id: int, *, events_all: int | None) -> None:
    """A worker takes it up for a slice; with `events_all` for the first time."""
    values: dict[str, Any] = {"state": State.RUNNING, "runs": backtests.c.runs + 1, "beat_at": func.clock_timestamp()}
    if events_all is not None:
        values["events_all"] = events_all
    session.execute(update(backtests).where(*_this(program_id, backtest_id)).values(values))


def mark_slice(
    session: Session, program_id: int, backtest_id: int, *, cursor: Cursor, done: int, worked_ms: int, memory: bytes
) -> None:
    """A slice is through: `done` more events, the last of them `cursor`."""
    session.execute(
        update(backtests)
        .where(*_this(program_id, backtest_id))
        .values(
            cursor_time=cursor.time,
            cursor_source=cursor.source,
            cursor_id=cursor.id,
            # Events that were taken in with an earlier time after the count are replayed too.
            events_all=func.greatest(backtests.c.events_all, backtests.c.events_done + done),
            events_done=backtests.c.events_done + done,
            worked_ms=backtests.c.worked_ms + worked_ms,
            memory=memory,
            runs=0,
            beat_at=func.clock_timestamp(),
        )
    )


def mark_ended(
    session: Session,
    program_id: int,
    backtest_id: int,
    *,
    state: State,
    result: dict[str, Any] | None = None,
    failure: str | None = None,
) -> None:
    """It ends, for ever; what only the run needed goes."""
    ended = {"state": state, "result": result, "failure": failure, "memory": None, "ended_at": func.clock_timestamp()}
    session.execute(update(backtests).where(*_this(program_id, backtest_id)).values(ended))


def add_amounts(
    session: Session, program_id: int, backtest_id: int, amounts: Mapping[tuple[int, str], Sequence[int]]
) -> None:
    """Add what members of `(member_id, asset)` got under either set meanwhile: `[now, candidate]`."""
    session.execute(
        text(
            "INSERT INTO points_backtest_members (program_id, member_id, backtest_id, asset, now, candidate)"
            " SELECT :p, m, :b, a, n, c FROM unnest(CAST(:m AS bigint[]), CAST(:a AS text[]), CAST(:n AS bigint[]),"
            " CAST(:c AS bigint[])) AS k(m, a, n, c) ORDER BY m, a"
            " ON CONFLICT (program_id, member_id, backtest_id, asset) DO UPDATE SET"
            " now = points_backtest_members.now + excluded.now,"
            " candidate = points_backtest_members.candidate + excluded.candidate"
        ),
        {
            "p": program_id,
            "b": backtest_id,
            "m": arrays.numbers(member_id for member_id, _ in amounts),
            "a": arrays.texts(asset for _, asset in amounts),
            "n": arrays.numbers(now for now, _ in amounts.values()),
            "c": arrays.numbers(candidate for _, candidate in amounts.values()),
        },
    )


def sum_members(session: Session, program_id: int, backtest_id: int) -> Sequence[Row[Any]]:
    """By asset: how many members gain, lose and stay the same."""
    change = members.c.candidate - members.c.now
    counted = (
        select(
            members.c.asset,
            func.count().filter(change > 0).label("gaining"),
            func.count().filter(change < 0).label("losing"),
            func.count().filter(change == 0).label("same"),
        )
        .where(*_theirs(program_id, backtest_id))
        .group_by(members.c.asset)
        .order_by(members.c.asset)
    )
    return session.execute(counted).all()


def list_changes(session: Session, program_id: int, backtest_id: int, *, limit: int) -> Sequence[Row[Any]]:
    """The largest changes first: `member_id`, `asset`, `now`, `candidate`, `difference`."""
    change = members.c.candidate - members.c.now
    mine = select(
        members.c.member_id, members.c.asset, members.c.now, members.c.candidate, change.label("difference")
    ).where(*_theirs(program_id, backtest_id), change != 0)
    largest = mine.order_by(func.abs(change).desc(), members.c.member_id, members.c.asset)
    return session.execute(largest.limit(limit)).all()


def drop_small_changes(session: Session, program_id: int, backtest_id: int, *, keep: int) -> None:
    """Keep the largest changes only."""
    session.execute(
        text(
            # NOT IN is looked up in a hash; NOT EXISTS over a LIMIT would go through all that are kept for each.
            "DELETE FROM points_backtest_members m WHERE m.program_id = :p AND m.backtest_id = :b"
            " AND (m.member_id, m.asset) NOT IN (SELECT k.member_id, k.asset FROM points_backtest_members k"
            " WHERE k.program_id = :p AND k.backtest_id = :b AND k.candidate <> k.now"
            " ORDER BY abs(k.candidate - k.now) DESC, k.member_id, k.asset LIMIT :keep)"
        ),
        {"p": program_id, "b": backtest_id, "keep": keep},
    )


def _this(program_id: int, backtest_id: int) -> tuple[Any, ...]:
    return backtests.c.program_id == program_id, backtests.c.id == backtest_id


def _theirs(program_id: int, backtest_id: int) -> tuple[Any, ...]:
    return members.c.program_id == program_id, members.c.backtest_id == backtest_id
