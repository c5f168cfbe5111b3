"""Every SQL statement of intake."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, literal_column, select, text
from sqlmodel import Session

from common import arrays
from common import feed as facts
from common.json_text import encoder
from services.points.intake.domain import Award, ClaimKey, Event, Order, Refund
from services.points.intake.models import events
from services.points.intake.results import as_json

Subject = tuple[str, str, str]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


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
    rows = session.execute(text(_LOCK_ORDERS), {"p": program_id, **_order_keys(keys)})
    return {(row.member_id, row.order_id): _order(row) for row in rows}


def confirmations(
    session: Session, program_id: int, keys: Iterable[tuple[int, str]]
) -> dict[tuple[int, str], datetime]:
    """When those of the orders were confirmed that were; nothing is locked."""
    rows = session.execute(text(_CONFIRMATIONS), {"p": program_id, **_order_keys(keys)})
    return {(row.member_id, row.order_id): row.confirmed_at.astimezone(UTC) for row in rows}


def add_orders(session: Session, program_id: int, new: Sequence[Order]) -> None:
    """Write orders that nobody knew. One that a twin added meanwhile violates the key: the caller begins again."""
    if not new:
        return
    session.execute(text(_ADD_ORDERS), _columns(program_id, new))


def put_orders(session: Session, program_id: int, known: Sequence[Order]) -> None:
    """Write back orders that `lock_orders` found."""
    if not known:
        return
    session.execute(text(_PUT_ORDERS), _columns(program_id, known))


def add_events(session: Session, program_id: int, decided: Sequence[tuple[Event, str]]) -> None:
    """Write new events with what came of them (JSON), and offer them to the neighbours as facts, in their order.

    A twin that was faster violates the key: the caller begins again.
    """
    session.execute(
        text(_ADD_EVENTS),
        {
            "p": program_id,
            "s": arrays.texts(event.source for event, _ in decided),
            "i": arrays.texts(event.id for event, _ in decided),
            "t": arrays.texts(event.type for event, _ in decided),
            "m": arrays.numbers(event.member_id for event, _ in decided),
            "w": arrays.texts(event.time.isoformat() for event, _ in decided),
            "f": arrays.blobs(event.fingerprint for event, _ in decided),
            "d": _array(canonical(event.data) if event.text is None else event.text for event, _ in decided),
            "r": _array(result for _, result in decided),
        },
    )
    facts.append_pointers(session)


def amend_events(session: Session, program_id: int, amended: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    """Note on stored events, by cause, what became of their awards; locked in the order of their keys."""
    causes = sorted(tuple(cause.split(" ", 1)) for cause in amended)
    keys = {"s": arrays.texts(cause[0] for cause in causes), "i": arrays.texts(cause[1] for cause in causes)}
    notes = arrays.texts(as_json(amended[" ".join(cause)]) for cause in causes)
    session.execute(text(_LOCK_EVENTS), {"p": program_id, **keys})
    session.execute(text(_AMEND_EVENTS), {"p": program_id, **keys, "n": notes})


def list_events_of_order(
    session: Session, program_id: int, order_id: str, *, member_id: int | None, limit: int
) -> Sequence[Row[Any]]:
    """The events that name an order (of one member, when told), oldest first."""
    # The literal is what the index is over; a bound name would not be recognised as the same.
    named: ColumnElement[str] = literal_column("data ->> 'order_id'")
    mine = select(events).where(events.c.program_id == program_id, named == order_id)
    if member_id is not None:
        mine = mine.where(events.c.member_id == member_id)
    return session.execute(mine.order_by(events.c.time, events.c.source, events.c.id).limit(limit)).all()


# Documents travel as one JSON array each: as array literals every quote in them would have to be escaped.
_ADD_EVENTS = """
WITH given AS MATERIALIZED (
  SELECT * FROM ROWS FROM (
    unnest(CAST(:s AS text[]), CAST(:i AS text[]), CAST(:t AS text[]), CAST(:m AS bigint[]), CAST(:w AS text[]),
           CAST(:f AS bytea[])), jsonb_array_elements(CAST(:d AS jsonb)), jsonb_array_elements(CAST(:r AS jsonb)))
    WITH ORDINALITY AS k(s, i, t, m, w, f, d, r, o)),
added AS (
  -- Received when the transaction began: before the entries that it caused, which is where a timeline shows it.
  INSERT INTO points_events (program_id, source, id, type, member_id, time, received_at, fingerprint, data, result)
  SELECT :p, s, i, t, m, CAST(w AS timestamptz), now(), f, d, r FROM given ORDER BY s, i)
INSERT INTO points_outbox (topic, program_id, member_id, payload)
SELECT t, :p, m, jsonb_build_object('event', s || ' ' || i, 'time', w, 'data', d) FROM given ORDER BY o"""

_LOCK_EVENTS = """
SELECT FROM points_events e JOIN unnest(CAST(:s AS text[]), CAST(:i AS text[])) AS k(s, i)
    ON (e.source, e.id) = (k.s, k.i)
 WHERE e.program_id = :p ORDER BY e.source, e.id FOR NO KEY UPDATE OF e"""

_AMEND_EVENTS = """
UPDATE points_events e
   SET result = jsonb_set(e.result, '{amended}', coalesce(e.result -> 'amended', '[]') || k.n::jsonb)
  FROM unnest(CAST(:s AS text[]), CAST(:i AS text[]), CAST(:n AS text[])) AS k(s, i, n)
 WHERE e.program_id = :p AND (e.source, e.id) = (k.s, k.i)"""


#: The same with sorted keys: two notations of the same data have the same text.
canonical = encoder(sort_keys=True)


_OF_ORDERS = """
  FROM points_orders q JOIN unnest(CAST(:m AS bigint[]), CAST(:o AS text[])) AS k(m, o)
    ON (q.member_id, q.order_id) = (k.m, k.o) WHERE q.program_id = :p"""

_LOCK_ORDERS = f"""
SELECT q.* {_OF_ORDERS} ORDER BY q.member_id, q.order_id FOR UPDATE OF q"""

_CONFIRMATIONS = f"""
SELECT q.member_id, q.order_id, q.confirmed_at {_OF_ORDERS} AND q.confirmed_at IS NOT NULL"""

_GIVEN_ORDERS = """
WITH given AS (
  SELECT m, o, e, f, r, ARRAY(SELECT jsonb_array_elements_text(x)) AS x, y::bigint[] AS y, z::bigint[] AS z, a, c, g, h
    FROM ROWS FROM (
      unnest(CAST(:m AS bigint[]), CAST(:o AS text[]), CAST(:e AS text[]), CAST(:f AS bigint[]), CAST(:r AS bigint[]),
             CAST(:y AS text[]), CAST(:z AS text[]), CAST(:g AS text[]), CAST(:h AS timestamptz[])),
      jsonb_array_elements(CAST(:x AS jsonb)), jsonb_array_elements(CAST(:a AS jsonb)),
      jsonb_array_elements(CAST(:c AS jsonb))) AS k(m, o, e, f, r, y, z, g, h, x, a, c))"""

# In one order, so that two batches that know the same orders do not wait for each other.
_ADD_ORDERS = f"""{_GIVEN_ORDERS}
INSERT INTO points_orders (program_id, member_id, order_id, paid_event, paid_fen, refunded_fen, refunds, refunds_at,
                           refunds_fen, awards, claims, confirmed_event, confirmed_at)
SELECT :p, m, o, e, f, r, x, y, z, a, c, g, h FROM given ORDER BY m, o"""  # noqa: S608 - our own words only

_PUT_ORDERS = f"""{_GIVEN_ORDERS}
UPDATE points_orders q
   SET paid_event = g.e, paid_fen = g.f, refunded_fen = g.r, refunds = g.x, refunds_at = g.y, refunds_fen = g.z,
       awards = g.a, claims = g.c, confirmed_event = g.g, confirmed_at = g.h
  FROM given g WHERE q.program_id = :p AND (q.member_id, q.order_id) = (g.m, g.o)"""  # noqa: S608 - our own words only


def _columns(program_id: int, given: Sequence[Order]) -> dict[str, Any]:
    return {
        "p": program_id,
        "m": arrays.numbers(order.member_id for order in given),
        "o": arrays.texts(order.order_id for order in given),
        "e": arrays.texts(order.paid_event for order in given),
        "f": arrays.numbers(order.paid_fen for order in given),
        "r": arrays.numbers(order.refunded_fen for order in given),
        "x": as_json([[refund.id for refund in order.refunds] for order in given]),
        "y": arrays.texts(_numbers(_microseconds(refund.at) for refund in order.refunds) for order in given),
        "z": arrays.texts(_numbers(refund.fen for refund in order.refunds) for order in given),
        "a": as_json([[_kept(award) for award in order.awards] for order in given]),
        "c": as_json([[[c.rule, c.event, c.at.isoformat()] for c in order.claims] for order in given]),
        "g": arrays.texts(order.confirmed_event for order in given),
        "h": arrays.texts(order.confirmed_at.isoformat() if order.confirmed_at else None for order in given),
    }


def _order_keys(keys: Iterable[tuple[int, str]]) -> dict[str, str]:
    named = sorted(keys)
    return {"m": arrays.numbers(key[0] for key in named), "o": arrays.texts(key[1] for key in named)}


def _array(documents: Iterable[str]) -> str:
    """Texts of JSON documents as one array."""
    return "[" + ",".join(documents) + "]"


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
    )


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


def _microseconds(instant: datetime) -> int:
    return (instant - _EPOCH) // timedelta(microseconds=1)


def _numbers(values: Iterable[int]) -> str:
    return "{" + ",".join(map(str, values)) + "}"


def _split(subjects: Sequence[Subject]) -> dict[str, str]:
    return {name: arrays.texts(subject[position] for subject in subjects) for position, name in enumerate("tav")}
