"""Staff come, change and go; their passwords sign them in."""

from dataclasses import replace

from sqlmodel import Session

from gateway.programs import use_cases as programs
from gateway.staff import repository
from gateway.staff.domain import (
    BadCredentials,
    Staff,
    StaffExists,
    check,
    check_admin_remains,
    check_password,
)
from gateway.staff.passwords import hash_password, is_password


def hire(session: Session, *, program_id: int, name: str, roles: frozenset[str], password_hash: str) -> Staff:
    """New staff. Raises `BadStaff`, `StaffExists`."""
    check(name, roles)
    person = Staff(program_id, name, roles, disabled=False, version=1)
    if not repository.add_staff(session, person, password_hash):
        raise StaffExists(name=name)
    return person


def put_staff(
    session: Session, *, program_id: int, name: str, roles: frozenset[str], disabled: bool, password_hash: str | None
) -> Staff:
    """Set roles and state of a person, and a new password when given; old tokens end unless nothing changed.

    Raises `UnknownStaff`, `BadStaff`, `LastAdmin`.
    """
    check(name, roles)
    programs.lock_program(session, program_id=program_id)
    before = repository.get_staff(session, program_id, name)
    after = replace(before, roles=roles, disabled=disabled)
    if after == before and password_hash is None:
        return before
    check_admin_remains(before, after, other_admins=repository.count_other_admins(session, program_id, name))
    after = replace(after, version=before.version + 1)
    repository.update_staff(session, after, password_hash)
    return after


def install(session: Session, *, program_id: int, name: str, roles: frozenset[str], password_hash: str) -> Staff:
    """The operator's way in, also back in: the person with these roles, enabled, with this password, new or not."""
    check(name, roles)
    if repository.find_staff(session, program_id, name) is None:
        return hire(session, program_id=program_id, name=name, roles=roles, password_hash=password_hash)
    return put_staff(
        session, program_id=program_id, name=name, roles=roles, disabled=False, password_hash=password_hash
    )


def list_staff(session: Session, *, program_id: int) -> list[Staff]:
    """The program's staff by name."""
    return repository.list_staff(session, program_id)


def show_staff(session: Session, *, program_id: int, name: str) -> Staff:
    """One person; raises `UnknownStaff`."""
    return repository.get_staff(session, program_id, name)


def find_credentials(session: Session, *, program_id: int, name: str) -> tuple[Staff, str] | None:
    """The person and the stored hash, or None; `prove` them outside the transaction."""
    return repository.find_credentials(session, program_id, name)


def prove(credentials: tuple[Staff, str] | None, password: str) -> Staff:
    """The enabled person whose password this is. Raises `BadCredentials`, after the same time for whatever reason."""
    person, stored_hash = credentials if credentials else (None, None)
    if not is_password(password, stored_hash) or person is None or person.disabled:
        raise BadCredentials()
    return person


def change_password(session: Session, *, proven: Staff, password_hash: str) -> Staff:
    """Give a proven person another password; their tokens end. Raises `BadCredentials` if they changed meanwhile."""
    programs.lock_program(session, program_id=proven.program_id)
    if repository.get_staff(session, proven.program_id, proven.name) != proven:
        raise BadCredentials()
    after = replace(proven, version=proven.version + 1)
    repository.update_staff(session, after, password_hash)
    return after


def hashed(password: str, name: str) -> str:
    """The hash of a password that is good enough for this name; raises `WeakPassword`."""
    check_password(password, name)
    return hash_password(password)
