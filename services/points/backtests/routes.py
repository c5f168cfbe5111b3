"""Back-tests over HTTP, for marketers: see the bill before a rule goes live."""

from typing import Any

from flask import Response

from common.clock import now
from common.http.callers import staff
from common.http.routes import Routes
from common.http.spreadsheets import Heading, csv_answer
from common.identity import Identity
from services.points.backtests import schemas, use_cases
from services.points.backtests.wordings import WORDINGS
from services.points.database import transaction

routes = Routes(
    "backtests",
    wordings=WORDINGS,
    description="Drafts on trial: the recorded events run again, nothing of members changes",
)

_MARKETERS = (staff("marketer"),)
_COLUMNS = {
    "member_id": Heading("Member", "会员"),
    "asset": Heading("Asset", "资产"),
    "now": Heading("Now", "现行规则"),
    "candidate": Heading("Candidate", "候选规则"),
    "difference": Heading("Difference", "差额"),
}


@routes.post("/backtests", allow=_MARKETERS, body=schemas.BacktestRequest, answer=schemas.BacktestResponse, status=202)
def ask_for_backtest(caller: Identity, body: dict[str, Any]) -> Any:
    """Run the recorded events of some time through the live rules and through a candidate set, in the background.

    Refunds, caps, budgets, groups and audiences count as they do in real life; total caps and budgets count from the
    first replayed event.
    """
    with transaction() as session:
        return use_cases.ask_for_backtest(session, program_id=caller.program_id, actor=caller.actor, now=now(), **body)


@routes.get("/backtests", allow=_MARKETERS, query=schemas.BacktestsQuery, answer=schemas.BacktestList)
def list_backtests(caller: Identity, query: dict[str, Any]) -> dict[str, Any]:
    """Back-tests, newest first, with their progress."""
    with transaction() as session:
        return use_cases.list_backtests(session, program_id=caller.program_id, **query)


@routes.get("/backtests/<id:backtest_id>", allow=_MARKETERS, answer=schemas.BacktestReport)
def show_backtest(caller: Identity, backtest_id: int) -> dict[str, Any]:
    """How far a back-test has come, and what it found."""
    with transaction() as session:
        return use_cases.show_backtest(session, program_id=caller.program_id, backtest_id=backtest_id)


@routes.get("/backtests/<id:backtest_id>/changes.csv", allow=_MARKETERS)
def list_changes(caller: Identity, backtest_id: int) -> Response:
    """The members whose amounts change most, as CSV: up to 1,000, the largest first."""
    with transaction() as session:
        changes = use_cases.list_changes(session, program_id=caller.program_id, backtest_id=backtest_id)
    return csv_answer(f"backtest-{backtest_id}", _COLUMNS, (change._mapping for change in changes))


@routes.post("/backtests/<id:backtest_id>/cancellation", allow=_MARKETERS, answer=schemas.BacktestReport)
def cancel(caller: Identity, backtest_id: int) -> dict[str, Any]:
    """Let it end without a result."""
    with transaction() as session:
        return use_cases.cancel(session, program_id=caller.program_id, backtest_id=backtest_id)
