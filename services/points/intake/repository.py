"""Every SQL statement of intake."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import Row, select, text, tuple_
from sqlmodel import Session

from common import arrays
from services.points.intake.domain import Award, Event, Order
from services.points.intake.models import events, orders

Subject = tuple[str, str, str]


def known_subjects(session: Session, program_id: int, subjects: Sequence[Subject]) -> dict[Subject, int]:
    """The member ids of those `(type, app, value)` that were asked about before."""
    rows = session.execute(
        text(
            "SELECT i.type, i.app, i.value, i.member_id FROM points_identities i"
            " JOIN unnest(CAST(:t AS text[]), CAST(:a AS text[]), CAST(:v AS text[])) AS k(t, a, v)"
            " ON (i.type, i.app, i.value) = (k.t, k.a, k.v) WHERE i.program_id = :p"
        ),
        {"p": program_id, **_split(subjects)},
    )
    return {(kind, app, value): member_id for kind, app, value, member_id in rows}


def remember_subjects(session: Session, program_id: int, members: dict[Subject, int]) -> None:
    """Keep what levels answered."""
    session.execute(
        text(
            "INSERT INTO points_identities (program_id, type, app, value, member_id)"
            " SELECT :p, * FROM unnest(CAST(:t AS text[]), CAST(:a AS text[]), CAST(:v AS text[]),"
            " CAST(:m AS bigint[])) AS k(t, a, v, m) ORDER BY t, a, v ON CONFLICT DO NOTHING"
        ),
        {"p": program_id, **_split(list(members)), "m": arrays.numbers(members.values())},
    )


def known_events(session: Session, program_id: int, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Row[Any]]:
    """Fingerprint and result of those events that came before."""
    rows = session.execute(
        text(
            "SELECT e.source, e.id, e.fingerprint, e.result FROM points_events e"
            " JOIN unnest(CAST(:s AS text[]), CAST(:i AS text[])) AS k(s, i) ON (e.source, e.id) = (k.s, k.i)"
            " WHERE e.program_id = :p"
        ),
        {"p": program_id, "s": arrays.texts(key[0] for key in keys), "i": arrays.texts(key[1] for key in keys)},
    )
    return {(row.source, row.id): row for row in rows}


def find_event(session: Session, program_id: int, source: str, event_id: str) -> Row[Any] | None:
    """One event with its outcome, or None."""
    wanted = select(events).where(events.c.program_id == program_id, events.c.source == source, events.c.id == event_id)
    return session.execute(wanted).one_or_none()


def list_events(session: Session, program_id: int, member_id: int, *, limit: int) -> Sequence[Row[Any]]:
    """A member's events, newest first."""
    mine = select(events).where(events.c.program_id == program_id, events.c.member_id == member_id)
    return session.execute(mine.order_by(events.c.time.desc(), events.c.source, events.c.id).limit(limit)).all()


def lock_orders(session: Session, program_id: int, keys: Iterable[tuple[int, str]]) -> dict[tuple[int, str], Order]:
    """Those of the orders `(member_id, order_id)` that are known, locked in key order."""
    wanted = (
        select(orders)
        .where(orders.c.program_id == program_id, tuple_(orders.c.member_id, orders.c.order_id).in_(sorted(keys)))
        .order_by(orders.c.member_id, orders.c.order_id)
        .with_for_update()
    )
    return {(row.member_id, row.order_id): _order(row) for row in session.execute(wanted)}


def add_orders(session: Session, program_id: int, new: Sequence[Order]) -> None:
    """Write orders that nobody knew. One that a twin added meanwhile violates the key: the caller begins again."""
    session.execute(text(_ADD_ORDERS), _columns(program_id, new))


def put_orders(session: Session, program_id: int, known: Sequence[Order]) -> None:
    """Write back orders that `lock_orders` found."""
    session.execute(text(_PUT_ORDERS), _columns(program_id, known))


def add_events(session: Session, program_id: int, decided: Sequence[tuple[Event, dict[str, Any]]]) -> None:
    """Write new events with what came of them. A twin that was faster violates the key: the caller begins again."""
    session.execute(
        text(
            "INSERT INTO points_events (program_id, source, id, type, member_id, time, fingerprint, data, result)"
            " SELECT :p, s, i, t, m, w, f, d::jsonb, r::jsonb FROM unnest(CAST(:s AS text[]), CAST(:i AS text[]),"
            " CAST(:t AS text[]), CAST(:m AS bigint[]), CAST(:w AS timestamptz[]), CAST(:f AS bytea[]),"
            " CAST(:d AS text[]), CAST(:r AS text[])) AS k(s, i, t, m, w, f, d, r) ORDER BY s, i"
        ),
        {
            "p": program_id,
            "s": arrays.texts(event.source for event, _ in decided),
            "i": arrays.texts(event.id for event, _ in decided),
            "t": arrays.texts(event.type for event, _ in decided),
            "m": arrays.numbers(event.member_id for event, _ in decided),
            "w": arrays.texts(event.time.isoformat() for event, _ in decided),
            "f": arrays.blobs(event.fingerprint for event, _ in decided),
            "d": arrays.texts(as_json(event.data) for event, _ in decided),
            "r": arrays.texts(as_json(result) for _, result in decided),
        },
    )


def as_json(value: Any) -> str:
    """JSON text; exact decimals stay numbers."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=float)


_GIVEN_ORDERS = """
WITH given AS (
  SELECT m, o, e, f, r, ARRAY(SELECT jsonb_array_elements_text(x::jsonb)) AS x, a::jsonb AS a
    FROM unnest(CAST(:m AS bigint[]), CAST(:o AS text[]), CAST(:e AS text[]), CAST(:f AS bigint[]),
                CAST(:r AS bigint[]), CAST(:x AS text[]), CAST(:a AS text[])) AS k(m, o, e, f, r, x, a))"""

# In one order, so that two batches that know the same orders do not wait for each other.
_ADD_ORDERS = f"""{_GIVEN_ORDERS}
INSERT INTO points_orders (program_id, member_id, order_id, paid_event, paid_fen, refunded_fen, refunds, awards)
SELECT :p, m, o, e, f, r, x, a FROM given ORDER BY m, o"""  # noqa: S608 - our own words only

_PUT_ORDERS = f"""{_GIVEN_ORDERS}
UPDATE points_orders q SET paid_event = g.e, paid_fen = g.f, refunded_fen = g.r, refunds = g.x, awards = g.a
  FROM given g WHERE q.program_id = :p AND (q.member_id, q.order_id) = (g.m, g.o)"""  # noqa: S608 - our own words only


def _columns(program_id: int, given: Sequence[Order]) -> dict[str, Any]:
    return {
        "p": program_id,
        "m": arrays.numbers(order.member_id for order in given),
        "o": arrays.texts(order.order_id for order in given),
        "e": arrays.texts(order.paid_event for order in given),
        "f": arrays.numbers(order.paid_fen for order in given),
        "r": arrays.numbers(order.refunded_fen for order in given),
        "x": arrays.texts(json.dumps(order.refunds) for order in given),
        "a": arrays.texts(json.dumps([asdict(award) for award in order.awards]) for order in given),
    }


def _order(row: Row[Any]) -> Order:
    awards = [Award(**award) for award in row.awards]
    return Order(row.member_id, row.order_id, row.paid_event, row.paid_fen, row.refunded_fen, list(row.refunds), awards)


def _split(subjects: Sequence[Subject]) -> dict[str, str]:
    return {name: arrays.texts(subject[position] for subject in subjects) for position, name in enumerate("tav")}
