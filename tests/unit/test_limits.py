"""Limits within one fold: a list of lines answers as its lines one by one, and periods are those of the calendar."""

from datetime import datetime

import pytest

from services.points.ledger.domain import Bounds, Kind, Line, Outcome
from services.points.ledger.limits import spendable
from services.points.programs.domain import Limits
from tests.ledger import DAY, NOW, Shelf, digest, line, us

EARNING = Bounds(limits=Limits(day=100))
SPENDING = Bounds(limits=Limits(day=100))


def yesterdays(shelf: Shelf) -> None:
    """An earning, a spending and two holds of the day before."""
    shelf.post(
        line(Kind.EARN, 90, "e0", bounds=EARNING),
        line(Kind.SPEND, 20, "s0", bounds=SPENDING),
        line(Kind.HOLD, 20, "h0", bounds=SPENDING, ttl_us=3 * DAY),
        line(Kind.HOLD, 20, "h00", bounds=SPENDING, ttl_us=3 * DAY),
        at=NOW - DAY,
    )


def todays() -> list[Line]:
    """What is given up of yesterday's frees nothing of today's limit; what is of today's does."""
    return [
        line(Kind.EARN, 100, "e1", bounds=EARNING),
        line(Kind.REVERSE, 10, "r0", reverses_posting=digest("e0")),
        line(Kind.EARN, 1, "e2", bounds=EARNING),
        line(Kind.REVERSE, 10, "r1", reverses_posting=digest("e1")),
        line(Kind.EARN, 20, "e3", bounds=EARNING),
        line(Kind.HOLD, 60, "h1", bounds=SPENDING),
        line(Kind.HOLD, 40, "h2", bounds=SPENDING),
        line(Kind.VOID, 0, "v0", hold_id=digest("h0")),
        line(Kind.CAPTURE, 5, "c0", hold_id=digest("h00")),
        line(Kind.REVERSE, 5, "r00", reverses_posting=digest("c0")),
        line(Kind.REVERSE, 20, "r2", reverses_posting=digest("s0")),
        line(Kind.SPEND, 1, "s1", bounds=SPENDING),
        line(Kind.CAPTURE, 50, "c1", hold_id=digest("h1")),
        line(Kind.SPEND, 11, "s2", bounds=SPENDING),
        line(Kind.SPEND, 10, "s3", bounds=SPENDING),
        line(Kind.VOID, 0, "v1", hold_id=digest("h2")),
        line(Kind.REVERSE, 5, "r3", reverses_posting=digest("c1")),
        line(Kind.SPEND, 46, "s4", bounds=SPENDING),
        line(Kind.SPEND, 45, "s5", bounds=SPENDING),
    ]


def told(outcome: Outcome) -> tuple[str, int, object]:
    """How a line ended."""
    return outcome.status.name, abs(outcome.amount), (outcome.facts or {}).get("left")


def test_a_list_is_limited_as_its_lines_one_by_one() -> None:
    together, apart = Shelf(), Shelf()
    for shelf in (together, apart):
        yesterdays(shelf)
    answers = together.post(*todays())
    assert answers == [apart.post(one)[0] for one in todays()]
    limited = [told(one) for one in answers if one.facts]
    assert limited == [
        ("POSTED", 0, None),
        ("POSTED", 10, None),
        ("SPENDING_LIMITED", 1, 0),
        ("SPENDING_LIMITED", 11, 10),
        ("SPENDING_LIMITED", 46, 45),
    ]
    assert sum(one.status.name != "POSTED" for one in answers) == 3


@pytest.mark.parametrize(
    ("limits", "day", "free_on"),
    [
        (Limits(day=1), "2026-05-03", "2026-05-04"),
        (Limits(week=1), "2026-05-03", "2026-05-04"),
        (Limits(week=1), "2026-05-04", "2026-05-11"),
        (Limits(month=1), "2026-12-31", "2027-01-01"),
        (Limits(month=1), "2028-02-01", "2028-03-01"),
        (Limits(year=1), "2028-01-01", "2029-01-01"),
        (Limits(year=1), "2027-12-31", "2028-01-01"),
    ],
)
def test_a_period_is_free_again_when_the_next_one_begins(limits: Limits, day: str, free_on: str) -> None:
    at = us(datetime.fromisoformat(f"{day}T04:00:00+00:00"))
    [outcome] = Shelf("UTC").post(line(Kind.SPEND, 2, bounds=Bounds(limits=limits)), at=at)
    assert outcome.facts is not None
    assert outcome.facts["free_at"] == f"{free_on}T00:00:00+00:00"


def test_what_is_spendable_is_the_least_that_any_limit_leaves() -> None:
    assert spendable(Limits(), ()) is None
    assert spendable(Limits(posting=5), ()) == 5
    assert spendable(Limits(posting=5, day=9), ()) == 5
    assert spendable(Limits(day=9, year=7), ()) == 7
