"""Partners and exchanges over HTTP: staff set partners up, a partner's own API key exchanges."""

import uuid
from typing import Any

from sqlmodel import Session

from common.clock import now
from common.http.callers import ANY_STAFF, MEMBER, owner, staff, system
from common.http.routes import Routes
from common.identity import Identity
from services.points.database import transaction
from services.points.exchanges import schemas, use_cases
from services.points.exchanges.domain import Direction, Exchange, Partner, Terms
from services.points.exchanges.wordings import WORDINGS

routes = Routes("exchanges", wordings=WORDINGS, description="Points for a partner's units and back, at a fixed rate")

_PARTNER = system("exchange")
_READERS = (ANY_STAFF, system("read"), _PARTNER)


@routes.put(
    "/partners/<code:code>",
    allow=(staff("marketer"),),
    body=schemas.PartnerRequest,
    answer=schemas.PartnerResponse,
)
def configure_partner(caller: Identity, code: str, body: dict[str, Any]) -> Partner:
    """Make a partner or change it; exchanges made before keep their rate."""
    given = {Direction.OUT: body.pop("out"), Direction.IN: body.pop("into")}
    terms = {direction: Terms(**one) for direction, one in given.items() if one is not None}
    with transaction() as session:
        return use_cases.configure_partner(
            session,
            program_id=caller.program_id,
            actor=caller.actor,
            partner=Partner(code=code, terms=terms, **body),
        )


@routes.get("/partners", allow=_READERS, answer=schemas.PartnerListResponse)
def list_partners(caller: Identity) -> dict[str, list[Partner]]:
    """The partners with their rates and caps; a partner's key sees those for which it acts."""
    with transaction() as session:
        found = use_cases.list_partners(session, program_id=caller.program_id, key_id=_only(caller))
    return {"partners": found}


@routes.get("/partners/<code:code>", allow=_READERS, answer=schemas.PartnerResponse)
def show_partner(caller: Identity, code: str) -> Partner:
    """One partner."""
    with transaction() as session:
        return use_cases.show_partner(session, program_id=caller.program_id, code=code, key_id=_only(caller))


@routes.post(
    "/exchanges",
    allow=(_PARTNER,),
    body=schemas.ExchangeRequest,
    answer=schemas.ExchangeResponse,
    status=201,
    once=True,
)
def exchange(session: Session, caller: Identity, body: dict[str, Any]) -> Exchange:
    """Exchange a member's points for the partner's units, or units for points, once per order of the partner's."""
    return use_cases.exchange(
        session,
        program_id=caller.program_id,
        actor=caller.actor,
        key_id=caller.subject,
        now=now(),
        **body,
    )


@routes.post(
    "/exchanges/<uuid:exchange_id>/reversal",
    allow=(_PARTNER, staff("customer_service"), staff("finance")),
    body=schemas.ExchangeReversalRequest,
    answer=schemas.ExchangeResponse,
    once=True,
)
def reverse(session: Session, caller: Identity, exchange_id: uuid.UUID, body: dict[str, Any]) -> Exchange:
    """Undo an exchange wholly: points return to their lots or are taken back, and its day's caps are freed."""
    return use_cases.reverse(
        session,
        program_id=caller.program_id,
        actor=caller.actor,
        exchange_id=exchange_id,
        key_id=caller.subject if caller.kind == "system" else None,
        reason=body["reason"],
        now=now(),
    )


@routes.get("/exchanges", allow=(MEMBER, *_READERS), query=schemas.ExchangesQuery, answer=schemas.ExchangeListResponse)
def list_exchanges(caller: Identity, query: dict[str, Any]) -> dict[str, Any]:
    """Exchanges, newest first."""
    member = query.pop("member_id")
    if caller.kind == "member":
        member = owner(caller, member)
    with transaction() as session:
        return use_cases.list_exchanges(
            session, program_id=caller.program_id, member_id=member, key_id=_only(caller), **query
        )


@routes.get("/exchanges/<uuid:exchange_id>", allow=(MEMBER, *_READERS), answer=schemas.ExchangeResponse)
def show(caller: Identity, exchange_id: uuid.UUID) -> Exchange:
    """One exchange."""
    with transaction() as session:
        return use_cases.show(
            session,
            program_id=caller.program_id,
            exchange_id=exchange_id,
            member_id=caller.member_id if caller.kind == "member" else None,
            key_id=_only(caller),
        )


def _only(caller: Identity) -> str | None:
    """The key to whose partners a caller is confined; None for who may read all."""
    return caller.subject if caller.kind == "system" and "read" not in caller.roles else None
