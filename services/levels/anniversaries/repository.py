"""Every SQL statement over birthdays, what was told, and the days that are done."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session

from common import arrays
from services.levels.anniversaries.domain import Birthday, Kind
from services.levels.anniversaries.models import birthdays, done

_COLUMNS = (birthdays.c.month, birthdays.c.day, birthdays.c.entered_by, birthdays.c.entered_at)
_PUT = text(
    "INSERT INTO levels_birthdays AS b (program_id, member_id, month, day, entered_by, entered_at)"
    " SELECT :p, m, n, d, :by, :at FROM unnest(CAST(:m AS bigint[]), CAST(:n AS smallint[]), CAST(:d AS smallint[]))"
    " AS k(m, n, d) ORDER BY m ON CONFLICT (program_id, member_id) DO UPDATE SET month = excluded.month,"
    " day = excluded.day, entered_by = excluded.entered_by, entered_at = excluded.entered_at"
    " WHERE (b.month, b.day) IS DISTINCT FROM (excluded.month, excluded.day) RETURNING member_id"
)
_TELL = text(
    "INSERT INTO levels_anniversaries (program_id, member_id, kind, year, told_at)"
    " SELECT :p, m, :k, :y, :at FROM unnest(CAST(:m AS bigint[])) AS k(m) ORDER BY m"
    " ON CONFLICT DO NOTHING RETURNING member_id"
)


def find_birthday(session: Session, program_id: int, member_id: int) -> Row[Any] | None:
    """`month, day, entered_by, entered_at`, both null where it was erased; None where none was ever entered."""
    mine = birthdays.c.program_id == program_id, birthdays.c.member_id == member_id
    return session.execute(select(*_COLUMNS).where(*mine)).one_or_none()


def add_birthday(
    session: Session, program_id: int, member_id: int, birthday: Birthday, *, by: str, now: datetime
) -> bool:
    """Enter a member's first birthday; false when there is or was one."""
    row = {"program_id": program_id, "member_id": member_id, "month": birthday.month, "day": birthday.day}
    added = insert(birthdays).values(**row, entered_by=by, entered_at=now).on_conflict_do_nothing()
    return session.execute(added.returning(birthdays.c.member_id)).one_or_none() is not None


def put_birthdays(
    session: Session, program_id: int, given: Mapping[int, Birthday], *, by: str, now: datetime
) -> list[int]:
    """Enter or correct birthdays by member; returns whose changed."""
    values = {
        "p": program_id,
        "m": arrays.numbers(given),
        "n": arrays.numbers(one.month for one in given.values()),
        "d": arrays.numbers(one.day for one in given.values()),
    }
    return list(session.execute(_PUT, {**values, "by": by, "at": now}).scalars())


def erase_birthday(session: Session, program_id: int, member_id: int, *, by: str, now: datetime) -> bool:
    """Wipe the day; false when there is none."""
    mine = update(birthdays).where(
        birthdays.c.program_id == program_id, birthdays.c.member_id == member_id, birthdays.c.month.is_not(None)
    )
    wiped = mine.values(month=None, day=None, entered_by=by, entered_at=now).returning(birthdays.c.member_id)
    return session.execute(wiped).one_or_none() is not None


def list_erased(session: Session, program_id: int, member_ids: Sequence[int]) -> list[int]:
    """Those of the members whose birthday was erased, in order."""
    mine = select(birthdays.c.member_id).where(
        birthdays.c.program_id == program_id, birthdays.c.member_id.in_(member_ids), birthdays.c.month.is_(None)
    )
    return list(session.execute(mine.order_by(birthdays.c.member_id)).scalars())


def list_born_on(
    session: Session, program_id: int, days: Sequence[Birthday], *, entered_before: datetime, after: int, limit: int
) -> list[int]:
    """The next members behind `after`, by id, with one of the birthdays, entered before that instant."""
    mine = text(
        "SELECT b.member_id FROM levels_birthdays b JOIN unnest(CAST(:n AS smallint[]), CAST(:d AS smallint[]))"
        " AS k(n, d) ON (b.month, b.day) = (k.n, k.d) WHERE b.program_id = :p AND b.month IS NOT NULL"
        " AND b.entered_at < :before AND b.member_id > :after ORDER BY b.member_id LIMIT :limit"
    )
    values = {"n": arrays.numbers(one.month for one in days), "d": arrays.numbers(one.day for one in days)}
    more = {"p": program_id, "before": entered_before, "after": after, "limit": limit}
    return list(session.execute(mine, {**values, **more}).scalars())


def mark_told(
    session: Session, program_id: int, kind: Kind, year: int, member_ids: Sequence[int], *, now: datetime
) -> set[int]:
    """Note that these are told for the year; returns those who were not yet."""
    values = {"p": program_id, "k": kind, "y": year, "m": arrays.numbers(member_ids), "at": now}
    return set(session.execute(_TELL, values).scalars())


def list_done(session: Session) -> dict[int, date]:
    """The last day that is done, by program."""
    return {row.program_id: row.done_on for row in session.execute(select(done))}


def mark_done(session: Session, program_id: int, day: date) -> None:
    """The program's days until that one, itself included, are done; never back."""
    values = insert(done).values(program_id=program_id, done_on=day)
    later = {"done_on": func.greatest(done.c.done_on, day)}
    session.execute(values.on_conflict_do_update(index_elements=["program_id"], set_=later))
