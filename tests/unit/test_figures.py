"""Laws of figures: flows make the change, days carry on, accounts sum to zero, worth is rounded down."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.points.figures import domain
from services.points.figures.domain import BadRange, Balanced, Flows, Rate, Sum
from services.points.ledger.domain import Kind

MAY = date(2026, 5, 1)
SUMS = st.builds(
    lambda day, kind, by_hand, amount, held: Sum(
        MAY + timedelta(days=day), kind, by_hand, max(amount, 0), max(-amount, 0), held
    ),
    st.integers(0, 20),
    st.sampled_from(list(Kind)),
    st.booleans(),
    st.integers(-50, 50),
    st.integers(-9, 9),
)


def one(kind: Kind, credited: int = 0, debited: int = 0, held: int = 0, **given: Any) -> Sum:
    return Sum(
        **{"day": MAY, "kind": kind, "by_hand": False, "credited": credited, "debited": debited, "held": held, **given}
    )


def test_every_kind_of_entry_is_one_flow() -> None:
    sums = [
        one(Kind.EARN, 100, held=30),
        one(Kind.SPEND, debited=20),
        one(Kind.CAPTURE, debited=5, held=-8),
        one(Kind.EXPIRE, debited=7),
        one(Kind.REVERSE, 3, 11),
        one(Kind.TRANSFER_IN, 4),
        one(Kind.TRANSFER_OUT, debited=4),
        one(Kind.EARN, 9, by_hand=True),
        one(Kind.SPEND, debited=2, by_hand=True),
        one(Kind.REVERSE, debited=1, by_hand=True),
        one(Kind.HOLD, held=8),
        one(Kind.FREEZE),
    ]
    it = domain.flows(sums)
    assert it == Flows(100, 25, 7, 11, 3, 6, 4, 4)
    assert it.change == sum(a.amount for a in sums)


@given(st.lists(SUMS, max_size=30), st.integers(0, 25), st.integers(0, 10))
def test_each_day_goes_on_from_the_one_before(sums: list[Sum], start: int, length: int) -> None:
    sums = [it for it in sums if it.kind in (Kind.REVERSE, Kind.EXPIRE, Kind.EARN, Kind.SPEND) or it.amount == 0]
    first = MAY + timedelta(days=start)
    days = domain.days(sums, first=first, last=first + timedelta(days=length))
    outstanding = sum(it.amount for it in sums if it.day < first)
    for number, day in enumerate(days):
        assert day.day == first + timedelta(days=number)
        outstanding += day.flows.change
        assert day.outstanding == outstanding
        assert day.pending + day.held == sum(it.held for it in sums if it.day <= day.day)
    assert len(days) == length + 1


def test_what_is_pending_and_what_is_held_are_kept_apart() -> None:
    sums = [
        one(Kind.EARN, 50, held=50),
        one(Kind.HOLD, held=7),
        one(Kind.REVERSE, debited=10, held=-10, day=MAY + timedelta(days=1)),
        one(Kind.RELEASE, held=-40, day=MAY + timedelta(days=2)),
        one(Kind.HOLD_EXPIRED, held=-7, day=MAY + timedelta(days=2)),
    ]
    days = domain.days(sums, first=MAY, last=MAY + timedelta(days=2))
    assert [(day.pending, day.held, day.outstanding) for day in days] == [(50, 7, 50), (40, 7, 40), (0, 0, 40)]


@given(st.lists(SUMS, max_size=30), st.integers(0, 100))
def test_members_against_the_programs_own_accounts_are_zero_or_the_books_are_wrong(sums: list[Sum], owed: int) -> None:
    sums = [it for it in sums if it.kind in (Kind.REVERSE, Kind.EXPIRE, Kind.EARN, Kind.SPEND) or it.amount == 0]
    flows = domain.flows(sums)
    balance = sum(it.amount for it in sums)
    assert Balanced("points", balance + owed, owed, flows).difference == 0
    assert Balanced("points", balance + owed + 1, owed, flows).difference == 1


def test_worth_is_exact_and_rounded_down() -> None:
    assert Rate(100, 100).worth(3_000) == 3_000
    assert [Rate(3, 2).worth(points) for points in (0, 1, 2, 3, 10)] == [0, 0, 1, 2, 6]
    assert Rate(3, 1).worth(-1) == -1
    assert Rate(7, 10**6).worth(2**53) == 2**53 * 10**6 // 7


@pytest.mark.parametrize(("first", "last"), [(MAY, MAY - timedelta(days=1)), (MAY, MAY + timedelta(days=366))])
def test_days_run_forwards_and_a_year_at_most(first: date, last: date) -> None:
    with pytest.raises(BadRange):
        domain.check_range(first, last)
    domain.check_range(MAY, MAY + timedelta(days=365))
    domain.check_range(MAY, MAY)
