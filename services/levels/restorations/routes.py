"""Restorations over HTTP."""

from typing import Any

from sqlmodel import Session

from common import clock
from common.http.callers import staff
from common.http.routes import Routes
from common.identity import Identity
from services.levels.restorations import use_cases
from services.levels.restorations.domain import Restoration
from services.levels.restorations.schemas import RestorationRequest, RestorationResponse
from services.levels.restorations.wordings import WORDINGS

routes = Routes("restorations", wordings=WORDINGS, description="Giving a broken streak back")


@routes.post(
    "/checkins/members/<id:member_id>/<code:code>/restorations",
    allow=(staff("customer_service"),),
    body=RestorationRequest,
    answer=RestorationResponse,
    status=201,
    once=True,
)
def restore(session: Session, caller: Identity, member_id: int, code: str, body: dict[str, Any]) -> Restoration:
    """Give a member days back that they missed, so that their streak goes on; it is kept who did it and why."""
    mine: dict[str, Any] = {"program_id": caller.program_id, "member_id": member_id, "campaign": code}
    return use_cases.restore(session, **mine, **body, by=caller.actor, now=clock.now())
