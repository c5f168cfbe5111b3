"""Redemption codes over HTTP: sets for marketers, redemption for members."""

from typing import Any

from flask import Response

from common.clock import now
from common.http.callers import ANY_STAFF, MEMBER, staff
from common.http.routes import Routes
from common.http.spreadsheets import Heading, csv_answer
from common.identity import Identity
from services.points.codes import schemas, use_cases
from services.points.codes.domain import Terms
from services.points.codes.wordings import WORDINGS
from services.points.database import transaction

routes = Routes("codes", wordings=WORDINGS, description="Codes that members type or scan, and that rules reward")

_MARKETERS = (staff("marketer"),)
_COLUMNS = {
    "number": Heading("Number", "序号"),
    "code": Heading("Code", "兑换码"),
    "uses": Heading("Uses", "使用次数"),
}


@routes.put("/code-sets/<code:code>", allow=_MARKETERS, body=schemas.CodeSetRequest, answer=schemas.CodeSetFigures)
def put_set(caller: Identity, code: str, body: Terms) -> dict[str, Any]:
    """Make a set of codes; the same request again changes nothing. Many codes are made in the background: `made`."""
    with transaction() as session:
        return use_cases.put_set(
            session, program_id=caller.program_id, code=code, terms=body, by=caller.actor, now=now()
        )


@routes.get("/code-sets", allow=(ANY_STAFF,), answer=schemas.CodeSetList)
def list_sets(caller: Identity) -> dict[str, Any]:
    """Every set."""
    with transaction() as session:
        return {"code_sets": use_cases.list_sets(session, program_id=caller.program_id)}


@routes.get("/code-sets/<code:code>", allow=(ANY_STAFF,), answer=schemas.CodeSetFigures)
def show_set(caller: Identity, code: str) -> dict[str, Any]:
    """A set, its progress, and how its codes were redeemed."""
    with transaction() as session:
        return use_cases.show_set(session, program_id=caller.program_id, code=code)


@routes.post("/code-sets/<code:code>/closure", allow=_MARKETERS, answer=schemas.CodeSetFigures, once=True)
def close_set(session: Any, caller: Identity, code: str) -> dict[str, Any]:
    """Let no code of the set be redeemed from now on, e.g. because a printer lost them."""
    return use_cases.close_set(session, program_id=caller.program_id, code=code, by=caller.actor, now=now())


@routes.post("/code-sets/<code:code>/export", allow=_MARKETERS, body=schemas.ExportRequest)
def take_out(caller: Identity, code: str, body: dict[str, Any]) -> Response:
    """The codes themselves, as CSV, up to 100,000 at a time. A POST, so that it is on record who took them out."""
    with transaction() as session:
        rows = use_cases.take_out(session, program_id=caller.program_id, code=code, **body)
    return csv_answer(f"codes-{code}", _COLUMNS, rows)


@routes.post(
    "/codes/redemption",
    allow=(MEMBER,),
    body=schemas.RedemptionRequest,
    answer=schemas.RedemptionResponse,
    once=True,
)
def redeem(session: Any, caller: Identity, body: dict[str, Any]) -> use_cases.Redeemed:
    """Redeem a code: used and rewarded, or refused and unused."""
    return use_cases.redeem(
        session, program_id=caller.program_id, member_id=caller.member_id, text=body["code"], now=now()
    )
