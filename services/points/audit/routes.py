"""The audit log over HTTP: heads, keys and consistency for everybody signed in, proofs of entries for their owners."""

from typing import Any

from common.http.callers import ANY_STAFF, MEMBER, SERVICE, Allow, owner, system
from common.http.routes import Routes
from common.identity import Identity
from services.points.audit import schemas, use_cases
from services.points.audit.domain import Consistency, Head, Inclusion
from services.points.audit.receipts import present
from services.points.audit.wordings import WORDINGS
from services.points.database import transaction

routes = Routes(
    "sealed-log", wordings=WORDINGS, description="The sealed log of all entries: signed heads, proofs, receipts"
)

_SIGNED_IN = (MEMBER, ANY_STAFF, Allow("system"), SERVICE)
_READERS = (MEMBER, ANY_STAFF, system("read"), SERVICE)


@routes.get("/audit/head", allow=_SIGNED_IN, answer=schemas.HeadResponse)
def show_head(caller: Identity) -> Head:
    """The newest signed head. Keep it: a later log that does not contain it was rewritten."""
    with transaction() as session:
        return use_cases.newest_head(session, program_id=caller.program_id)


@routes.get("/audit/heads", allow=_SIGNED_IN, query=schemas.HeadsQuery, answer=schemas.HeadsResponse)
def list_heads(caller: Identity, query: dict[str, Any]) -> dict[str, Any]:
    """Every signed head, newest first."""
    with transaction() as session:
        return use_cases.list_heads(session, program_id=caller.program_id, **query)


@routes.get("/audit/keys", allow=_SIGNED_IN, answer=schemas.KeysResponse)
def list_keys(caller: Identity) -> dict[str, Any]:
    """The public keys that signed heads, also those no longer used."""
    with transaction() as session:
        return use_cases.list_keys(session)


@routes.get("/audit/inclusion", allow=_READERS, query=schemas.InclusionQuery, answer=schemas.InclusionResponse)
def prove_inclusion(caller: Identity, query: dict[str, Any]) -> Inclusion:
    """That an entry is under a signed head (RFC 6962 audit path)."""
    member = owner(caller, query.pop("member_id", None))
    with transaction() as session:
        return use_cases.prove_inclusion(session, program_id=caller.program_id, member_id=member, **query)


@routes.get("/audit/consistency", allow=_SIGNED_IN, query=schemas.ConsistencyQuery, answer=schemas.ConsistencyResponse)
def prove_consistency(caller: Identity, query: dict[str, Any]) -> Consistency:
    """That the log only grew between two signed heads (RFC 6962 consistency proof)."""
    with transaction() as session:
        return use_cases.prove_consistency(session, program_id=caller.program_id, **query)


@routes.get(
    "/audit/receipts/<code:asset>/<id:seq>",
    allow=_READERS,
    query=schemas.ReceiptQuery,
    answer=schemas.ReceiptResponse,
    ready=True,
)
def show_receipt(caller: Identity, asset: str, seq: int, query: dict[str, Any]) -> dict[str, Any]:
    """A receipt of one entry: it can be checked for ever without us, by a small script (docs/receipts.md)."""
    member = owner(caller, query.get("member_id"))
    with transaction() as session:
        return present(use_cases.receipt(session, program_id=caller.program_id, member_id=member, asset=asset, seq=seq))
