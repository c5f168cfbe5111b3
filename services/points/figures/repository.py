"""Every SQL statement over the rollup. What it has not folded yet is added at reading: readers see every entry at once.

The rollup stands for exactly those entries whose facts lie behind this service's cursor in its own feed; whatever lies
ahead of it, a moment's worth, is summed on the spot. Both are read in one snapshot.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import RowMapping, delete, text
from sqlmodel import Session

from common import arrays
from common.feed import Page
from common.feed.own import ahead, own_cursor, take_page
from services.points.database import feed
from services.points.figures.domain import Sum
from services.points.figures.models import daily_figures
from services.points.ledger.domain import Kind

#: Under this name the rollup's cursor in our own feed is kept.
_READER = "figures"
Pointer = tuple[int, int, int, int]

_KEY = "program_id, asset_id, day, kind, by_hand"
# Staff's adjustments name their reason; the day is the business day of the program's zone as it is now.
_SUMS = """
SELECT e.program_id, e.asset_id, (e.at AT TIME ZONE coalesce(g.time_zone, 'UTC'))::date AS day, e.kind,
       coalesce(jsonb_exists(e.meta, 'reason_code'), false) AS by_hand,
       coalesce(sum(e.amount) FILTER (WHERE e.amount > 0), 0)::bigint AS credited,
       coalesce(-sum(e.amount) FILTER (WHERE e.amount < 0), 0)::bigint AS debited,
       sum(e.held_delta)::bigint AS held, count(*) AS entries
  FROM {0}
  JOIN points_entries e ON (e.program_id, e.member_id, e.asset_id, e.seq) = ({1})
  LEFT JOIN points_programs g ON g.program_id = e.program_id
 GROUP BY 1, 2, 3, 4, 5"""

_OF_OUTBOX = _SUMS.format("points_outbox o", "o.program_id, o.member_id, o.pointer[1]::smallint, o.pointer[2]").replace(
    " GROUP BY", " WHERE o.topic = 'ledger.entry' AND {0}\n GROUP BY"
)
_OF_POINTERS = _SUMS.format(
    "unnest(CAST(:p AS int[]), CAST(:m AS bigint[]), CAST(:s AS smallint[]), CAST(:q AS bigint[])) AS k(p, m, s, q)",
    "k.p, k.m, k.s, k.q",
)
_INSERT = f"INSERT INTO points_daily_figures ({_KEY}, credited, debited, held, entries)"
_ADD = f"""{_INSERT} {_OF_POINTERS} ORDER BY 1, 2, 3, 4, 5
    ON CONFLICT ({_KEY}) DO UPDATE SET credited = points_daily_figures.credited + excluded.credited,
       debited = points_daily_figures.debited + excluded.debited, held = points_daily_figures.held + excluded.held,
       entries = points_daily_figures.entries + excluded.entries"""


def next_facts(session: Session, topics: Sequence[str], *, limit: int) -> Page | None:
    """The next facts of our own feed, entries as pointers; the cursor moves with what this transaction does."""
    return take_page(session, feed, _READER, topics=topics, limit=limit, expand={"ledger.entry": _pointers})


def add_entries(session: Session, pointers: Sequence[Pointer]) -> None:
    """Fold the entries `(program, member, asset id, seq)` into the rollup."""
    if not pointers:
        return
    columns = zip(*pointers, strict=True)
    session.execute(text(_ADD), {name: arrays.numbers(column) for name, column in zip("pmsq", columns, strict=True)})


def refold(session: Session, *, program_id: int | None = None) -> int:
    """Make the rollup anew, of one program or of all, from the entries behind the cursor; returns its rows."""
    cursor = own_cursor(session, feed, _READER, lock=True)
    mine = delete(daily_figures)
    session.execute(mine if program_id is None else mine.where(daily_figures.c.program_id == program_id))
    condition, values = ahead(session, feed, cursor)
    of_program = "" if program_id is None else " AND o.program_id = :program"
    made = text(f"{_INSERT} {_OF_OUTBOX.format(f'NOT {condition}{of_program}')} RETURNING 1")
    return len(session.execute(made, {**values, "program": program_id} if of_program else values).all())


def fold_into(session: Session, table: str) -> None:
    """Fold the entries behind the cursor into an empty copy of the rollup, which a replay compares with it."""
    condition, values = ahead(session, feed, own_cursor(session, feed, _READER))
    insert = _INSERT.replace("points_daily_figures", table)
    session.execute(text(f"{insert} {_OF_OUTBOX.format(f'NOT {condition}')}"), values)


def unlimited(session: Session) -> None:
    """Let this transaction's statements take their time: they go over the whole journal."""
    session.execute(text("SET LOCAL statement_timeout = 0"))


def sums(session: Session, program_id: int, asset_id: int | None = None) -> list[tuple[int, Sum]]:
    """`(asset id, sum)` of every asset, day and kind of the program: the rollup and what lies ahead of it."""
    condition, values = ahead(session, feed, own_cursor(session, feed, _READER))
    of_asset = "" if asset_id is None else " AND asset_id = :asset"
    ahead_of = f"{condition} AND o.program_id = :program" + of_asset.replace("asset_id", "o.pointer[1]")
    found = text(f"""
      SELECT asset_id, day, kind, by_hand, sum(credited)::bigint, sum(debited)::bigint, sum(held)::bigint FROM (
        SELECT asset_id, day, kind, by_hand, credited, debited, held FROM points_daily_figures
         WHERE program_id = :program{of_asset}
        UNION ALL
        SELECT asset_id, day, kind, by_hand, credited, debited, held FROM ({_OF_OUTBOX.format(ahead_of)}) n) f
       GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4""")  # noqa: S608 - our own words only
    given = {**values, "program": program_id, **({} if asset_id is None else {"asset": asset_id})}
    return [(row[0], Sum(row[1], Kind(row[2]), *row[3:])) for row in session.execute(found, given)]


def balances(session: Session, program_id: int) -> dict[int, tuple[int, int]]:
    """By asset id: what members own (Σ balance + debt) and what they owe (Σ debt)."""
    found = text(
        "SELECT asset_id, sum(balance + debt)::bigint, sum(debt)::bigint FROM points_accounts"
        " WHERE program_id = :program GROUP BY asset_id"
    )
    return {row[0]: (row[1], row[2]) for row in session.execute(found, {"program": program_id})}


def digest(session: Session) -> str:
    """A fingerprint of the whole rollup, row by row."""
    row_texts = f"string_agg(f::text, E'\\n' ORDER BY {_KEY})"
    rows = f"SELECT md5(coalesce({row_texts}, '')) FROM points_daily_figures f"  # noqa: S608 - our own words only
    return str(session.execute(text(rows)).scalar_one())


def differences(session: Session) -> tuple[int, list[Any]]:
    """How many rows the rollup should have, and those whose row is not what the entries behind the cursor say."""
    condition, values = ahead(session, feed, own_cursor(session, feed, _READER))
    compared = text(f"""
      SELECT {_KEY}, (t.credited, t.debited, t.held, t.entries)
             IS DISTINCT FROM (f.credited, f.debited, f.held, f.entries) AS wrong
        FROM ({_OF_OUTBOX.format(f"NOT {condition}")}) t FULL JOIN points_daily_figures f USING ({_KEY})""")  # noqa: S608 - our own words only
    rows = session.execute(compared, values).all()
    return len(rows), [row for row in rows if row.wrong]


def imbalances(session: Session) -> tuple[int, list[Any]]:
    """How many assets there are, and those of which members' balances are not the sum of all entries."""
    condition, values = ahead(session, feed, own_cursor(session, feed, _READER))
    compared = text(f"""
      SELECT program_id, asset_id, coalesce(a.balance, 0) AS balance, coalesce(f.amount, 0) AS amount
        FROM (SELECT program_id, asset_id, sum(balance) AS balance FROM points_accounts GROUP BY 1, 2) a
        FULL JOIN (SELECT program_id, asset_id, sum(credited - debited) AS amount FROM (
             SELECT program_id, asset_id, credited, debited FROM points_daily_figures
              UNION ALL SELECT program_id, asset_id, credited, debited FROM ({_OF_OUTBOX.format(condition)}) n) u
             GROUP BY 1, 2) f USING (program_id, asset_id) ORDER BY 1, 2""")  # noqa: S608 - our own words only
    rows = session.execute(compared, values).all()
    return len(rows), [row for row in rows if row.balance != row.amount]


def _pointers(_: Session, rows: Sequence[RowMapping]) -> list[dict[str, Any]]:
    return [{"asset_id": row["pointer"][0], "seq": row["pointer"][1]} for row in rows]
