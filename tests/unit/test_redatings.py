"""Moving the last day of lots that exist: what moves, what does not, and how it is taken back."""

import pytest

from services.points.ledger import lots
from services.points.ledger.domain import Kind, Line, Redating, Status
from services.points.ledger.settling import lot_end_us
from services.points.programs.validity import IDLE, NEVER
from tests.ledger import DAY, NOW, TODAY, ZONE, Shelf, digest, line

SOON, LATER, LAST = TODAY + 3, TODAY + 5, TODAY + 90
KEY = (1, 7, 1)


def shelf_of(*buckets: int) -> Shelf:
    """An account of these lots."""
    shelf = Shelf()
    earned = [line(Kind.EARN, amount, f"e{day}", lot_day=day) for day, amount in lots.pairs(buckets)]
    assert {outcome.status for outcome in shelf.post(*earned)} == {Status.POSTED}
    return shelf


def redate(amount: int, first: int, last: int, to: int, key: str = "r") -> Line:
    """A line that moves so much."""
    return line(Kind.REDATE, amount, key, redating=Redating(first, last, to))


def undo(key: str = "r", amount: int = 0, **given: object) -> Line:
    """A line that takes the redating back."""
    return line(Kind.REVERSE, amount, f"undo {key} {amount}", reverses_posting=digest(key), **given)


def test_what_ends_soonest_moves_first_and_no_figure_changes() -> None:
    shelf = shelf_of(SOON, 30, LATER, 20, LAST, 5)
    [outcome] = shelf.post(redate(40, SOON, LATER, LAST))
    assert (outcome.status, outcome.amount, outcome.balance, outcome.available) == (Status.POSTED, 0, 55, 55)
    assert shelf.accounts[KEY].lots == [LATER, 10, LAST, 45]
    entry = shelf.entries[-1]
    assert (entry.kind, entry.amount, entry.held_delta) == (Kind.REDATE, 0, 0)
    assert entry.moves == [SOON, -30, LATER, -10, LAST, 40]


@pytest.mark.parametrize(
    ("amount", "first", "last", "to", "status"),
    [
        (31, SOON, SOON, LAST, Status.LOTS_NOT_THERE),
        (1, TODAY, SOON - 1, LAST, Status.LOTS_NOT_THERE),
        (1, SOON + 1, LAST - 1, LAST, Status.LOTS_NOT_THERE),
        (1, SOON, SOON, TODAY - 1, Status.DAY_PASSED),
    ],
)
def test_what_is_not_there_or_over_is_refused_and_nothing_moves(
    amount: int, first: int, last: int, to: int, status: Status
) -> None:
    shelf = shelf_of(SOON, 30, IDLE, 4, NEVER, 9)
    assert [it.status for it in shelf.post(redate(amount, first, last, to))] == [status]
    assert shelf.accounts[KEY].lots == [SOON, 30, IDLE, 4, NEVER, 9]


def test_points_moved_to_today_end_tonight_and_moved_ones_live_on() -> None:
    shelf = shelf_of(SOON, 30)
    shelf.post(redate(10, SOON, SOON, TODAY, "sooner"), redate(20, SOON, SOON, LATER, "later"))
    assert shelf.accounts[KEY].due_us == lot_end_us(TODAY, ZONE)
    shelf.post(at=NOW + DAY, touch=[KEY])
    assert shelf.accounts[KEY].lots == [LATER, 20]
    shelf.post(at=NOW + 4 * DAY, touch=[KEY])
    assert shelf.accounts[KEY].balance == 20
    shelf.post(at=NOW + 6 * DAY, touch=[KEY])
    assert (shelf.accounts[KEY].balance, shelf.accounts[KEY].lots) == (0, [])


def test_what_a_hold_reserves_keeps_its_day() -> None:
    shelf = shelf_of(SOON, 30)
    shelf.post(line(Kind.HOLD, 25, "h"))
    assert [it.status for it in shelf.post(redate(6, SOON, SOON, LAST))] == [Status.LOTS_NOT_THERE]
    shelf.post(redate(5, SOON, SOON, LAST, "r2"), line(Kind.VOID, 0, "v", hold_id=digest("h")))
    assert shelf.accounts[KEY].lots == [SOON, 25, LAST, 5]


def test_a_frozen_account_spends_nothing_but_its_lots_can_move() -> None:
    shelf = shelf_of(SOON, 30)
    answers = shelf.post(line(Kind.FREEZE, 0, "f"), redate(30, SOON, SOON, LAST))
    assert [it.status for it in answers] == [Status.POSTED] * 2


def test_undoing_gives_what_is_still_there_its_own_days_the_latest_first() -> None:
    shelf = shelf_of(SOON, 30, LATER, 20)
    shelf.post(redate(50, SOON, LATER, LAST), line(Kind.SPEND, 15, "s"))
    shelf.post(undo(up_to=True))
    assert shelf.accounts[KEY].lots == [SOON, 15, LATER, 20]
    entry = shelf.entries[-1]
    assert (entry.kind, entry.amount, entry.reverses, entry.reversed) == (Kind.REVERSE, 0, 3, 35)


def test_it_is_undone_in_parts_and_no_more_than_was_moved() -> None:
    shelf = shelf_of(SOON, 30, LATER, 20, LAST, 100)
    shelf.post(redate(50, SOON, LATER, LAST))
    assert [it.status for it in shelf.post(undo(amount=51))] == [Status.REVERSAL_EXCEEDED]
    shelf.post(undo(amount=25))
    assert shelf.accounts[KEY].lots == [SOON, 5, LATER, 20, LAST, 125]
    shelf.post(undo(amount=40, up_to=True))
    assert shelf.accounts[KEY].lots == [SOON, 30, LATER, 20, LAST, 100]
    assert [it.status for it in shelf.post(undo(up_to=True))] == [Status.REVERSAL_EXCEEDED]


def test_undoing_is_refused_when_nothing_of_it_is_there_or_less_than_is_asked_for() -> None:
    shelf = shelf_of(SOON, 30)
    shelf.post(redate(30, SOON, SOON, LAST), line(Kind.SPEND, 10, "s"))
    assert [it.status for it in shelf.post(undo(amount=21))] == [Status.LOTS_NOT_THERE]
    shelf.post(line(Kind.SPEND, 20, "s2"))
    assert [it.status for it in shelf.post(undo(up_to=True))] == [Status.LOTS_NOT_THERE]


@pytest.mark.parametrize(("grace_days", "left"), [(0, []), (2, [TODAY + 12, 30])])
def test_undone_after_its_own_day_it_ends_at_once_unless_there_are_days_of_grace(
    grace_days: int, left: list[int]
) -> None:
    shelf = shelf_of(SOON, 30)
    shelf.post(redate(30, SOON, SOON, LAST))
    shelf.post(undo(grace_days=grace_days), at=NOW + 10 * DAY)
    assert shelf.accounts[KEY].lots == left
    assert shelf.accounts[KEY].balance == sum(left[1::2])


def test_a_line_of_the_same_list_can_be_undone() -> None:
    shelf = shelf_of(SOON, 30)
    answers = shelf.post(redate(30, SOON, SOON, LAST), undo())
    assert [it.status for it in answers] == [Status.POSTED] * 2
    assert shelf.accounts[KEY].lots == [SOON, 30]


def test_with_as_many_lots_as_there_can_be_a_shortening_that_would_stay_where_it_was_is_refused() -> None:
    shelf = shelf_of(*(number for day in range(2, 2 * lots.MOST_BUCKETS + 2, 2) for number in (TODAY + day, 10)))
    before = list(shelf.accounts[KEY].lots)
    first = TODAY + 20
    assert [it.status for it in shelf.post(redate(4, first, first, first - 1))] == [Status.NO_ROOM_FOR_LOT]
    assert shelf.accounts[KEY].lots == before
    shelf.post(redate(4, first, first, first + 1, "extend"), redate(10, first + 2, first + 2, first + 1, "whole"))
    assert len(shelf.accounts[KEY].lots) == 2 * lots.MOST_BUCKETS
    assert lots.total(shelf.accounts[KEY].lots) == 10 * lots.MOST_BUCKETS
