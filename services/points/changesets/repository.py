"""Every SQL statement over changesets, their sheets, lines and faults."""

import json
import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session

from common import arrays
from common.errors import NotFound
from services.points.changesets.domain import WORKING, Fault, Line, State
from services.points.changesets.models import changesets, faults, lines, parts

_AT_A_TIME = 5_000


def add_changeset(session: Session, program_id: int, *, kind: str, name: str, uploader: str, now: datetime) -> Row[Any]:
    """A new draft without sheets."""
    values = {
        "program_id": program_id,
        "kind": kind,
        "name": name,
        "status": State.DRAFT.value,
        "uploaded_by": uploader,
        "uploaded_at": now,
    }
    return session.execute(insert(changesets).values(values).returning(changesets)).one()


def get_changeset(session: Session, program_id: int, changeset_id: uuid.UUID, *, lock: bool = False) -> Row[Any]:
    """One changeset; raises `NotFound`."""
    wanted = select(changesets).where(changesets.c.program_id == program_id, changesets.c.id == changeset_id)
    row = session.execute(wanted.with_for_update() if lock else wanted).one_or_none()
    if row is None:
        raise NotFound()
    return row


def lock_free(session: Session, program_id: int, changeset_id: uuid.UUID, status: State) -> Row[Any] | None:
    """The changeset locked, if it is in that state and no other worker holds it; else None."""
    wanted = select(changesets).where(
        changesets.c.program_id == program_id, changesets.c.id == changeset_id, changesets.c.status == status
    )
    return session.execute(wanted.with_for_update(skip_locked=True)).one_or_none()


def claim_check(session: Session, program_id: int, changeset_id: uuid.UUID, *, lease_seconds: int) -> Row[Any] | None:
    """Begin a run unless another one is alive, and number it; None when none is awaited."""
    claimed = text(
        "UPDATE points_changesets SET run = run + 1, progress = 0,"
        " lease_until = clock_timestamp() + :lease * interval '1 second'"
        " WHERE program_id = :p AND id = :i AND status = 'checking'"
        " AND (lease_until IS NULL OR lease_until < clock_timestamp()) RETURNING *"
    )
    return session.execute(claimed, {"p": program_id, "i": changeset_id, "lease": lease_seconds}).one_or_none()


def extend_lease(session: Session, row: Row[Any], *, progress: int, lease_seconds: int) -> bool:
    """Show how far the run has come (in percent) and keep it; false when another run has taken over."""
    extended = text(
        "UPDATE points_changesets SET progress = :progress,"
        " lease_until = clock_timestamp() + :lease * interval '1 second'"
        " WHERE program_id = :p AND id = :i AND status = 'checking' AND run = :run RETURNING run"
    )
    values = {"p": row.program_id, "i": row.id, "run": row.run, "progress": progress, "lease": lease_seconds}
    return session.execute(extended, values).first() is not None


def lock_run(session: Session, row: Row[Any]) -> bool:
    """Whether this run is still the changeset's last and awaited one; locked."""
    mine = select(changesets.c.run).where(
        changesets.c.program_id == row.program_id,
        changesets.c.id == row.id,
        changesets.c.run == row.run,
        changesets.c.status == State.CHECKING,
    )
    return session.execute(mine.with_for_update()).first() is not None


def change(session: Session, row: Row[Any], **values: Any) -> Row[Any]:
    """Write what changed of a changeset whose lock the caller holds."""
    mine = (changesets.c.program_id == row.program_id, changesets.c.id == row.id)
    return session.execute(update(changesets).where(*mine).values(values).returning(changesets)).one()


def working(session: Session, *, limit: int) -> list[tuple[int, uuid.UUID, str]]:
    """Program, id and status of changesets that a job must go on with; those of a living dry run are left alone."""
    waiting = (
        select(changesets.c.program_id, changesets.c.id, changesets.c.status)
        .where(changesets.c.status.in_([state.value for state in WORKING]))
        .where(func.coalesce(changesets.c.lease_until, func.to_timestamp(0)) < func.clock_timestamp())
        .order_by(changesets.c.program_id, changesets.c.id)
        .limit(limit)
    )
    return [(row[0], row[1], row[2]) for row in session.execute(waiting)]


def list_changesets(
    session: Session, program_id: int, *, status: str | None, kind: str | None, after: uuid.UUID | None, limit: int
) -> Sequence[Row[Any]]:
    """Changesets, newest first."""
    mine = select(changesets).where(changesets.c.program_id == program_id)
    if status is not None:
        mine = mine.where(changesets.c.status == status)
    if kind is not None:
        mine = mine.where(changesets.c.kind == kind)
    if after is not None:
        mine = mine.where(changesets.c.id < after)
    return session.execute(mine.order_by(changesets.c.id.desc()).limit(limit)).all()


def add_part(session: Session, row: Row[Any], csv: str) -> Row[Any]:
    """Add a sheet to a draft whose lock the caller holds."""
    number = row.parts + 1
    values = {"program_id": row.program_id, "changeset_id": row.id, "part": number, "csv": csv}
    session.execute(insert(parts).values(values))
    return change(session, row, parts=number)


def list_parts(session: Session, program_id: int, changeset_id: uuid.UUID) -> list[tuple[int, str]]:
    """The sheets in their order."""
    mine = select(parts.c.part, parts.c.csv).where(
        parts.c.program_id == program_id, parts.c.changeset_id == changeset_id
    )
    return [(row.part, row.csv) for row in session.execute(mine.order_by(parts.c.part))]


def drop_sheets(session: Session, row: Row[Any]) -> None:
    """Forget what was uploaded and the identities in it; what was understood of it stays."""
    session.execute(delete(parts).where(parts.c.program_id == row.program_id, parts.c.changeset_id == row.id))
    named = update(lines).where(
        lines.c.program_id == row.program_id,
        lines.c.changeset_id == row.id,
        lines.c.subject.is_not(None),
        lines.c.member_id.is_not(None),
    )
    session.execute(named.values(subject=None))


def replace_lines(session: Session, row: Row[Any], given: Sequence[Line], asset_ids: dict[str, int]) -> None:
    """Write the lines as the dry run understood them, in place of those of the run before."""
    session.execute(delete(lines).where(lines.c.program_id == row.program_id, lines.c.changeset_id == row.id))
    for start in range(0, len(given), _AT_A_TIME):
        some = given[start : start + _AT_A_TIME]
        session.execute(_ADD_LINES, {"p": row.program_id, "c": row.id, **_columns(some, asset_ids)})


def replace_faults(session: Session, row: Row[Any], given: Sequence[Fault]) -> None:
    """Write what is wrong, in place of what was."""
    session.execute(delete(faults).where(faults.c.program_id == row.program_id, faults.c.changeset_id == row.id))
    for start in range(0, len(given), _AT_A_TIME):
        some = given[start : start + _AT_A_TIME]
        values = {
            "n": arrays.numbers(range(start + 1, start + len(some) + 1)),
            "k": arrays.numbers(fault.part for fault in some),
            "l": arrays.numbers(fault.line for fault in some),
            "x": arrays.texts(fault.column for fault in some),
            "y": arrays.texts(fault.code for fault in some),
            "f": arrays.texts(json.dumps(fault.facts, ensure_ascii=False) for fault in some),
        }
        session.execute(_ADD_FAULTS, {"p": row.program_id, "c": row.id, **values})


def list_lines(
    session: Session, program_id: int, changeset_id: uuid.UUID, *, after: Row[Any] | None, limit: int
) -> Sequence[Row[Any]]:
    """The lines in the order in which they are posted: by account, within one as in the sheet; behind `after`."""
    order = (lines.c.member_id, lines.c.asset_id, lines.c.part, lines.c.line)
    mine = select(lines).where(
        lines.c.program_id == program_id, lines.c.changeset_id == changeset_id, lines.c.member_id.is_not(None)
    )
    if after is not None:
        behind = "(member_id, asset_id, part, line) > (:m, :a, :k, :l)"
        mine = mine.where(text(behind).bindparams(m=after.member_id, a=after.asset_id, k=after.part, l=after.line))
    return session.execute(mine.order_by(*order).limit(limit)).all()


def list_lines_as_sent(
    session: Session, program_id: int, changeset_id: uuid.UUID, *, after: tuple[int, int], limit: int
) -> Sequence[Row[Any]]:
    """The lines in the order of the sheets, behind (part, line)."""
    mine = select(lines).where(lines.c.program_id == program_id, lines.c.changeset_id == changeset_id)
    behind = text("(part, line) > (:k, :l)").bindparams(k=after[0], l=after[1])
    return session.execute(mine.where(behind).order_by(lines.c.part, lines.c.line).limit(limit)).all()


def list_faults(
    session: Session, program_id: int, changeset_id: uuid.UUID, *, after: int, limit: int
) -> Sequence[Row[Any]]:
    """What is wrong, behind the `after`-th fault."""
    mine = select(faults).where(
        faults.c.program_id == program_id, faults.c.changeset_id == changeset_id, faults.c.number > after
    )
    return session.execute(mine.order_by(faults.c.number).limit(limit)).all()


def unresolved_subjects(session: Session, row: Row[Any], *, limit: int) -> list[str]:
    """Identities in the lines that lead to nobody yet."""
    mine = (
        select(lines.c.subject)
        .where(lines.c.program_id == row.program_id, lines.c.changeset_id == row.id, lines.c.member_id.is_(None))
        .distinct()
        .order_by(lines.c.subject)
        .limit(limit)
    )
    return [str(subject) for subject in session.execute(mine).scalars()]


def set_members(session: Session, row: Row[Any], members: dict[str, int]) -> None:
    """Note whom the identities lead to."""
    values = {"s": arrays.texts(members), "m": arrays.numbers(members.values())}
    session.execute(_SET_MEMBERS, {"p": row.program_id, "c": row.id, **values})


def opened_twice(session: Session, row: Row[Any]) -> list[tuple[int, int, str]]:
    """Part, line and why of opening balances whose account has one already, from here or an applied changeset."""
    found = session.execute(_OPENED_TWICE, {"p": row.program_id, "c": row.id})
    return [(part, line, earlier) for part, line, earlier in found]


_COLUMNS = """unnest(CAST(:k AS smallint[]), CAST(:l AS int[]), CAST(:m AS bigint[]), CAST(:s AS text[]),
 CAST(:a AS smallint[]), CAST(:n AS bigint[]), CAST(:r AS text[]), CAST(:v AS text[]), CAST(:t AS text[]),
 CAST(:b AS bigint[]), CAST(:e AS bigint[]))"""
_ADD_LINES = text(
    "INSERT INTO points_changeset_lines (program_id, changeset_id, part, line, member_id, subject, asset_id, amount,"  # noqa: S608 - our own words only
    f" reason, validity, note, before, after) SELECT :p, :c, u.* FROM {_COLUMNS} AS u"
)
_ADD_FAULTS = text(
    'INSERT INTO points_changeset_faults (program_id, changeset_id, number, part, line, "column", code, facts)'
    " SELECT :p, :c, n, k, l, x, y, f::jsonb FROM unnest(CAST(:n AS int[]), CAST(:k AS smallint[]), CAST(:l AS int[]),"
    " CAST(:x AS text[]), CAST(:y AS text[]), CAST(:f AS text[])) AS u(n, k, l, x, y, f)"
)
_SET_MEMBERS = text(
    "UPDATE points_changeset_lines l SET member_id = u.m"
    " FROM unnest(CAST(:s AS text[]), CAST(:m AS bigint[])) AS u(s, m)"
    " WHERE l.program_id = :p AND l.changeset_id = :c AND l.subject = u.s AND l.member_id IS NULL"
)
_OPENED_TWICE = text(
    "SELECT l.part, l.line, coalesce(c.name, '') FROM points_changeset_lines l"
    " JOIN points_changeset_lines o"
    " ON (o.program_id, o.member_id, o.asset_id) = (l.program_id, l.member_id, l.asset_id)"
    " JOIN points_changesets c ON (c.program_id, c.id) = (o.program_id, o.changeset_id)"
    " WHERE l.program_id = :p AND l.changeset_id = :c AND l.member_id IS NOT NULL AND ("
    " (o.changeset_id <> l.changeset_id AND c.kind = 'opening'"
    "   AND c.status IN ('applied', 'undo_requested', 'undoing'))"
    " OR (o.changeset_id = l.changeset_id AND (o.part, o.line) < (l.part, l.line)))"
    " ORDER BY l.part, l.line"
)


def _columns(given: Iterable[Line], asset_ids: dict[str, int]) -> dict[str, str]:
    some = list(given)
    return {
        "k": arrays.numbers(line.part for line in some),
        "l": arrays.numbers(line.line for line in some),
        "m": arrays.numbers(line.member_id for line in some),
        "s": arrays.texts(line.subject if line.member_id is None else None for line in some),
        "a": arrays.numbers(asset_ids[line.asset] for line in some),
        "n": arrays.numbers(line.amount for line in some),
        "r": arrays.texts(line.reason for line in some),
        "v": arrays.texts(line.validity for line in some),
        "t": arrays.texts(line.note for line in some),
        "b": arrays.numbers(line.before for line in some),
        "e": arrays.numbers(line.after for line in some),
    }
