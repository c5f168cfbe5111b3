"""T26: twenty spendings at once from a hundred points take two thousand."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from tests.points import Brand, wrong


def test_of_twenty_spendings_at_once_exactly_one_gets_the_hundred_points(brand: Brand) -> None:
    brand.earn(100)
    meeting = Barrier(20)

    def spend(number: int) -> tuple[int, str | None]:
        meeting.wait()
        answer = brand.send("postings", kind="spend", amount=100, key=f"s{number}")
        return answer.status_code, answer.json.get("code")

    with ThreadPoolExecutor(20) as pool:
        outcomes = Counter(pool.map(spend, range(20)))
    assert outcomes == {(201, None): 1, (422, "insufficient_points"): 19}
    assert brand.figures() == (0, 0, 0, 0)
    assert wrong() == []


def test_spendings_holds_and_batches_at_once_never_take_more_than_there_is(brand: Brand) -> None:
    brand.earn(100)
    meeting = Barrier(18)
    line = {"member_id": 7, "asset": "points", "kind": "spend", "amount": 30}

    def take(number: int) -> int:
        meeting.wait()
        if number % 3 == 0:
            return 30 * (brand.send("postings", kind="spend", amount=30, key=f"t{number}").status_code == 201)
        if number % 3 == 1:
            return 30 * (brand.send("holds", amount=30, key=f"t{number}").status_code == 201)
        lines = [{**line, "key": f"t{number}-{n}"} for n in range(2)]
        return 30 * int(brand.shop.post("/v1/postings/batch", {"lines": lines}).json["posted"])

    with ThreadPoolExecutor(18) as pool:
        taken = sum(pool.map(take, range(18)))
    assert taken == 90
    assert brand.figures()[1] == 10
    assert wrong() == []
