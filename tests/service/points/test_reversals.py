"""Reversals over HTTP: what a posting really did is undone, wholly or in parts, and only once."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from tests.ledger import NOON
from tests.points import Brand, Clock, done, pointers, refused, wrong

DAY = timedelta(days=1)


def lots(brand: Brand, asset: str = "energy") -> list[tuple[str, int]]:
    return [(lot["on"], lot["amount"]) for lot in brand.account(asset)["lots"]]


def test_an_earning_is_taken_back(brand: Brand) -> None:
    brand.earn(15)
    earned = brand.earn(128)
    answer = brand.reverse(earned, reason="order refunded")
    assert answer.status_code == 201
    assert (answer.json["kind"], answer.json["amount"], answer.json["balance"]) == ("reverse", -128, 15)
    entry = brand.entries()[-1]
    assert (entry["reverses"], entry["meta"]) == (2, {"reason": "order refunded"})
    assert wrong() == []


def test_an_earning_is_taken_back_in_parts_that_sum_to_the_whole(brand: Brand) -> None:
    earned = brand.earn(100)
    assert [done(brand.reverse(earned, amount=amount))["balance"] for amount in (33, 33)] == [67, 34]
    assert refused(brand.reverse(earned, amount=35)) == (422, "reversal_exceeded")
    assert done(brand.reverse(earned))["amount"] == -34
    answer = brand.reverse(earned)
    assert refused(answer) == (422, "reversal_exceeded")
    assert pointers(answer) == ["/amount"]
    assert brand.figures()[0] == 0


def test_many_reversals_at_once_never_take_more_than_was_posted(brand: Brand) -> None:
    brand.earn(1000)
    earned = brand.earn(100)
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda n: brand.reverse(earned, amount=30, key=f"r{n}").status_code, range(16)))
    assert sorted(answers) == [201] * 3 + [422] * 13
    assert brand.figures()[0] == 1010
    assert wrong() == []


def test_a_spending_gives_its_own_lots_back_with_their_own_days(brand: Brand, clock: Clock) -> None:
    clock.set(NOON)
    for amount, validity in ((30, "5D"), (20, "9D"), (50, "20D")):
        brand.earn(amount, asset="energy", validity=validity)
    before = lots(brand)
    spent = brand.spend(60, asset="energy")
    assert lots(brand) == [("2026-05-23", 40)]
    done(brand.reverse(spent, asset="energy", amount=15))
    assert lots(brand) == [("2026-05-12", 5), ("2026-05-23", 50)]
    done(brand.reverse(spent, asset="energy"))
    assert lots(brand) == before


def test_a_spending_given_back_after_its_lots_day_expires_at_once(brand: Brand, clock: Clock) -> None:
    clock.set(NOON)
    brand.earn(30, asset="energy", validity="1D")
    brand.earn(20, asset="energy", validity="9D")
    spent = brand.spend(40, asset="energy")
    clock.set(NOON + 4 * DAY)
    done(brand.reverse(spent, asset="energy"))
    assert lots(brand) == [("2026-05-12", 20)]
    assert brand.kinds("energy")[-2:] == [("reverse", 40), ("expire", -30)]


def test_a_capture_is_given_back_with_the_lots_it_spent(brand: Brand, clock: Clock) -> None:
    clock.set(NOON)
    for amount, validity in ((30, "5D"), (20, "9D")):
        brand.earn(amount, asset="energy", validity=validity)
    before = lots(brand)
    captured = done(brand.capture(brand.hold(45, asset="energy"), amount=40))
    assert lots(brand) == [("2026-05-12", 10)]
    done(brand.reverse(captured, asset="energy", amount=10))
    assert lots(brand) == [("2026-05-12", 20)]
    done(brand.reverse(captured, asset="energy", amount=30))
    assert lots(brand) == before
    assert refused(brand.reverse(captured, asset="energy", amount=1)) == (422, "reversal_exceeded")


def test_what_was_spent_meanwhile_stays_uncollected_where_debt_is_not_allowed(brand: Brand) -> None:
    earned = brand.earn(100)
    brand.spend(70)
    answer = done(brand.reverse(earned, reason="refund"))
    assert (answer["amount"], answer["balance"], answer["debt"]) == (-30, 0, 0)
    assert brand.entries()[-1]["meta"] == {"reason": "refund", "uncollected": 70}
    assert refused(brand.reverse(earned)) == (422, "reversal_exceeded")


def test_what_was_spent_meanwhile_becomes_debt_that_the_next_earnings_pay(brand: Brand) -> None:
    earned = brand.earn(100, asset="growth")
    brand.spend(70, asset="growth")
    answer = done(brand.reverse(earned, asset="growth"))
    assert (answer["amount"], answer["balance"], answer["available"], answer["debt"]) == (-100, -70, 0, 70)
    assert refused(brand.send("postings", asset="growth", kind="spend", amount=1)) == (422, "insufficient_points")
    assert brand.earn(50, asset="growth")["debt"] == 20
    assert brand.account("growth")["lots"] == []
    brand.earn(25, asset="growth")
    assert brand.figures("growth") == (5, 5, 0, 0)
    assert wrong() == []


def test_what_is_held_is_not_taken_back_but_owed(brand: Brand) -> None:
    earned = brand.earn(100, asset="growth")
    hold = brand.hold(60, asset="growth")
    done(brand.reverse(earned, asset="growth"))
    assert brand.figures("growth") == (0, 0, 60, 60)
    done(brand.void(hold))
    assert brand.figures("growth") == (0, 0, 0, 0)


def test_a_reversal_sent_again_is_answered_again(brand: Brand) -> None:
    earned = brand.earn(100)
    first = brand.reverse(earned, amount=40, key="r")
    again = brand.reverse(earned, amount=40, key="r")
    assert (again.status_code, again.json) == (201, first.json)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert refused(brand.reverse(earned, amount=41, key="r")) == (422, "idempotency_key_reused")
    assert refused(brand.reverse(brand.earn(1), amount=40, key="r")) == (422, "idempotency_key_reused")
    assert brand.figures()[0] == 61


def test_only_earnings_spendings_and_captures_can_be_reversed(brand: Brand) -> None:
    earned = brand.earn(100)
    reversed_ = done(brand.reverse(earned, amount=10))
    hold, other = brand.hold(5), brand.hold(6)
    voided = done(brand.void(other))
    brand.send("postings", kind="spend", amount=1000, key="refused")
    for posting in (reversed_, hold, voided, {"posting_id": str(uuid.uuid4())}):
        assert refused(brand.reverse(posting)) == (422, "not_reversible")


def test_a_refused_posting_has_nothing_to_reverse(brand: Brand) -> None:
    line = {"member_id": 7, "asset": "points", "kind": "spend", "amount": 9, "key": "k"}
    result = done(brand.shop.post("/v1/postings/batch", {"lines": [line]}))["results"][0]
    assert result["status"] == "insufficient_points"
    assert refused(brand.reverse(result)) == (422, "not_reversible")


def test_nobody_reverses_what_belongs_to_another(brand: Brand) -> None:
    earned = brand.earn(100)
    other = Brand(brand.callers, program_id=2).found()
    other.earn(100)
    brand.earn(100, member_id=8)
    brand.earn(100, asset="energy")
    assert refused(other.reverse(earned)) == (422, "not_reversible")
    assert refused(brand.reverse(earned, member_id=8)) == (422, "not_reversible")
    assert refused(brand.reverse(earned, asset="energy")) == (422, "not_reversible")
    assert refused(brand.reverse(earned, asset="gold")) == (404, "asset_not_found")
    assert brand.figures()[0] == brand.figures(member=8)[0] == other.figures()[0] == 100


@pytest.mark.parametrize(
    ("field", "value"),
    [("amount", 0), ("amount", True), ("amount", "5"), ("posting_id", "17"), ("posting_id", None), ("member_id", 0)],
)
def test_a_wrong_value_is_pointed_at(brand: Brand, field: str, value: Any) -> None:
    answer = brand.reverse(brand.earn(5), **{field: value}) if field != "posting_id" else brand.reverse({field: value})
    assert refused(answer) == (422, "invalid_request")
    assert pointers(answer) == [f"/{field}"]
