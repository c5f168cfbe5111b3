"""Members and staff sign in."""

from dataclasses import dataclass
from datetime import datetime

from common.identity import Identity
from common.settings import settings
from gateway.auth import tokens
from gateway.auth.clients import resolve_member
from gateway.auth.domain import MEMBER_TOKEN_LIFE, STAFF_TOKEN_LIFE, Claims
from gateway.auth.login import login
from gateway.programs.domain import Program
from gateway.staff.domain import Staff


@dataclass(frozen=True, slots=True)
class Session:
    """A token, for whom, and until when."""

    token: str
    expires_at: datetime
    identity: Identity


def sign_in_member(program: Program, *, provider: str, code: str, now: datetime) -> Session:
    """A member by their provider's code; who comes for the first time becomes a member. No transaction is open here.

    Raises the refusals of `Login.identify`, `NeighbourUnavailable`.
    """
    identity = login(provider).identify(program, code)
    member_id = resolve_member(program.program_id, identity)
    member = Identity("member", program.program_id, str(member_id))
    return _session(member, version=0, expires_at=now + MEMBER_TOKEN_LIFE)


def sign_in_staff(person: Staff, *, now: datetime) -> Session:
    """A person who has proven to be staff."""
    identity = Identity("staff", person.program_id, person.name, person.roles)
    return _session(identity, version=person.version, expires_at=now + STAFF_TOKEN_LIFE)


def _session(identity: Identity, *, version: int, expires_at: datetime) -> Session:
    expires_at = expires_at.replace(microsecond=0)
    claims = Claims(identity, version, int(expires_at.timestamp()))
    return Session(tokens.issue(claims, secret=settings().secret("session")), expires_at, identity)
