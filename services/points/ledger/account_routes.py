"""Reading the ledger over HTTP: members what is theirs, staff, systems and neighbours what they ask for."""

from typing import Any

from common.clock import now
from common.http.callers import ANY_STAFF, MEMBER, SERVICE, owner, staff, system
from common.http.routes import Routes
from common.identity import Identity
from services.points.database import transaction
from services.points.ledger import schemas, use_cases
from services.points.ledger.balances import Balance, Statement

routes = Routes("accounts", description="What members own, and why")

_READERS = (MEMBER, ANY_STAFF, system("read"), SERVICE)
_ACCOUNTANTS = (staff("finance"), staff("marketer"), system("read"))


@routes.get("/accounts", allow=_READERS, query=schemas.OwnerQuery, answer=schemas.AccountListResponse)
def list_accounts(caller: Identity, query: dict[str, Any]) -> dict[str, list[Balance]]:
    """What a member owns, asset by asset."""
    member = owner(caller, query.get("member_id"))
    with transaction() as session:
        found = use_cases.show_accounts(session, program_id=caller.program_id, member_id=member, now=now())
    return {"accounts": found}


@routes.get("/accounts/<code:asset>", allow=_READERS, query=schemas.OwnerQuery, answer=schemas.AccountResponse)
def show_account(caller: Identity, asset: str, query: dict[str, Any]) -> Balance:
    """What a member owns of one asset, by bucket, and what expires when."""
    member = owner(caller, query.get("member_id"))
    with transaction() as session:
        return use_cases.show_account(session, program_id=caller.program_id, member_id=member, asset=asset, now=now())


@routes.get(
    "/accounts/<code:asset>/entries", allow=_READERS, query=schemas.EntriesQuery, answer=schemas.EntriesResponse
)
def list_entries(caller: Identity, asset: str, query: dict[str, Any]) -> dict[str, Any]:
    """The account's journal, newest first, each entry with its cause."""
    member = owner(caller, query.pop("member_id", None))
    with transaction() as session:
        return use_cases.list_entries(session, program_id=caller.program_id, member_id=member, asset=asset, **query)


@routes.get(
    "/accounts/<code:asset>/statement", allow=_READERS, query=schemas.StatementQuery, answer=schemas.StatementResponse
)
def show_statement(caller: Identity, asset: str, query: dict[str, Any]) -> Statement:
    """A member's month: opening balance, entries with causes, closing balance."""
    member = owner(caller, query.pop("member_id", None))
    with transaction() as session:
        return use_cases.statement(
            session, program_id=caller.program_id, member_id=member, asset=asset, now=now(), **query
        )


@routes.get(
    "/assets/<code:asset>/totals",
    allow=(staff("finance"), staff("marketer"), system("read")),
    answer=schemas.TotalsResponse,
)
def show_totals(caller: Identity, asset: str) -> dict[str, Any]:
    """What was issued, redeemed, expired and is outstanding of an asset."""
    with transaction() as session:
        return use_cases.asset_totals(session, program_id=caller.program_id, asset=asset, now=now())
