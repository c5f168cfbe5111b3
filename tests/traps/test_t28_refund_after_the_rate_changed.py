"""T28: after the rate changed a refund removes 100 for 50 earned; a deleted rule nothing. The entry decides."""

from tests.points import Brand, done, wrong


def test_a_refund_takes_back_what_was_earned_and_not_what_would_be_earned_today(brand: Brand) -> None:
    before = brand.earn(50, key="order-1", reason="1 point per yuan")
    after = brand.earn(100, key="order-2", reason="2 points per yuan")
    assert done(brand.reverse(before, key="refund-1"))["amount"] == -50
    assert done(brand.reverse(after, key="refund-2"))["amount"] == -100
    assert brand.figures()[0] == 0
    assert [entry["reverses"] for entry in brand.entries()] == [None, None, 1, 2]


def test_a_refund_after_the_asset_was_changed_still_takes_the_original_lot(brand: Brand) -> None:
    earned = brand.earn(50, asset="energy")
    brand.earn(20, asset="energy", validity="10D")
    marketer = brand.callers.staff("marketer")
    marketer.put("/v1/assets/energy", {"name_en": "Energy", "name_zh": "能量值", "validity": "unlimited"})
    done(brand.reverse(earned, asset="energy", amount=30))
    assert [lot["amount"] for lot in brand.account("energy")["lots"]] == [20, 20]
    assert wrong() == []
