"""T2: a debit or clawback by hand that finds too little is clipped or skipped, and staff are told that it worked."""

import pytest

from tests.care import Desk
from tests.points import done, refused, wrong


@pytest.mark.parametrize(("there", "taken"), [(0, 1), (30, 40), (499, 500)])
def test_a_debit_by_hand_takes_all_it_says_or_nothing_and_says_so(desk: Desk, there: int, taken: int) -> None:
    if there:
        desk.brand.earn(there)
    answer = desk.ask(-taken)
    assert refused(answer) == (422, "insufficient_points")
    assert (answer.json or {})["facts"] == {"available": there, "short_by": taken - there}
    assert desk.brand.figures()[0] == there
    assert done(desk.mei.get("/v1/adjustments"))["adjustments"] == []


@pytest.mark.parametrize(("given", "spent"), [(100, 1), (500, 500)])
def test_undoing_takes_all_back_or_nothing_and_says_so(desk: Desk, given: int, spent: int) -> None:
    made = desk.posted(given)
    desk.brand.spend(spent)
    answer = desk.decide("undo", made, by=desk.wu)
    assert refused(answer) == (422, "points_already_spent")
    assert (answer.json or {})["facts"] == {"available": given - spent, "short_by": spent}
    assert desk.brand.figures()[0] == given - spent
    assert wrong() == []
