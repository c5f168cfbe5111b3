"""Every SQL statement over orders."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from common import arrays
from services.points.intake.domain import Award, ClaimKey, Order, Refund
from services.points.intake.results import as_json

OrderKey = tuple[int, str]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def lock_orders(session: Session, program_id: int, keys: Iterable[OrderKey]) -> dict[OrderKey, Order]:
    """Those of the orders `(member_id, order_id)` that are known, locked in key order."""
    rows = session.execute(text(_LOCK_ORDERS), {"p": program_id, **_keys(keys)})
    return {(row.member_id, row.order_id): _order(row) for row in rows}


def read_orders(session: Session, program_id: int, keys: Iterable[OrderKey]) -> dict[OrderKey, Order]:
    """Those of the orders that are known; nothing is locked."""
    rows = session.execute(text(_READ_ORDERS), {"p": program_id, **_keys(keys)})
    return {(row.member_id, row.order_id): _order(row) for row in rows}


def add_orders(session: Session, program_id: int, new: Sequence[Order]) -> None:
    """Write orders that nobody knew. One that a twin added meanwhile violates the key: the caller begins again."""
    if new:
        session.execute(text(_ADD_ORDERS), _columns(program_id, new))


def put_orders(session: Session, program_id: int, known: Sequence[Order]) -> None:
    """Write back orders that `lock_orders` found."""
    if known:
        session.execute(text(_PUT_ORDERS), _columns(program_id, known))


_OF_ORDERS = """
  FROM points_orders q JOIN unnest(CAST(:m AS bigint[]), CAST(:o AS text[])) AS k(m, o)
    ON (q.member_id, q.order_id) = (k.m, k.o) WHERE q.program_id = :p"""

_LOCK_ORDERS = f"""
SELECT q.* {_OF_ORDERS} ORDER BY q.member_id, q.order_id FOR UPDATE OF q"""

_READ_ORDERS = f"""
SELECT q.* {_OF_ORDERS}"""

# Awards and claims travel as one JSON array each: as array literals every quote in them would have to be escaped.
_GIVEN_ORDERS = """
WITH given AS (
  SELECT m, o, e, f, r, x::text[] AS x, y::bigint[] AS y, z::bigint[] AS z, a, c, g, h, t::jsonb AS t
    FROM ROWS FROM (
      unnest(CAST(:m AS bigint[]), CAST(:o AS text[]), CAST(:e AS text[]), CAST(:f AS bigint[]), CAST(:r AS bigint[]),
             CAST(:x AS text[]), CAST(:y AS text[]), CAST(:z AS text[]), CAST(:g AS text[]), CAST(:h AS timestamptz[]),
             CAST(:t AS text[])),
      jsonb_array_elements(CAST(:a AS jsonb)), jsonb_array_elements(CAST(:c AS jsonb)))
      AS k(m, o, e, f, r, x, y, z, g, h, t, a, c))"""

# In one order, so that two batches that know the same orders do not wait for each other.
_ADD_ORDERS = f"""{_GIVEN_ORDERS}
INSERT INTO points_orders (program_id, member_id, order_id, paid_event, paid_fen, refunded_fen, refunds, refunds_at,
                           refunds_fen, awards, claims, confirmed_event, confirmed_at, told)
SELECT :p, m, o, e, f, r, x, y, z, a, c, g, h, t FROM given ORDER BY m, o"""  # noqa: S608 - our own words only

_PUT_ORDERS = f"""{_GIVEN_ORDERS}
UPDATE points_orders q
   SET paid_event = g.e, paid_fen = g.f, refunded_fen = g.r, refunds = g.x, refunds_at = g.y, refunds_fen = g.z,
       awards = g.a, claims = g.c, confirmed_event = g.g, confirmed_at = g.h, told = g.t
  FROM given g WHERE q.program_id = :p AND (q.member_id, q.order_id) = (g.m, g.o)"""  # noqa: S608 - our own words only


def _columns(program_id: int, given: Sequence[Order]) -> dict[str, Any]:
    return {
        "p": program_id,
        "m": arrays.numbers(order.member_id for order in given),
        "o": arrays.texts(order.order_id for order in given),
        "e": arrays.texts(order.paid_event for order in given),
        "f": arrays.numbers(order.paid_fen for order in given),
        "r": arrays.numbers(order.refunded_fen for order in given),
        **_refund_columns(given),
        "a": as_json([[_kept(award) for award in order.awards] for order in given]),
        "c": as_json([[[c.rule, c.event, c.at.isoformat()] for c in order.claims] for order in given]),
        "g": arrays.texts(order.confirmed_event for order in given),
        "h": arrays.texts(order.confirmed_at.isoformat() if order.confirmed_at else None for order in given),
        "t": arrays.texts(as_json(_told(order)) if order.told else "{}" for order in given),
    }


def _refund_columns(given: Sequence[Order]) -> dict[str, str]:
    every = [order.refunds for order in given]
    return {
        "x": arrays.texts([arrays.texts(one.id for one in refunds) if refunds else "{}" for refunds in every]),
        "y": arrays.texts([_numbers(map(_microseconds, refunds)) if refunds else "{}" for refunds in every]),
        "z": arrays.texts([_numbers(one.fen for one in refunds) if refunds else "{}" for refunds in every]),
    }


def _keys(keys: Iterable[OrderKey]) -> dict[str, str]:
    named = sorted(keys)
    return {"m": arrays.numbers(key[0] for key in named), "o": arrays.texts(key[1] for key in named)}


def _order(row: Row[Any]) -> Order:
    refunds = zip(row.refunds, row.refunds_at, row.refunds_fen, strict=True)
    return Order(
        row.member_id,
        row.order_id,
        row.paid_event,
        row.paid_fen,
        row.refunded_fen,
        [Refund(refund_id, _EPOCH + timedelta(microseconds=at), fen) for refund_id, at, fen in refunds],
        [_award(kept) for kept in row.awards],
        [ClaimKey(rule, event, datetime.fromisoformat(at)) for rule, event, at in row.claims],
        row.confirmed_event,
        row.confirmed_at.astimezone(UTC) if row.confirmed_at else None,
        {event_type: datetime.fromisoformat(at) if at else None for event_type, at in row.told.items()},
    )


def _told(order: Order) -> dict[str, str | None]:
    return {event_type: at.isoformat() if at else None for event_type, at in order.told.items()}


def _kept(award: Award) -> dict[str, Any]:
    """What an order keeps of an award; what it does not have is left out."""
    kept = {
        "event": award.event,
        "at": award.at.isoformat(),
        "rule": award.rule,
        "version": award.version,
        "version_id": award.version_id,
        "asset": award.asset,
        "wanted": award.wanted,
        "amount": award.amount,
        "reversed": award.reversed,
        "parts": award.parts,
    }
    if award.pending != "none":
        kept["pending"] = award.pending
    if award.spans:
        kept["spans"] = award.spans
    return kept


def _award(kept: dict[str, Any]) -> Award:
    return Award(**{**kept, "at": datetime.fromisoformat(kept["at"])})


def _microseconds(refund: Refund) -> int:
    return (refund.at - _EPOCH) // timedelta(microseconds=1)


def _numbers(values: Iterable[int]) -> str:
    return "{" + ",".join(map(str, values)) + "}"
