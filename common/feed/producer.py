"""The offering side: append facts in the change's transaction, read them in commit order.

A cursor is a snapshot. The next page is what that snapshot did not see and the present one does, ordered by id, so a
transaction that took its id early and committed late is neither lost nor applied out of order (`id > last`
loses 2-4 % under concurrency). Transaction ids restart after a dump and restore; a feed then begins a new *generation*,
known by the cluster's system identifier, and a cursor first finishes what its old generation still has.
"""

import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import RowMapping, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session

from common import arrays
from common.feed.fact import Fact, Page
from common.feed.tables import FeedTables

#: Turns pointers of one topic into payloads, in the same order.
Expand = Callable[[Session, Sequence[RowMapping]], list[dict[str, Any]]]

_FROM_NOTHING = "3:3:"  # xid 3 is the first normal transaction: this snapshot has seen nothing
_EVERYTHING = f"{2**63 - 1}:{2**63 - 1}:"  # what an ended generation has: all of it was committed before the restore
_XID = "[1-9][0-9]{0,18}"
_SNAPSHOT = rf"{_XID}:{_XID}:(?:{_XID}(?:,{_XID})*)?"
_CURSOR = re.compile(rf"([0-9]{{1,9}})\|({_SNAPSHOT})\|({_SNAPSHOT})?\|(0|{_XID})\Z")


class BadCursor(ValueError):
    """The cursor is not one that this feed gave out."""


@dataclass(frozen=True)
class _Position:
    """Where a reader stands: seen `base` wholly; inside the step from `base` to `target`, seen ids up to `last_id`."""

    generation: int
    base: str
    target: str = ""
    last_id: int = 0

    def text(self) -> str:
        return f"{self.generation}|{self.base}|{self.target}|{self.last_id}"


def append(
    session: Session,
    tables: FeedTables,
    topic: str,
    *,
    program_id: int,
    member_id: int | None,
    payload: dict[str, Any],
) -> int:
    """Append one fact to the outbox, in the caller's transaction; returns its id."""
    row = insert(tables.outbox).values(topic=topic, program_id=program_id, member_id=member_id, payload=payload)
    _note(session, topic)
    return int(session.execute(row.returning(tables.outbox.c.id)).scalar_one())


def append_many(
    session: Session, tables: FeedTables, topic: str, facts: Iterable[tuple[int, int | None, dict[str, Any]]]
) -> None:
    """Append facts `(program_id, member_id, payload)` of one topic, in order, by one statement."""
    rows = list(facts)
    if not rows:
        return
    _note(session, topic)
    session.execute(
        text(
            f"INSERT INTO {tables.outbox.name} (topic, program_id, member_id, payload)"  # noqa: S608 - our own name
            " SELECT :topic, p, m, j::jsonb FROM unnest(CAST(:p AS int[]), CAST(:m AS bigint[]), CAST(:j AS text[]))"
            " WITH ORDINALITY AS u(p, m, j, o) ORDER BY o"
        ),
        {
            "topic": topic,
            "p": arrays.numbers(row[0] for row in rows),
            "m": arrays.numbers(row[1] for row in rows),
            # Fractions came in as exact decimals; in JSON they are numbers again.
            "j": arrays.texts(json.dumps(row[2], ensure_ascii=False, default=float) for row in rows),
        },
    )


def append_pointers(session: Session, topics: Iterable[str]) -> None:
    """Say that the service's own statement appended facts of these topics: consumers are woken after commit."""
    _note(session, *topics)


def topics_appended(session: Session) -> set[str]:
    """The topics of what was appended in the session's transaction."""
    found: set[str] = session.info.get("topics_appended", set())
    return found


def page(
    session: Session,
    tables: FeedTables,
    *,
    after: str,
    limit: int,
    topics: Sequence[str] = (),
    expand: dict[str, Expand] | None = None,
) -> Page:
    """The next facts behind `after` ("" for the beginning), at most `limit`; only those of `topics` when given.

    Raises `BadCursor` for text that is no cursor of this feed.
    """
    position = _parse(after)
    here, bounds = _generation(session, tables, position.generation)
    ended = position.generation < here
    if not position.target:
        target = _EVERYTHING if ended else _snapshot(session)
        position = _Position(position.generation, position.base, target)
    rows = _rows(session, tables, position, bounds, limit, topics)
    more = len(rows) == limit or ended
    if len(rows) == limit:
        position = _Position(position.generation, position.base, position.target, int(rows[-1]["id"]))
    elif position.target == _EVERYTHING:
        position = _Position(position.generation + 1, _FROM_NOTHING)
    else:
        position = _Position(position.generation, position.target)
    return Page(_facts(session, tables.service, rows, expand or {}), position.text(), more)


def notice_cluster(session: Session, tables: FeedTables) -> None:
    """Begin a new generation if this is another cluster than the last one's; to be done before anything is written."""
    _generation(session, tables, 0)


def _note(session: Session, *topics: str) -> None:
    session.info.setdefault("topics_appended", set()).update(topics)


def _parse(cursor: str) -> _Position:
    if not cursor:
        return _Position(0, _FROM_NOTHING)
    match = _CURSOR.match(cursor)
    if not match:
        raise BadCursor(cursor)
    generation, base, target, last_id = match[1], match[2], match[3] or "", match[4]
    if not all(map(_is_sane, filter(None, (base, target)))) or int(last_id) >= 2**63:
        raise BadCursor(cursor)
    return _Position(int(generation), base, target, int(last_id))


def _is_sane(snapshot: str) -> bool:
    """Whether PostgreSQL would take it: what was running lies in order between its bounds."""
    low, high, running = snapshot.split(":")
    xids = [int(low), *(int(xid) for xid in running.split(",") if xid)]
    return xids == sorted(xids) and xids[-1] <= int(high) < 2**63 and int(high) not in xids[1:]


def _generation(session: Session, tables: FeedTables, wanted: int) -> tuple[int, tuple[int, int | None]]:
    """The newest generation, and the ids `[first, end)` of the wanted one; begins a new one on another cluster."""
    system = _system_identifier(session)
    table = tables.generations
    known = session.execute(select(table).order_by(table.c.number)).all()
    if not known or known[-1].system_identifier != system:
        known = [*known, _begin_generation(session, tables, len(known), system)]
    if wanted >= len(known):
        raise BadCursor(f"generation {wanted}")
    end = known[wanted + 1].first_id if wanted + 1 < len(known) else None
    return len(known) - 1, (known[wanted].first_id, end)


def _system_identifier(session: Session) -> str:
    """The cluster's own name; asked once a connection, for a connection does not outlive its server."""
    known = session.connection().info
    if "system_identifier" not in known:
        asked = text("SELECT system_identifier::text FROM pg_control_system()")
        known["system_identifier"] = session.execute(asked).scalar_one()
    return str(known["system_identifier"])


def _begin_generation(session: Session, tables: FeedTables, number: int, system: str) -> Any:
    table, outbox = tables.generations, tables.outbox
    session.execute(text(f"LOCK TABLE {outbox.name} IN SHARE MODE"))
    first = session.execute(select(func.coalesce(func.max(outbox.c.id), 0) + 1)).scalar_one() if number else 1
    row = {"number": number, "system_identifier": system, "first_id": first}
    session.execute(insert(table).values(row).on_conflict_do_nothing())  # a twin may have begun it meanwhile
    return session.execute(select(table).where(table.c.number == number)).one()


def _snapshot(session: Session) -> str:
    return str(session.execute(text("SELECT pg_current_snapshot()::text")).scalar_one())


def _rows(
    session: Session,
    tables: FeedTables,
    position: _Position,
    bounds: tuple[int, int | None],
    limit: int,
    topics: Sequence[str],
) -> Sequence[RowMapping]:
    # Two plans for one question. A first page finds its few rows by xid; the `id + 0` keeps the planner from walking
    # the whole primary key in search of them. Later pages of a long step, and the first of all, walk it on purpose.
    first_page = position.last_id == 0 and position.base != _FROM_NOTHING
    new_only = "xid >= pg_snapshot_xmin(CAST(:base AS pg_snapshot)) AND" if first_page else ""
    order = "id + 0" if first_page else "id"
    end = "AND id < :end" if bounds[1] else ""
    wanted = "AND topic = ANY(:topics)" if topics else ""
    statement = text(
        "SELECT id, at, program_id, member_id, topic, pointer, payload"  # noqa: S608 - only our own fragments
        f" FROM {tables.outbox.name} WHERE {new_only} id > :last AND id >= :first {end}"
        " AND NOT pg_visible_in_snapshot(xid, CAST(:base AS pg_snapshot))"
        f" AND pg_visible_in_snapshot(xid, CAST(:target AS pg_snapshot)) {wanted}"
        f" ORDER BY {order} LIMIT :limit"
    )
    values = {
        "base": position.base,
        "target": position.target,
        "last": position.last_id,
        "first": bounds[0],
        "end": bounds[1],
        "limit": limit,
        "topics": list(topics),
    }
    return session.execute(statement, values).mappings().all()


def _facts(session: Session, source: str, rows: Sequence[RowMapping], expand: dict[str, Expand]) -> list[Fact]:
    payloads: dict[int, dict[str, Any]] = {row["id"]: row["payload"] for row in rows}
    for topic, call in expand.items():
        pointed = [row for row in rows if row["topic"] == topic and row["pointer"] is not None]
        if pointed:
            payloads.update(zip((row["id"] for row in pointed), call(session, pointed), strict=True))
    return [
        Fact(source, row["id"], row["topic"], row["program_id"], row["member_id"], row["at"], payloads[row["id"]])
        for row in rows
    ]
