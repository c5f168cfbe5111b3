"""Every SQL statement over staff."""

from typing import Any

from sqlalchemy import Row, any_, func, literal, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session

from gateway.staff.domain import Staff, UnknownStaff
from gateway.staff.models import staff

_COLUMNS = (staff.c.program_id, staff.c.name, staff.c.roles, staff.c.disabled, staff.c.version)


def find_staff(session: Session, program_id: int, name: str) -> Staff | None:
    """The person, or None."""
    row = session.execute(select(*_COLUMNS).where(_is(program_id, name))).one_or_none()
    return None if row is None else _staff(row)


def get_staff(session: Session, program_id: int, name: str) -> Staff:
    """The person; raises `UnknownStaff`."""
    found = find_staff(session, program_id, name)
    if found is None:
        raise UnknownStaff(name=name)
    return found


def find_credentials(session: Session, program_id: int, name: str) -> tuple[Staff, str] | None:
    """The person and the hash of their password, or None."""
    row = session.execute(select(*_COLUMNS, staff.c.password_hash).where(_is(program_id, name))).one_or_none()
    return None if row is None else (_staff(row), row.password_hash)


def list_staff(session: Session, program_id: int) -> list[Staff]:
    """The program's staff by name, the disabled too."""
    mine = select(*_COLUMNS).where(staff.c.program_id == program_id).order_by(staff.c.name)
    return [_staff(row) for row in session.execute(mine)]


def count_other_admins(session: Session, program_id: int, name: str) -> int:
    """How many enabled admins there are besides this person."""
    others = select(func.count()).where(
        staff.c.program_id == program_id,
        staff.c.name != name,
        ~staff.c.disabled,
        literal("admin") == any_(staff.c.roles),
    )
    return int(session.execute(others).scalar_one())


def add_staff(session: Session, person: Staff, password_hash: str) -> bool:
    """Insert the person; false when there is one of that name already."""
    row = insert(staff).values(
        program_id=person.program_id,
        name=person.name,
        roles=sorted(person.roles),
        disabled=person.disabled,
        version=person.version,
        password_hash=password_hash,
    )
    return session.execute(row.on_conflict_do_nothing().returning(staff.c.name)).first() is not None


def update_staff(session: Session, person: Staff, password_hash: str | None = None) -> None:
    """Write roles, state and version; the password's hash too when given."""
    changes: dict[str, Any] = {
        "roles": sorted(person.roles),
        "disabled": person.disabled,
        "version": person.version,
        "changed_at": text("clock_timestamp()"),
    }
    if password_hash is not None:
        changes["password_hash"] = password_hash
    session.execute(update(staff).where(_is(person.program_id, person.name)).values(changes))


def _is(program_id: int, name: str) -> Any:
    return (staff.c.program_id == program_id) & (staff.c.name == name)


def _staff(row: Row[Any]) -> Staff:
    return Staff(row.program_id, row.name, frozenset(row.roles), row.disabled, row.version)
