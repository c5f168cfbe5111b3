"""API keys are made, given a new secret, and revoked."""

import secrets
from dataclasses import replace
from datetime import datetime

from sqlmodel import Session

from gateway.keys import repository
from gateway.keys.domain import ApiKey, KeyNameTaken, KeyRevoked, check


def create_key(session: Session, *, program_id: int, name: str, scopes: frozenset[str], rate_per_second: int) -> ApiKey:
    """A new key. Raises `BadKey`, `KeyNameTaken`."""
    check(name, scopes, rate_per_second)
    key = ApiKey(program_id, f"k{secrets.token_hex(10)}", name, scopes, rate_per_second, generation=1, revoked=False)
    if not repository.add_key(session, key):
        raise KeyNameTaken(name=name)
    return key


def ensure_key(session: Session, *, program_id: int, name: str, scopes: frozenset[str], rate_per_second: int) -> ApiKey:
    """The operator's way: the living key of that name, made if there was none. Raises `KeyNameTaken` if it differs."""
    known = repository.find_alive(session, program_id, name)
    if known is None:
        return create_key(session, program_id=program_id, name=name, scopes=scopes, rate_per_second=rate_per_second)
    if (known.scopes, known.rate_per_second) != (scopes, rate_per_second):
        raise KeyNameTaken(name=name)
    return known


def list_keys(session: Session, *, program_id: int) -> list[ApiKey]:
    """The program's keys, the newest first."""
    return repository.list_keys(session, program_id)


def rotate_key(session: Session, *, program_id: int, key_id: str) -> ApiKey:
    """Give the key its next secret; the one before ends within seconds. Raises `UnknownKey`, `KeyRevoked`."""
    key = repository.lock_key(session, program_id, key_id)
    if key.revoked:
        raise KeyRevoked(key=key_id)
    key = replace(key, generation=key.generation + 1)
    repository.mark_rotated(session, key)
    return key


def revoke_key(session: Session, *, program_id: int, key_id: str, now: datetime) -> ApiKey:
    """End the key, within seconds and for ever; once more changes nothing. Raises `UnknownKey`."""
    key = repository.lock_key(session, program_id, key_id)
    if not key.revoked:
        repository.mark_revoked(session, key, now)
    return replace(key, revoked=True)


def show_key(session: Session, *, key_id: str) -> ApiKey:
    """The key of that id, whoever owns it, for the door; raises `UnknownKey`."""
    return repository.get_key(session, key_id)
