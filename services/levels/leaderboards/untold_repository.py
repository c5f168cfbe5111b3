"""The SQL over what Valkey is still to be told: a row names the scores that a page of facts changed."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Date,
    Integer,
    TableValuedAlias,
    Text,
    and_,
    delete,
    func,
    select,
    text,
    true,
)
from sqlmodel import Session

from common.arrays import values_of
from services.levels.leaderboards import repository
from services.levels.leaderboards.domain import RankedSet, Score
from services.levels.leaderboards.models import scores, untold

_KEY = ("program_id", "member_id", "metric", "period", "starts_on")
#: Pages looked at to find those that are told next.
_PAGES = 100
_TOUCH = text(
    "WITH touched AS (UPDATE levels_board_scores SET version = version + 1 WHERE program_id = :p AND member_id = :m"
    "  RETURNING program_id, member_id, metric, period, starts_on)"
    " INSERT INTO levels_board_untold (program_ids, member_ids, metrics, periods, starts)"
    " SELECT array_agg(program_id), array_agg(member_id), array_agg(metric), array_agg(period), array_agg(starts_on)"
    "  FROM touched HAVING count(*) > 0"
)


def touch_scores(session: Session, program_id: int, member_id: int) -> None:
    """Have all of a member's scores shown anew."""
    session.execute(_TOUCH, {"p": program_id, "m": member_id})


def list_untold(session: Session, scores_at_once: int) -> tuple[list[int], bool]:
    """The ids of the oldest pages of changes that Valkey has not been told of, and whether there are more.

    At least one page, and further ones until they name so many scores.
    """
    found: list[int] = []
    sizes = 0
    oldest = select(untold.c.id, func.cardinality(untold.c.member_ids)).order_by(untold.c.id)
    for page, size in session.execute(oldest.limit(_PAGES)):
        if sizes >= scores_at_once:
            return found, True
        found.append(page)
        sizes += size
    return found, len(found) == _PAGES


def list_changed_sets(session: Session, pages: Sequence[int]) -> list[RankedSet]:
    """The rankings in which these pages name scores."""
    named = _named()
    c = named.c
    sets = select(c.program_id, c.metric, c.period, c.starts_on).select_from(untold.join(named, true()))
    return [RankedSet(*row) for row in session.execute(sets.where(untold.c.id.in_(pages)).distinct())]


def list_changed(session: Session, pages: Sequence[int], sets: Sequence[RankedSet]) -> list[Score]:
    """The scores that these pages name in the sets, each once, as they are to be shown by now."""
    named, asked = _named(), _values(sets)
    every = [named.c[name] for name in _KEY]
    wanted = untold.join(named, true()).join(asked, _same(named.c, asked.c))
    keys = select(*every).select_from(wanted).where(untold.c.id.in_(pages)).distinct().subquery()
    mine = and_(_same(scores.c, keys.c), scores.c.member_id == keys.c.member_id)
    return [repository.score_of(row) for row in session.execute(repository.shown_scores().join(keys, mine))]


def delete_untold(session: Session, pages: Sequence[int]) -> None:
    """Valkey knows these."""
    session.execute(delete(untold).where(untold.c.id.in_(pages)))


def _named() -> TableValuedAlias:
    """What a page names, a row a score."""
    u = untold.c
    return func.unnest(u.program_ids, u.member_ids, u.metrics, u.periods, u.starts).table_valued(*_KEY).render_derived()


def _values(sets: Sequence[RankedSet]) -> TableValuedAlias:
    return values_of(
        program_id=(Integer, [one.program_id for one in sets]),
        metric=(Text, [one.metric for one in sets]),
        period=(Text, [one.period for one in sets]),
        starts_on=(Date, [one.starts_on for one in sets]),
    )


def _same(one: Any, other: Any) -> ColumnElement[bool]:
    """Both are of the same ranking."""
    return and_(*(one[name] == other[name] for name in ("program_id", "metric", "period", "starts_on")))
