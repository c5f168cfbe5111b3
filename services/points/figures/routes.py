"""Figures for finance over HTTP, as JSON or, with `Accept: text/csv`, as a spreadsheet."""

from typing import Any

from common.clock import now
from common.http.callers import staff, system
from common.http.routes import Routes
from common.http.spreadsheets import csv_answer, wants_csv
from common.identity import Identity
from services.points.database import database
from services.points.figures import schemas, use_cases
from services.points.figures.wordings import WORDINGS

routes = Routes(
    "figures",
    wordings=WORDINGS,
    description="What the program owes its members, day by day, and whether the books balance",
)


@routes.get(
    "/liability/<code:asset>",
    allow=(staff("finance"), staff("marketer"), system("read")),
    query=schemas.LiabilityQuery,
    answer=schemas.LiabilityResponse,
)
def show_liability(caller: Identity, asset: str, query: dict[str, Any]) -> Any:
    """An asset day by day: what was issued, redeemed, expired and reversed, and what was outstanding at the day's end.

    With `Accept: text/csv` the days come as a spreadsheet, headed in the language of Accept-Language.
    """
    with database.reading() as session:
        shown = use_cases.liability(session, program_id=caller.program_id, asset=asset, now=now(), **query)
    return csv_answer(f"liability-{asset}", schemas.LIABILITY_COLUMNS, shown["days"]) if wants_csv() else shown


@routes.get("/trial-balance", allow=(staff("finance"), system("read")), answer=schemas.TrialBalanceResponse)
def show_trial_balance(caller: Identity) -> Any:
    """Every asset's accounts, members' and the program's own, of one instant: they add up to zero.

    With `Accept: text/csv` the accounts come as a spreadsheet, headed in the language of Accept-Language.
    """
    with database.reading() as session:
        shown = use_cases.trial_balance(session, program_id=caller.program_id, now=now())
    if not wants_csv():
        return shown
    rows = [
        {"asset": asset.asset, "account": account, "amount": amount}
        for asset in shown["assets"]
        for account, amount in asset.accounts
    ]
    return csv_answer("trial-balance", schemas.TRIAL_BALANCE_COLUMNS, rows)
