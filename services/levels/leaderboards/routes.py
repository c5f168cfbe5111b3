"""Leaderboards over HTTP."""

from typing import Any

from common import clock
from common.http.callers import ANY_STAFF, MEMBER, staff
from common.http.routes import Routes
from common.identity import Identity
from services.levels.database import transaction
from services.levels.leaderboards import use_cases
from services.levels.leaderboards.domain import Board, Placed, Shown, ends_on, masked
from services.levels.leaderboards.schemas import (
    BoardListResponse,
    BoardRequest,
    BoardResponse,
    RankQuery,
    RankResponse,
    TopQuery,
    TopResponse,
    Visibility,
)
from services.levels.leaderboards.wordings import WORDINGS

routes = Routes("leaderboards", wordings=WORDINGS, description="Who leads, and where I am")


@routes.put("/leaderboards/<code:code>", allow=(staff("marketer"),), body=BoardRequest, answer=BoardResponse)
def publish_board(caller: Identity, code: str, body: dict[str, Any]) -> Board:
    """Publish a board's next version; prizes are given when a period closes."""
    prizes = {period: tuple(ranges) for period, ranges in body.pop("prizes").items()}
    board = Board(code=code, version=0, periods=tuple(body.pop("periods")), prizes=prizes, **body)
    with transaction() as session:
        return use_cases.publish_board(
            session, program_id=caller.program_id, board=board, by=caller.actor, now=clock.now()
        )


@routes.get("/leaderboards", allow=(MEMBER, ANY_STAFF), answer=BoardListResponse)
def list_boards(caller: Identity) -> dict[str, Any]:
    """The boards of the program."""
    with transaction() as session:
        return {"boards": use_cases.list_boards(session, program_id=caller.program_id)}


@routes.get("/leaderboards/<code:code>", allow=(MEMBER, ANY_STAFF), query=TopQuery, answer=TopResponse)
def show_top(caller: Identity, code: str, query: dict[str, Any]) -> dict[str, Any]:
    """The first places of a board over a period."""
    limit = query.pop("limit")
    view = _view(caller, code, query)
    shown = use_cases.shown_top(view, limit)
    if shown is None:
        with transaction() as session:
            shown = use_cases.top(session, view, limit)
    return {**_period(view, shown), "places": [_placed(caller, placed) for placed in shown.value]}


@routes.get("/leaderboards/<code:code>/me", allow=(MEMBER,), query=RankQuery, answer=RankResponse)
def show_rank(caller: Identity, code: str, query: dict[str, Any]) -> dict[str, Any]:
    """My place on a board over a period, and how far the next one is ahead."""
    view = _view(caller, code, query)
    shown = use_cases.shown_rank(view, caller.member_id)
    if shown is None:
        with transaction() as session:
            shown = use_cases.rank(session, view, caller.member_id)
    mine = shown.value
    return {**_period(view, shown), "rank": mine.rank, "score": mine.score, "gap": mine.gap}


@routes.put("/members/me/visibility", allow=(MEMBER,), body=Visibility, answer=Visibility)
def set_visibility(caller: Identity, body: dict[str, Any]) -> dict[str, Any]:
    """Leave all rankings, or come back; periods that are closed stay as they are."""
    with transaction() as session:
        use_cases.set_visibility(
            session, program_id=caller.program_id, member_id=caller.member_id, visible=body["visible"], now=clock.now()
        )
    return body


def _view(caller: Identity, code: str, query: dict[str, Any]) -> use_cases.View:
    with transaction() as session:
        return use_cases.open_view(session, program_id=caller.program_id, code=code, **query, now=clock.now())


def _period(view: use_cases.View, shown: Shown[Any]) -> dict[str, Any]:
    return {
        "board": view.board.code,
        "metric": view.board.metric,
        "period": view.ranked.period,
        "starts_on": view.ranked.starts_on,
        "ends_on": ends_on(view.ranked.period, view.ranked.starts_on),
        "frozen": view.closed_at is not None,
        "as_of": shown.as_of,
    }


def _placed(caller: Identity, placed: Placed) -> dict[str, Any]:
    line = {"rank": placed.rank, "name": masked(placed.member_id), "score": placed.score}
    if caller.kind == "member":
        return {**line, "you": placed.member_id == caller.member_id}
    return {**line, "member_id": placed.member_id}
