"""Every SQL statement over budgets."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from common import arrays
from services.points.budgets.domain import Pot, PotKey, Slot, parts

_PICKED = """
  FROM points_budget_slots s
  JOIN unnest(CAST(:r AS text[]), CAST(:w AS text[]), CAST(:s AS smallint[])) AS k(r, w, s)
    ON (s.rule, s.span) = (k.r, k.w) AND (k.s IS NULL OR s.slot = k.s)
 WHERE s.program_id = :p ORDER BY s.rule, s.span, s.slot"""


def read_pots(session: Session, program_id: int, keys: Iterable[PotKey]) -> dict[PotKey, Pot]:
    """All slots of those pots that exist, as they stand; nothing is locked."""
    named = sorted(keys)
    statement = text(f"SELECT s.rule, s.span, s.slot, s.whole, s.share, s.used {_PICKED}")
    return _pots(session.execute(statement, _picked(program_id, [(*key, None) for key in named])))


def lock_slots(session: Session, program_id: int, wanted: Iterable[tuple[str, str, int]]) -> dict[PotKey, Pot]:
    """The named slots, locked in key order; a pot has those of its slots that were named."""
    statement = text(f"SELECT s.rule, s.span, s.slot, s.whole, s.share, s.used {_PICKED} FOR NO KEY UPDATE OF s")
    return _pots(session.execute(statement, _picked(program_id, sorted(wanted))))


def add_pots(session: Session, program_id: int, wholes: Mapping[PotKey, int]) -> None:
    """Make pots that do not exist yet, in key order; a twin may have been faster."""
    rows = [
        (rule, span, number, whole, share)
        for (rule, span), whole in sorted(wholes.items())
        for number, share in enumerate(parts(whole))
    ]
    session.execute(
        text(
            "INSERT INTO points_budget_slots (program_id, rule, span, slot, whole, share, used, lowered)"
            " SELECT :p, r, w, s, a, h, 0, false FROM unnest(CAST(:r AS text[]), CAST(:w AS text[]),"
            " CAST(:s AS smallint[]), CAST(:a AS bigint[]), CAST(:h AS bigint[])) AS k(r, w, s, a, h)"
            " ORDER BY r, w, s ON CONFLICT DO NOTHING"
        ),
        {
            **_picked(program_id, rows),
            "a": arrays.numbers(row[3] for row in rows),
            "h": arrays.numbers(row[4] for row in rows),
        },
    )


def put_slots(session: Session, program_id: int, pots: Mapping[PotKey, Pot]) -> None:
    """Write back what changed of locked slots."""
    rows = [
        (*key, number, pot.whole, pot.slots[number].share, pot.slots[number].used)
        for key, pot in pots.items()
        for number in sorted(pot.changed)
    ]
    if not rows:
        return
    session.execute(
        text(
            "UPDATE points_budget_slots q SET whole = a, share = h, used = u, lowered = u > h"
            " FROM unnest(CAST(:r AS text[]), CAST(:w AS text[]), CAST(:s AS smallint[]), CAST(:a AS bigint[]),"
            " CAST(:h AS bigint[]), CAST(:u AS bigint[])) AS k(r, w, s, a, h, u)"
            " WHERE q.program_id = :p AND (q.rule, q.span, q.slot) = (k.r, k.w, k.s)"
        ),
        {
            **_picked(program_id, rows),
            "a": arrays.numbers(row[3] for row in rows),
            "h": arrays.numbers(row[4] for row in rows),
            "u": arrays.numbers(row[5] for row in rows),
        },
    )


def uneven_pots(session: Session, *, limit: int) -> Sequence[Row[Any]]:
    """Pots `(program_id, rule, span)` in which one slot has nothing left while others have."""
    return session.execute(
        text(
            "SELECT program_id, rule, span FROM points_budget_slots GROUP BY program_id, rule, span"
            " HAVING min(share - used) <= 0 AND sum(share - used) >= :slots ORDER BY 1, 2, 3 LIMIT :limit"
        ),
        {"slots": len(parts(0)), "limit": limit},
    ).all()


def _pots(rows: Iterable[Row[Any]]) -> dict[PotKey, Pot]:
    pots: dict[PotKey, Pot] = {}
    for row in rows:
        pots.setdefault((row.rule, row.span), Pot(row.whole)).slots[row.slot] = Slot(row.share, row.used)
    return pots


def _picked(program_id: int, rows: Sequence[tuple[Any, ...]]) -> dict[str, Any]:
    return {
        "p": program_id,
        "r": arrays.texts(row[0] for row in rows),
        "w": arrays.texts(row[1] for row in rows),
        "s": arrays.numbers(row[2] for row in rows),
    }
