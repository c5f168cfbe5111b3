"""T26: twenty gifts at once from a hundred points give two thousand away (fuint #71, Odoo #192877)."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from tests.points import Brand, wrong


def friends(brand: Brand, *members: int, points: int) -> None:
    brand.set_asset(transferable=True)
    for member in members:
        brand.earn(points, member_id=member)


def test_twenty_gifts_at_once_from_a_hundred_points_move_at_most_a_hundred(brand: Brand) -> None:
    friends(brand, 7, points=100)
    friends(brand, 8, 9, points=1)
    meeting = Barrier(20)

    def give(number: int) -> tuple[int, str | None]:
        meeting.wait()
        answer = brand.give(30, to=8 + number % 2, key=f"g{number}")
        return answer.status_code, answer.json.get("code")

    with ThreadPoolExecutor(20) as pool:
        outcomes = Counter(pool.map(give, range(20)))
    assert outcomes == {(201, None): 3, (422, "insufficient_points"): 17}
    assert brand.figures()[0] == 10
    assert brand.figures(member=8)[0] + brand.figures(member=9)[0] == 92
    assert wrong() == []


def test_a_days_cap_holds_for_gifts_at_once(brand: Brand) -> None:
    friends(brand, 7, 8, points=100)
    brand.set_asset(transferable=True, transfer_most_per_day=50)
    meeting = Barrier(20)

    def give(number: int) -> int:
        meeting.wait()
        return brand.give(20, to=8, key=f"g{number}").status_code

    with ThreadPoolExecutor(20) as pool:
        outcomes = Counter(pool.map(give, range(20)))
    assert outcomes == {201: 2, 422: 18}


def test_gifts_in_a_ring_do_not_wait_for_each_other_for_ever(brand: Brand) -> None:
    friends(brand, 7, 8, 9, points=200)
    meeting = Barrier(18)

    def give(number: int) -> int:
        meeting.wait()
        member = 7 + number % 3
        to = 7 + (number + 1 + number // 9) % 3
        return sum(brand.give(1, to=to, member_id=member).status_code == 201 for _ in range(5))

    with ThreadPoolExecutor(18) as pool:
        assert sum(pool.map(give, range(18))) == 90
    assert sum(brand.figures(member=member)[0] for member in (7, 8, 9)) == 600
    assert wrong() == []
