"""Holds over HTTP: what is reserved for a spending, and what was earned and is not available yet."""

import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from common.clock import now
from common.http.callers import ANY_STAFF, MEMBER, SERVICE, owner, system
from common.http.routes import Routes
from common.identity import Identity
from services.points.database import transaction
from services.points.ledger import schemas, use_cases
from services.points.ledger.domain import Kind, Purpose
from services.points.ledger.teller import Posted, submit
from services.points.ledger.use_cases import Command

routes = Routes("holds", description="Points that are reserved, or earned and not available yet")

_READERS = (MEMBER, ANY_STAFF, system("read"), SERVICE)
_POSTERS = (system("ledger"), SERVICE)


@dataclass(frozen=True)
class ShownHold:
    """A hold as it is shown."""

    hold_id: uuid.UUID
    purpose: str
    member_id: int
    asset: str
    amount: int
    captured: int
    state: str
    expires_at: datetime
    posting_id: uuid.UUID | None = None
    seq: int | None = None
    replayed: bool = field(default=False)


@routes.post("/holds", allow=_POSTERS, body=schemas.HoldRequest, answer=schemas.HoldResponse, status=201, key=True)
def hold(caller: Identity, key: str, body: dict[str, Any]) -> ShownHold:
    """Reserve points until captured, voided or expired; an expiring lot cannot break the capture."""
    command = Command(scope=caller.actor, key=key, kind=Kind.HOLD, cause=f"{caller.actor} {key}", **body)
    posted = submit(caller.program_id, command)
    return _show(caller, posted.posting_id, body["member_id"], posted)


@routes.get("/holds/<uuid:hold_id>", allow=_READERS, query=schemas.OwnerQuery, answer=schemas.HoldResponse)
def show_hold(caller: Identity, hold_id: uuid.UUID, query: dict[str, Any]) -> ShownHold:
    """A hold of a member; a pending earning is one under the id of its posting."""
    return _show(caller, hold_id, owner(caller, query.get("member_id")))


@routes.post(
    "/holds/<uuid:hold_id>/capture",
    allow=_POSTERS,
    body=schemas.CaptureRequest,
    answer=schemas.HoldResponse,
    key=True,
)
def capture(caller: Identity, hold_id: uuid.UUID, key: str, body: dict[str, Any]) -> ShownHold:
    """Spend a hold, wholly or in part, once; the rest returns to its lots."""
    return _change(caller, hold_id, key, Kind.CAPTURE, body["member_id"], amount=body["amount"] or 0)


@routes.post(
    "/holds/<uuid:hold_id>/void", allow=_POSTERS, body=schemas.VoidRequest, answer=schemas.HoldResponse, key=True
)
def void(caller: Identity, hold_id: uuid.UUID, key: str, body: dict[str, Any]) -> ShownHold:
    """Give a hold up: everything returns to its lots and their days."""
    return _change(caller, hold_id, key, Kind.VOID, body["member_id"])


@routes.post(
    "/postings/<uuid:posting_id>/deferral",
    allow=_POSTERS,
    body=schemas.DeferralRequest,
    answer=schemas.HoldResponse,
    key=True,
)
def defer(caller: Identity, posting_id: uuid.UUID, key: str, body: dict[str, Any]) -> ShownHold:
    """Move the instant at which a pending earning becomes available, later or sooner; without one to now."""
    return _change(caller, posting_id, key, Kind.DEFER, body["member_id"], available_at=body["available_at"])


def _change(
    caller: Identity,
    hold_id: uuid.UUID,
    key: str,
    kind: Kind,
    member_id: int,
    *,
    amount: int = 0,
    available_at: datetime | None = None,
) -> ShownHold:
    held = _show(caller, hold_id, member_id)
    command = Command(
        scope=caller.actor,
        key=key,
        kind=kind,
        member_id=member_id,
        asset=held.asset,
        amount=amount,
        cause=f"{caller.actor} {key}",
        hold_id=hold_id.bytes,
        available_at=available_at,
    )
    return _show(caller, hold_id, member_id, submit(caller.program_id, command))


def _show(caller: Identity, hold_id: uuid.UUID, member_id: int, posted: Posted | None = None) -> ShownHold:
    with transaction() as session:
        row, state = use_cases.show_hold(
            session, program_id=caller.program_id, hold_id=hold_id, member_id=member_id, now=now()
        )
    return ShownHold(
        row.id,
        Purpose(row.purpose).name.lower(),
        row.member_id,
        row.asset,
        row.amount,
        row.captured,
        state.name.lower(),
        row.expires_at,
        posted.posting_id if posted else None,
        posted.seq if posted else None,
        bool(posted and posted.replayed),
    )
