"""T2: a deduction that cannot be made is logged and answered as a success; the clawback vanishes."""

from tests.points import Brand, done, refused, wrong


def test_what_cannot_be_spent_is_an_error_and_not_a_success(brand: Brand) -> None:
    brand.earn(20)
    answer = brand.send("postings", kind="spend", amount=50)
    assert refused(answer) == (422, "insufficient_points")
    assert brand.figures()[0] == 20


def test_a_clawback_of_what_was_spent_becomes_debt_and_is_collected(brand: Brand) -> None:
    earned = brand.earn(100, asset="growth")
    brand.spend(80, asset="growth")
    assert done(brand.reverse(earned, asset="growth"))["debt"] == 80
    brand.earn(200, asset="growth")
    assert brand.figures("growth") == (120, 120, 0, 0)
    assert wrong() == []


def test_where_debt_is_not_allowed_what_was_not_collected_is_on_record(brand: Brand) -> None:
    earned = brand.earn(100)
    brand.spend(80)
    assert done(brand.reverse(earned))["amount"] == -20
    assert brand.entries()[-1]["meta"] == {"uncollected": 80}
