"""T21: 32-bit columns and decimal(8,2) overflow at ¥21.4 million; ours hold every exact integer and refuse the next."""

import pytest

from tests.points import Brand, pointers, refused, wrong

LARGEST = 2**53 - 1


@pytest.mark.parametrize("amount", [2**31 - 1, 2**31, 2**32, 999_999_99, 2_140_000_000 * 100, LARGEST])
def test_an_account_holds_any_exact_integer(brand: Brand, amount: int) -> None:
    assert brand.earn(amount)["balance"] == amount
    assert brand.account()["lots"] == [{"on": None, "amount": amount}]
    assert brand.capture(brand.hold(amount)).json["captured"] == amount
    assert brand.figures()[0] == 0
    assert wrong() == []


@pytest.mark.parametrize("amount", [LARGEST + 1, 2**63 - 1, 2**63, 2**64, 10**40])
def test_more_than_every_reader_keeps_exact_is_refused_and_not_wrapped(brand: Brand, amount: int) -> None:
    answer = brand.send("postings", kind="earn", amount=amount)
    assert refused(answer) == (422, "invalid_request")
    assert pointers(answer) == ["/amount"]


def test_sums_are_refused_before_they_leave_the_range(brand: Brand) -> None:
    brand.earn(LARGEST - 10)
    lines = [{"member_id": 7, "asset": "points", "kind": "earn", "amount": 7, "key": f"k{n}"} for n in range(3)]
    results = brand.shop.post("/v1/postings/batch", {"lines": lines}).json["results"]
    assert [it["status"] for it in results] == ["posted", "balance_too_large", "balance_too_large"]
    assert brand.figures()[0] == LARGEST - 3


def test_debt_is_bounded_too(brand: Brand) -> None:
    earned = []
    for _ in range(2):
        earned.append(brand.earn(LARGEST, asset="growth"))
        brand.spend(LARGEST, asset="growth")
    assert brand.reverse(earned[0], asset="growth").json["balance"] == -LARGEST
    assert refused(brand.reverse(earned[1], asset="growth")) == (422, "balance_too_large")
    assert wrong() == []
