"""Staff over HTTP: admins manage them."""

from typing import Any

from common.http.callers import staff
from common.http.routes import Routes
from common.identity import Identity
from gateway.database import transaction
from gateway.staff import use_cases
from gateway.staff.domain import Staff
from gateway.staff.schemas import StaffChange, StaffListResponse, StaffRequest, StaffResponse
from gateway.staff.versions import versions
from gateway.staff.wordings import WORDINGS

routes = Routes("staff", wordings=WORDINGS, description="Staff of the program and their roles")

_ADMIN = (staff("admin"),)


@routes.post("/staff", allow=_ADMIN, body=StaffRequest, answer=StaffResponse, status=201)
def hire(caller: Identity, body: dict[str, Any]) -> Staff:
    """Add a person; they sign in at once with the password given."""
    name, roles = body["name"], frozenset(body["roles"])
    password_hash = use_cases.hashed(body["password"], name)
    with transaction() as session:
        return use_cases.hire(
            session, program_id=caller.program_id, name=name, roles=roles, password_hash=password_hash
        )


@routes.get("/staff", allow=_ADMIN, answer=StaffListResponse)
def list_staff(caller: Identity) -> dict[str, list[Staff]]:
    """Everybody, the disabled too."""
    with transaction() as session:
        return {"staff": use_cases.list_staff(session, program_id=caller.program_id)}


@routes.put("/staff/<code:name>", allow=_ADMIN, body=StaffChange, answer=StaffResponse)
def put_staff(caller: Identity, name: str, body: dict[str, Any]) -> Staff:
    """Set roles, disable or enable, set a new password; the person's tokens end within seconds.

    The last enabled admin can be neither disabled nor lose the role.
    """
    password_hash = use_cases.hashed(body["password"], name) if body["password"] else None
    with transaction() as session:
        person = use_cases.put_staff(
            session,
            program_id=caller.program_id,
            name=name,
            roles=frozenset(body["roles"]),
            disabled=body["disabled"],
            password_hash=password_hash,
        )
    versions.forget((caller.program_id, name))
    return person
