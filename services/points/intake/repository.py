"""Every SQL statement over events and their subjects."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, literal_column, select, text
from sqlmodel import Session

from common import arrays
from common import feed as facts
from common.json_text import encoder
from services.points.intake.domain import Event, EventKey
from services.points.intake.models import events
from services.points.intake.results import as_json

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


def known_events(session: Session, program_id: int, keys: Sequence[EventKey]) -> dict[EventKey, Row[Any]]:
    """Fingerprint and kept result of those events that came before."""
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
    facts.append_pointers(session, {event.type for event, _ in decided})


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


def _array(documents: Iterable[str]) -> str:
    """Texts of JSON documents as one array."""
    return "[" + ",".join(documents) + "]"


def _split(subjects: Sequence[Subject]) -> dict[str, str]:
    return {name: arrays.texts(subject[position] for subject in subjects) for position, name in enumerate("tav")}
