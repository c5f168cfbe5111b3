"""Every SQL statement over API keys."""

from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session

from gateway.keys.domain import ApiKey, UnknownKey
from gateway.keys.models import api_keys


def get_key(session: Session, key_id: str) -> ApiKey:
    """The key of that id, of whatever program; raises `UnknownKey`."""
    return _one(session, select(api_keys).where(api_keys.c.id == key_id), key_id)


def lock_key(session: Session, program_id: int, key_id: str) -> ApiKey:
    """The program's key, with everybody else who locks it waiting; raises `UnknownKey`."""
    mine = select(api_keys).where(api_keys.c.program_id == program_id, api_keys.c.id == key_id)
    return _one(session, mine.with_for_update(), key_id)


def find_alive(session: Session, program_id: int, name: str) -> ApiKey | None:
    """The living key of that name, or None."""
    alive = select(api_keys).where(
        api_keys.c.program_id == program_id, api_keys.c.name == name, api_keys.c.revoked_at.is_(None)
    )
    row = session.execute(alive).one_or_none()
    return None if row is None else _key(row)


def list_keys(session: Session, program_id: int) -> list[ApiKey]:
    """The program's keys, the newest first, the revoked too."""
    mine = select(api_keys).where(api_keys.c.program_id == program_id)
    return [_key(row) for row in session.execute(mine.order_by(api_keys.c.created_at.desc(), api_keys.c.id))]


def add_key(session: Session, key: ApiKey) -> bool:
    """Insert the key; false when a living one has its name."""
    row = insert(api_keys).values(
        program_id=key.program_id,
        id=key.id,
        name=key.name,
        scopes=sorted(key.scopes),
        rate_per_second=key.rate_per_second,
        generation=key.generation,
    )
    unless = row.on_conflict_do_nothing(
        index_elements=["program_id", "name"], index_where=text("revoked_at IS NULL")
    ).returning(api_keys.c.id)
    return session.execute(unless).first() is not None


def mark_rotated(session: Session, key: ApiKey) -> None:
    """Write the key's generation."""
    mine = update(api_keys).where(api_keys.c.program_id == key.program_id, api_keys.c.id == key.id)
    session.execute(mine.values(generation=key.generation))


def mark_revoked(session: Session, key: ApiKey, now: datetime) -> None:
    """Write when the key ended."""
    mine = update(api_keys).where(api_keys.c.program_id == key.program_id, api_keys.c.id == key.id)
    session.execute(mine.values(revoked_at=now))


def _one(session: Session, wanted: Select[Any], key_id: str) -> ApiKey:
    row = session.execute(wanted).one_or_none()
    if row is None:
        raise UnknownKey(key=key_id)
    return _key(row)


def _key(row: Row[Any]) -> ApiKey:
    return ApiKey(
        row.program_id,
        row.id,
        row.name,
        frozenset(row.scopes),
        row.rate_per_second,
        row.generation,
        row.revoked_at is not None,
    )
