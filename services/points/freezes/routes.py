"""Freezing over HTTP, for customer service and finance."""

from typing import Any

from sqlmodel import Session

from common.clock import now
from common.http.callers import staff
from common.http.routes import Routes
from common.identity import Identity
from services.points.freezes import schemas, use_cases
from services.points.ledger.domain import Kind

routes = Routes("freezes", description="Accounts that nothing can be taken from for the time being")

_WARDENS = (staff("customer_service"), staff("finance"))


# Not below /accounts, where the next word is the code of an asset.
@routes.post("/freezes", allow=_WARDENS, body=schemas.FreezeRequest, answer=schemas.FreezeAllResponse, once=True)
def freeze_all(session: Session, caller: Identity, body: dict[str, Any]) -> dict[str, Any]:
    """Freeze every account of a member: nothing can be spent, held or sent; earning and expiry go on."""
    return use_cases.turn_all(session, program_id=caller.program_id, kind=Kind.FREEZE, by=caller, now=now(), **body)


@routes.post("/unfreezes", allow=_WARDENS, body=schemas.FreezeRequest, answer=schemas.FreezeAllResponse, once=True)
def unfreeze_all(session: Session, caller: Identity, body: dict[str, Any]) -> dict[str, Any]:
    """Unfreeze every account of a member."""
    return use_cases.turn_all(session, program_id=caller.program_id, kind=Kind.UNFREEZE, by=caller, now=now(), **body)


@routes.post(
    "/accounts/<code:asset>/freeze",
    allow=_WARDENS,
    body=schemas.FreezeRequest,
    answer=schemas.FreezeResponse,
    once=True,
)
def freeze(session: Session, caller: Identity, asset: str, body: dict[str, Any]) -> dict[str, Any]:
    """Freeze one account of a member: nothing can be spent, held or sent from it; earning and expiry go on."""
    return use_cases.turn(
        session, program_id=caller.program_id, kind=Kind.FREEZE, asset=asset, by=caller, now=now(), **body
    )


@routes.post(
    "/accounts/<code:asset>/unfreeze",
    allow=_WARDENS,
    body=schemas.FreezeRequest,
    answer=schemas.FreezeResponse,
    once=True,
)
def unfreeze(session: Session, caller: Identity, asset: str, body: dict[str, Any]) -> dict[str, Any]:
    """Unfreeze one account of a member."""
    return use_cases.turn(
        session, program_id=caller.program_id, kind=Kind.UNFREEZE, asset=asset, by=caller, now=now(), **body
    )
