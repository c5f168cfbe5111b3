"""Many at once, with real threads: stock, limits, keys, and drivers of one order."""

from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from services.redemption.orders import jobs
from tests.redemption import ORDERS, Killed, Mall


def at_once(calls: Iterable[Callable[[], Any]], threads: int = 32) -> list[Any]:
    """The answers to all the calls."""
    with ThreadPoolExecutor(threads) as pool:
        return [future.result() for future in [pool.submit(call) for call in calls]]


def buy(mall: Mall, member_id: int, key: str = "a", quantity: int = 1) -> Callable[[], tuple[int, str]]:
    """A member's attempt: the status, and the state or code it ended with."""

    def attempt() -> tuple[int, str]:
        answer = mall.redeem(member_id, key=key, quantity=quantity)
        return answer.status_code, answer.json.get("state") or answer.json["code"]

    return attempt


def test_two_hundred_want_ten_pieces_and_ten_get_one(mall: Mall) -> None:
    mall.put_item(stock=10, price=100)
    buyers = range(1001, 1201)
    for buyer in buyers:
        mall.points.give(buyer, 100)
    results = at_once(buy(mall, buyer) for buyer in buyers)
    assert Counter(results) == {(201, "completed"): 10, (409, "sold_out"): 190}
    left = Counter(mall.points.available(buyer) for buyer in buyers)
    assert left == {0: 10, 100: 190}
    assert len(mall.points.holds) == 10, "whoever comes too late is not even asked for points"
    assert mall.stock() == {"total": 10, "reserved": 0, "sold": 10, "available": 0}
    mall.assert_settled()


def test_stock_is_not_oversold_by_orders_of_several_pieces(mall: Mall) -> None:
    mall.put_item(stock=10, price=1)
    buyers = range(1001, 1041)
    for buyer in buyers:
        mall.points.give(buyer, 100)
    results = at_once(buy(mall, buyer, quantity=3) for buyer in buyers)
    assert Counter(results) == {(201, "completed"): 3, (409, "sold_out"): 37}
    assert mall.stock()["available"] == 1
    mall.assert_settled()


def test_stock_of_those_who_cannot_pay_goes_to_those_who_can(mall: Mall) -> None:
    mall.put_item(stock=100, price=100)
    for buyer in range(1001, 1041, 2):
        mall.points.give(buyer, 100)
    results = at_once(buy(mall, buyer) for buyer in range(1001, 1041))
    assert Counter(results) == {(201, "completed"): 20, (422, "insufficient_points"): 20}
    assert mall.stock()["available"] == 80
    mall.assert_settled()


def test_a_member_with_many_fingers_gets_no_more_than_the_limit(mall: Mall) -> None:
    mall.put_item(stock=100, per_member_limit=3, price=1)
    results = at_once(buy(mall, 7, key=str(number)) for number in range(32))
    assert Counter(results) == {(201, "completed"): 3, (409, "per_member_limit_reached"): 29}
    assert (mall.points.available(7), mall.stock()["sold"]) == (997, 3)
    mall.assert_settled()


def test_a_member_with_points_for_two_gets_two(mall: Mall) -> None:
    mall.put_item(stock=100, price=500)
    results = at_once(buy(mall, 7, key=str(number)) for number in range(16))
    assert Counter(results) == {(201, "completed"): 2, (422, "insufficient_points"): 14}
    assert mall.points.available(7) == 0
    mall.assert_settled()


def test_one_key_sent_many_times_at_once_is_one_order_and_one_answer(mall: Mall) -> None:
    mall.put_item()
    answers = at_once((mall.redeem for _ in range(24)), threads=12)
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.data for answer in answers}) == 1
    assert (mall.points.available(7), mall.stock()["sold"], len(mall.points.postings)) == (900, 1, 1)
    mall.assert_settled()


def test_one_cancellation_sent_many_times_at_once_gives_back_once(mall: Mall) -> None:
    mall.put_item()
    order_id = mall.redeem().json["order_id"]
    answers = at_once((lambda: mall.cancel(order_id) for _ in range(16)), threads=12)
    assert {(answer.status_code, answer.json["state"]) for answer in answers} == {(200, "cancelled")}
    assert (mall.points.available(7), mall.stock()["sold"]) == (1000, 0)
    mall.assert_settled()


@pytest.mark.parametrize("attempt", range(4))
def test_cancelling_and_fulfilling_at_once_end_in_one_of_them(mall: Mall, attempt: int) -> None:
    mall.put_item()
    order_id = mall.redeem().json["order_id"]
    calls = [
        lambda: mall.cancel(order_id).status_code,
        lambda: mall.desk.post(f"{ORDERS}/{order_id}/fulfilment", {}, key="f").status_code,
    ]
    statuses = at_once(calls if attempt % 2 else calls[::-1])
    assert sorted(statuses) == [200, 409]
    state = mall.show(order_id)["state"]
    assert mall.points.available(7) == {"cancelled": 1000, "fulfilled": 900}[state]
    mall.assert_settled()


@pytest.mark.parametrize("minutes", [2, 10])
def test_recoveries_and_the_member_driving_the_same_orders_do_not_fight(mall: Mall, minutes: int) -> None:
    mall.put_item(stock=20, price=10)
    for number in range(12):
        step, how = ("hold", "capture")[number % 2], ("lose_reply", "drop")[number // 2 % 2]
        mall.points.fail(step, how, times=4)
        assert mall.redeem(key=str(number)).status_code == 503
    mall.clock.move(minutes=minutes)
    again = [buy(mall, 7, key=str(number)) for number in range(12)]
    at_once([*again, *([jobs.recover_orders] * 6), *again], threads=12)
    mall.recover()
    mall.assert_settled()
    completed = mall.rows("SELECT count(*) FROM redemption_orders WHERE state IN ('completed')")[0][0]
    assert mall.points.available(7) == 1000 - 10 * completed
    assert completed == 12 or minutes == 10


def test_setting_an_item_up_while_it_sells_loses_no_count(mall: Mall) -> None:
    mall.put_item(stock=40, price=1)
    for buyer in range(1001, 1041):
        mall.points.give(buyer, 100)
    set_ups = [lambda price=price: mall.put_item(stock=40, price=price) for price in range(1, 9)]
    buyers = [buy(mall, buyer) for buyer in range(1001, 1041)]
    at_once([*buyers[:20], *set_ups, *buyers[20:]], threads=16)
    assert mall.stock() == {"total": 40, "reserved": 0, "sold": 40, "available": 0}
    mall.assert_settled()


def test_two_marketers_making_one_item_at_once_make_one(mall: Mall) -> None:
    made = at_once([lambda price=price: mall.put_item(price=price) for price in (100, 200) * 4], threads=8)
    assert len(made) == 8
    ((versions, newest),) = mall.rows("SELECT count(*), max(version) FROM redemption_item_versions")
    assert versions == newest
    assert mall.marketer.get("/v1/items/mug").json["version"] == newest


def test_killed_drivers_among_many_buyers_leave_nothing_behind(mall: Mall, monkeypatch: pytest.MonkeyPatch) -> None:
    from services.redemption.orders import clients

    capture, died = clients.capture, []

    def mortal(order: Any) -> Any:
        posting_id = capture(order)
        if order.member_id % 5 == 0 and order.member_id not in died:
            died.append(order.member_id)
            raise Killed
        return posting_id

    monkeypatch.setattr(clients, "capture", mortal)
    mall.put_item(stock=10, price=100)
    buyers = range(1001, 1031)
    for buyer in buyers:
        mall.points.give(buyer, 100)

    def attempt(buyer: int) -> str:
        try:
            return buy(mall, buyer)()[1]
        except Killed:
            return "killed"

    results = Counter(at_once((lambda buyer=buyer: attempt(buyer) for buyer in buyers), threads=16))
    assert results["completed"] + results["killed"] == 10
    assert results["sold_out"] == 20
    mall.recover()
    assert mall.stock() == {"total": 10, "reserved": 0, "sold": 10, "available": 0}
    mall.assert_settled()


def test_a_key_sent_many_times_at_once_is_refused_once_whoever_looks_at_them_together(mall: Mall) -> None:
    mall.put_item(stock=0)
    calls = [buy(mall, member, key=key, quantity=n) for member in (7, 8) for key in "abc" for n in (1, 1, 1, 2, 2, 2)]
    results = at_once(calls)
    for start in range(0, len(results), 6):
        ones, twos = Counter(results[start : start + 3]), Counter(results[start + 3 : start + 6])
        assert {frozenset(ones), frozenset(twos)} == {
            frozenset({(409, "sold_out")}),
            frozenset({(422, "idempotency_key_reused")}),
        }
    rows = mall.rows("SELECT member_id, key, state, refusal_code FROM redemption_orders ORDER BY member_id, key")
    assert rows == [(member, key, "refused", "sold_out") for member in (7, 8) for key in "abc"]
    assert mall.points.calls == []
    mall.assert_settled()
