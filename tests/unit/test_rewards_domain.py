"""Laws of grants taken back: running totals, floored, monotone, and never more than was given."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.points.rewards.domain import Part, to_reverse


def part(amount: int, reversed: int = 0) -> Part:
    """A part of a grant."""
    return Part("points", amount, "00", reversed)


@pytest.mark.parametrize(
    ("amount", "reversed_", "share", "more"),
    [
        (100, 0, (0, 3), 0),
        (100, 0, (1, 3), 33),
        (100, 33, (1, 3), 0),
        (100, 33, (2, 3), 33),
        (100, 66, (3, 3), 34),
        (100, 66, (1, 3), 0),
        (100, 100, (3, 3), 0),
        (100, 0, (7, 3), 100),
        (1, 0, (99, 100), 0),
        (0, 0, (1, 1), 0),
        (2**53 - 1, 0, (2**53 - 2, 2**53 - 1), 2**53 - 2),
    ],
)
def test_so_much_more_is_to_be_taken_back(amount: int, reversed_: int, share: tuple[int, int], more: int) -> None:
    assert to_reverse(part(amount, reversed_), numerator=share[0], denominator=share[1]) == more


@given(
    amount=st.integers(0, 2**53 - 1),
    denominator=st.integers(1, 10**6),
    totals=st.lists(st.integers(0, 10**6), max_size=8),
)
def test_taking_back_is_monotone_bounded_and_ends_at_the_largest_total(
    amount: int, denominator: int, totals: list[int]
) -> None:
    """In whatever order running totals arrive, what counts in the end is the largest of them."""
    one = part(amount)
    for numerator in totals:
        more = to_reverse(one, numerator=numerator, denominator=denominator)
        assert more >= 0
        one.reversed += more
        assert one.reversed <= amount
        assert one.reversed >= min(amount, amount * numerator // denominator)
        assert to_reverse(one, numerator=numerator, denominator=denominator) == 0
    assert one.reversed == min(amount, amount * max(totals, default=0) // denominator)
