"""T14: a cancellation computed by today's rule, or repeated, mints points; a refund returns them as something else."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from tests.ledger import NOON
from tests.points import Brand, Clock, done, refused, wrong


def test_cancelling_again_and_again_gives_points_back_once(brand: Brand) -> None:
    brand.earn(100)
    spent = brand.spend(100)
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda n: brand.reverse(spent, key=f"cancel-{n}").status_code, range(10)))
    assert sorted(answers) == [201] + [422] * 9
    assert brand.figures()[0] == 100
    assert wrong() == []


def test_a_cancelled_spending_returns_what_it_took_in_kind_and_day(brand: Brand, clock: Clock) -> None:
    clock.set(NOON)
    brand.earn(30, asset="energy", validity="5D")
    brand.earn(30, asset="energy", validity="20D")
    before = brand.account("energy")["lots"]
    spent = brand.spend(50, asset="energy")
    clock.set(NOON + timedelta(days=2))
    marketer = brand.callers.staff("marketer")
    changed = {"name_en": "Energy", "name_zh": "能量值", "validity": "1D"}
    assert marketer.put("/v1/assets/energy", changed).status_code == 200
    done(brand.reverse(spent, asset="energy"))
    assert brand.account("energy")["lots"] == before


def test_no_set_of_partial_reversals_exceeds_the_original(brand: Brand) -> None:
    brand.earn(100)
    spent = brand.spend(61)
    given_back = 0
    for amount in (20, 20, 20, 20, 1, 1):
        answer = brand.reverse(spent, amount=amount)
        given_back += amount if answer.status_code == 201 else 0
    assert given_back == 61
    assert refused(brand.reverse(spent)) == (422, "reversal_exceeded")
    assert brand.figures()[0] == 100
