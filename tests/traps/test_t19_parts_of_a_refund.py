"""T19 in the ledger: rounding per partial refund leaves points behind. Ours: the last part takes the rest."""

from typing import Any

import pytest

from tests.points import Brand, done, refused, wrong


@pytest.mark.parametrize(("earned", "parts"), [(128, 3), (100, 7), (7, 7), (1, 1), (99_999, 13)])
def test_refunds_in_parts_take_back_exactly_what_was_earned(brand: Brand, earned: int, parts: int) -> None:
    brand.earn(1_000_000)
    posting = brand.earn(earned)
    taken = 0
    for part in range(1, parts):
        upto = earned * part // parts
        if upto > taken:
            done(brand.reverse(posting, amount=upto - taken))
            taken = upto
    rest = done(brand.reverse(posting))
    assert rest["amount"] == -(earned - taken)
    assert brand.figures()[0] == 1_000_000
    assert refused(brand.reverse(posting, amount=1)) == (422, "reversal_exceeded")
    assert wrong() == []


def owned(brand: Brand, asset: str = "points") -> dict[str, Any]:
    """The account without its history: every bucket, every lot and every day."""
    return {name: value for name, value in brand.account(asset).items() if name not in ("as_of", "lifetime")}


def test_a_cancelled_hold_gives_everything_back(brand: Brand) -> None:
    brand.earn(100)
    before = owned(brand)
    hold = brand.hold(77)
    done(brand.void(hold))
    assert owned(brand) == before


def test_a_captured_part_and_its_refunds_leave_the_account_as_it_was(brand: Brand) -> None:
    brand.earn(100, asset="energy", validity="5D")
    brand.earn(50, asset="energy", validity="9D")
    before = owned(brand, "energy")
    captured = done(brand.capture(brand.hold(140, asset="energy"), amount=123))
    for amount in (41, 41, 40, 1):
        done(brand.reverse(captured, asset="energy", amount=amount))
    assert owned(brand, "energy") == before
