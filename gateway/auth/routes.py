"""Sessions over HTTP."""

from typing import Any

from flask import request

from common.clock import now
from common.http.callers import ANY_STAFF, MEMBER, Allow
from common.http.routes import Routes
from common.identity import Identity
from gateway.auth import use_cases
from gateway.auth.schemas import (
    CallerResponse,
    MemberSessionRequest,
    MemberSessionResponse,
    PasswordRequest,
    StaffSessionRequest,
    StaffSessionResponse,
)
from gateway.auth.use_cases import Session
from gateway.auth.wordings import WORDINGS
from gateway.database import transaction
from gateway.limits import policies
from gateway.limits.address import client_address
from gateway.limits.limiter import limiter
from gateway.programs import use_cases as programs
from gateway.programs.domain import UnknownProgram
from gateway.programs.wordings import WORDINGS as PROGRAM_WORDINGS
from gateway.staff import use_cases as staff
from gateway.staff.domain import Staff
from gateway.staff.versions import versions

# Programs have no routes of their own; whoever signs in names one.
routes = Routes("sessions", wordings={**PROGRAM_WORDINGS, **WORDINGS}, description="Signing in")


@routes.post("/sessions/member", allow=(), body=MemberSessionRequest, answer=MemberSessionResponse, status=201)
def sign_in_member(body: dict[str, Any]) -> Session:
    """Sign a member in with their provider's code; who comes for the first time becomes a member.

    The token lasts two hours; sign in again for another.
    """
    _limit_address()
    with transaction() as session:
        program = programs.show_program(session, code=body["program"])
    return use_cases.sign_in_member(program, provider=body["provider"], code=body["code"], now=now())


@routes.post("/sessions/staff", allow=(), body=StaffSessionRequest, answer=StaffSessionResponse, status=201)
def sign_in_staff(body: dict[str, Any]) -> Session:
    """Sign staff in by password. The token lasts eight hours, or until password, roles or state change.

    Five wrong passwords for a name, and every further one has to wait half a minute.
    """
    _limit_address()
    person = _prove(body["program"], body["name"], body["password"])
    return use_cases.sign_in_staff(person, now=now())


@routes.get("/sessions/current", allow=(MEMBER, ANY_STAFF, Allow("system")), answer=CallerResponse)
def show_caller(caller: Identity) -> Identity:
    """Who am I?"""
    return caller


@routes.put("/sessions/current/password", allow=(ANY_STAFF,), body=PasswordRequest, answer=StaffSessionResponse)
def change_password(caller: Identity, body: dict[str, Any]) -> Session:
    """Change one's own password. All tokens of before end; the answer holds a new one."""
    password_hash = staff.hashed(body["new_password"], caller.subject)
    proven = _prove_staff(caller.program_id, caller.subject, body["current_password"])
    with transaction() as session:
        person = staff.change_password(session, proven=proven, password_hash=password_hash)
    versions.forget((person.program_id, person.name))
    return use_cases.sign_in_staff(person, now=now())


def _limit_address() -> None:
    limiter.take(f"login:{client_address(request.environ)}", policies.LOGIN_ADDRESS)


def _prove(program: str, name: str, password: str) -> Staff:
    with transaction() as session:
        try:
            program_id = programs.show_program(session, code=program).program_id
        except UnknownProgram:
            # Not said: it would tell strangers which programs there are. No program has the id 0.
            program_id = 0
    return _prove_staff(program_id, name, password)


def _prove_staff(program_id: int, name: str, password: str) -> Staff:
    """Every try costs a token of the name until it proves right, so tries at once do not get around the limit."""
    bucket = f"login:{program_id}:{name}"
    limiter.take(bucket, policies.LOGIN_NAME)
    with transaction() as session:
        credentials = staff.find_credentials(session, program_id=program_id, name=name)
    person = staff.prove(credentials, password)
    limiter.give_back(bucket)
    return person
