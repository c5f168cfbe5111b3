"""Reading the ledger over HTTP: members what is theirs, staff, systems and neighbours what they ask for."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from common.clock import now
from common.http.callers import ANY_STAFF, MEMBER, SERVICE, owner, staff, system
from common.http.routes import Routes
from common.http.spreadsheets import csv_answer, wants_csv
from common.identity import Identity
from services.points.database import database, transaction
from services.points.ledger import account_schemas as schemas
from services.points.ledger import account_use_cases as use_cases
from services.points.ledger import statement_sheet, teller
from services.points.ledger.balances import Balance, Month
from services.points.ledger.schemas import OwnerQuery
from services.points.ledger.teller import book_of
from services.points.programs.use_cases import program_book

routes = Routes("accounts", description="What members own, and why")

_READERS = (MEMBER, ANY_STAFF, system("read"), SERVICE)


@dataclass(frozen=True)
class Owned:
    """All that a member owns."""

    accounts: list[Balance]


@routes.get("/accounts", allow=_READERS, query=OwnerQuery, answer=schemas.AccountListResponse, lean=True)
def list_accounts(caller: Identity, query: dict[str, Any]) -> Owned:
    """What a member owns, asset by asset."""
    member, book = owner(caller, query.get("member_id")), book_of(caller.program_id)
    return Owned(use_cases.show_all_present(book, teller.list_of((caller.program_id, member)), now=now()))


@routes.get(
    "/accounts/<code:asset>", allow=_READERS, query=schemas.AccountQuery, answer=schemas.AccountResponse, lean=True
)
def show_account(caller: Identity, asset: str, query: dict[str, Any]) -> Balance:
    """What a member owns of one asset, by bucket, and what ends when: now, or as of any past or future instant."""
    member, as_of = owner(caller, query.get("member_id")), query["as_of"]
    if as_of is None:
        book = book_of(caller.program_id)
        found = teller.find((caller.program_id, member, book.asset(asset).id))
        return use_cases.show_present(book, asset, found, at=now())
    with transaction() as session:
        return use_cases.show_account(
            session, program_id=caller.program_id, member_id=member, asset=asset, as_of=as_of, now=now()
        )


@routes.get(
    "/accounts/<code:asset>/entries", allow=_READERS, query=schemas.EntriesQuery, answer=schemas.EntriesResponse
)
def list_entries(caller: Identity, asset: str, query: dict[str, Any]) -> dict[str, Any]:
    """The account's journal, newest first, each entry with its cause; or its news, behind `after_seq`, oldest first.

    What time did to an account stands in its journal once somebody touched the account, or after some minutes.
    """
    member, after_seq, before = owner(caller, query.get("member_id")), query["after_seq"], query["before"]
    mine: dict[str, Any] = {"program_id": caller.program_id, "member_id": member, "asset": asset}
    if after_seq is None:
        with transaction() as session:
            return use_cases.list_entries(session, **mine, before=before, limit=query["limit"])
    key = (caller.program_id, member, book_of(caller.program_id).asset(asset).id)
    teller.wait_for_news(key, after_seq=after_seq, seconds=query["wait_seconds"])
    with transaction() as session:
        return use_cases.list_news(session, **mine, after_seq=after_seq, limit=query["limit"])


@routes.get(
    "/accounts/<code:asset>/statement", allow=_READERS, query=schemas.StatementQuery, answer=schemas.StatementResponse
)
def show_statement(caller: Identity, asset: str, query: dict[str, Any]) -> Any:
    """A member's month: opening balance, lines with their causes, closing balance; long months page by page.

    With `Accept: text/csv` the whole month comes as a spreadsheet, headed in the language of Accept-Language.
    """
    member, month = owner(caller, query.pop("member_id", None)), query.pop("month")
    mine: dict[str, Any] = {"program_id": caller.program_id, "member_id": member}
    with transaction() as session:
        whole = use_cases.month_of(session, **mine, asset=asset, month=month, now=now())
        if not wants_csv():
            return use_cases.statement(session, **mine, month=whole, **query)
        zone = program_book(session, caller.program_id).program.time_zone
    rows = statement_sheet.rows(whole, _lines(mine, whole), zone)
    return csv_answer(f"statement-{asset}-{whole.month}", statement_sheet.columns(zone), rows)


@routes.get(
    "/assets/<code:asset>/totals",
    allow=(staff("finance"), staff("marketer"), system("read")),
    answer=schemas.TotalsResponse,
)
def show_totals(caller: Identity, asset: str) -> dict[str, Any]:
    """What was issued, redeemed, expired and is outstanding of an asset, all of one instant."""
    with database.reading() as session:
        return use_cases.asset_totals(session, program_id=caller.program_id, asset=asset, now=now())


def _lines(mine: dict[str, Any], month: Month) -> Iterator[Any]:
    """Every line of the month, read in transactions of a page each while the answer is already on its way."""
    after: int | None = 0
    while after is not None:
        with transaction() as session:
            page = use_cases.statement(session, month=month, after=after, limit=schemas.MOST_STATEMENT_LINES, **mine)
        yield from page.entries
        after = page.next
