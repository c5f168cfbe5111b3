"""T1: `balance = old + n` written back loses the update of whoever came in between."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from tests.points import Brand, sql, wrong


def test_no_update_is_lost_between_reading_and_writing(brand: Brand) -> None:
    meeting = Barrier(24)

    def shop(number: int) -> None:
        meeting.wait()
        for turn in range(10):
            brand.earn(7, key=f"{number}-{turn}-e")
            brand.spend(3, key=f"{number}-{turn}-s")

    with ThreadPoolExecutor(24) as pool:
        list(pool.map(shop, range(24)))
    assert brand.figures() == (960, 960, 0, 0)
    assert sql("SELECT count(*), sum(amount), max(seq) FROM points_entries") == [(480, 960, 480)]
    assert wrong() == []


def test_a_batch_and_singles_on_the_same_account_do_not_overwrite_each_other(brand: Brand) -> None:
    lines = [{"member_id": 7, "asset": "points", "kind": "earn", "amount": 1, "key": f"b{n}"} for n in range(200)]
    with ThreadPoolExecutor(9) as pool:
        batch = pool.submit(brand.shop.post, "/v1/postings/batch", {"lines": lines})
        singles = [pool.submit(brand.earn, 1, key=f"s{n}") for n in range(100)]
        assert batch.result().status_code == 200
        assert len({single.result()["seq"] for single in singles}) == 100
    assert brand.figures()[0] == 300
    assert wrong() == []
