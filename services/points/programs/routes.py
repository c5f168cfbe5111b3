"""Program and asset set-up over HTTP."""

from typing import Any

from common.http.callers import ANY_STAFF, MEMBER, SERVICE, staff, system
from common.http.routes import Routes
from common.identity import Identity
from services.points.database import transaction
from services.points.programs import use_cases
from services.points.programs.domain import Asset, Program
from services.points.programs.schemas import (
    AssetListResponse,
    AssetRequest,
    AssetResponse,
    ProgramRequest,
    ProgramResponse,
)
from services.points.programs.wordings import WORDINGS

routes = Routes("programs", wordings=WORDINGS, description="A program and what its members own")

_READERS = (MEMBER, ANY_STAFF, system("read"), SERVICE)
_SETTERS = (staff("marketer"),)


@routes.put("/program", allow=_SETTERS, body=ProgramRequest, answer=ProgramResponse)
def configure_program(caller: Identity, body: dict[str, Any]) -> Program:
    """Set up the program: name, time zone of its business days, currency."""
    with transaction() as session:
        return use_cases.configure_program(session, program_id=caller.program_id, **body)


@routes.get("/program", allow=_READERS, answer=ProgramResponse)
def show_program(caller: Identity) -> Program:
    """The program as it stands."""
    with transaction() as session:
        return use_cases.show_program(session, program_id=caller.program_id)


@routes.put("/assets/<code:code>", allow=_SETTERS, body=AssetRequest, answer=AssetResponse)
def configure_asset(caller: Identity, code: str, body: dict[str, Any]) -> Asset:
    """Create an asset, or change it; what was earned before keeps its expiry."""
    with transaction() as session:
        return use_cases.configure_asset(session, program_id=caller.program_id, code=code, **body)


@routes.get("/assets", allow=_READERS, answer=AssetListResponse)
def list_assets(caller: Identity) -> dict[str, list[Asset]]:
    """What members of the program can own."""
    with transaction() as session:
        return {"assets": use_cases.list_assets(session, program_id=caller.program_id)}
