"""Holds over HTTP: reserved until captured, voided or expired, each exactly once."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from tests.ledger import NOON
from tests.points import Brand, Clock, done, make_due, pointers, refused, sql, wrong
from tests.support import Callers

DAY = timedelta(days=1)


def shown(hold: dict[str, Any]) -> tuple[str, int, int]:
    return hold["state"], hold["amount"], hold["captured"]


def test_a_hold_reserves_and_a_capture_spends(brand: Brand) -> None:
    brand.earn(100)
    hold = brand.hold(70, reason="order 17")
    assert shown(hold) == ("open", 70, 0)
    assert hold["posting_id"] == hold["hold_id"]
    assert brand.figures() == (100, 30, 70, 0)
    assert refused(brand.send("postings", kind="spend", amount=31)) == (422, "insufficient_points")
    assert shown(done(brand.capture(hold))) == ("captured", 70, 70)
    assert brand.figures() == (30, 30, 0, 0)
    assert brand.kinds() == [("earn", 100), ("hold", 0), ("capture", -70)]
    assert wrong() == []


def test_a_part_captured_gives_the_rest_back_to_its_days(brand: Brand) -> None:
    for amount, validity in ((10, "5D"), (20, "9D"), (30, "20D")):
        brand.earn(amount, asset="energy", validity=validity)
    before = brand.account("energy")["lots"]
    hold = brand.hold(45, asset="energy")
    assert [lot["amount"] for lot in brand.account("energy")["lots"]] == [15]
    assert shown(done(brand.capture(hold, amount=12))) == ("captured", 45, 12)
    after = brand.account("energy")["lots"]
    assert [lot["amount"] for lot in after] == [18, 30]
    assert [lot["on"] for lot in after] == [lot["on"] for lot in before[1:]]
    assert brand.figures("energy") == (48, 48, 0, 0)


def test_a_void_restores_the_same_lots_and_days(brand: Brand) -> None:
    for amount, validity in ((10, "5D"), (20, "9D")):
        brand.earn(amount, asset="energy", validity=validity)
    before = brand.account("energy")
    hold = brand.hold(25, asset="energy")
    assert shown(done(brand.void(hold))) == ("voided", 25, 0)
    assert {**brand.account("energy"), "as_of": None} == {**before, "as_of": None}


def test_more_than_is_available_cannot_be_held(brand: Brand) -> None:
    brand.earn(100)
    brand.hold(60)
    answer = brand.send("holds", amount=41)
    assert refused(answer) == (422, "insufficient_points")
    assert answer.json["facts"] == {"available": 40, "short_by": 1}
    assert sql("SELECT count(*) FROM points_holds")[0][0] == 1


def test_more_than_is_held_cannot_be_captured_and_the_hold_stays_open(brand: Brand) -> None:
    brand.earn(100)
    hold = brand.hold(60)
    answer = brand.capture(hold, amount=61)
    assert refused(answer) == (422, "hold_exceeded")
    assert pointers(answer) == ["/amount"]
    assert shown(done(brand.capture(hold, amount=60))) == ("captured", 60, 60)


@pytest.mark.parametrize("first", ["capture", "void"])
@pytest.mark.parametrize("second", ["capture", "void"])
def test_a_hold_ends_once(brand: Brand, first: str, second: str) -> None:
    brand.earn(100)
    hold = brand.hold(60)
    done(getattr(brand, first)(hold))
    figures = brand.figures()
    assert refused(getattr(brand, second)(hold)) == (409, "hold_not_open")
    assert brand.figures() == figures


def test_a_hold_captured_and_voided_at_once_ends_one_way(brand: Brand) -> None:
    brand.earn(1000)
    for _ in range(10):
        hold = brand.hold(10)
        with ThreadPoolExecutor(6) as pool:
            ends = [pool.submit(end, hold, key=brand.new_key()) for end in (brand.capture, brand.void) * 3]
        statuses = sorted(end.result().status_code for end in ends)
        assert statuses == [200, 409, 409, 409, 409, 409]
    assert brand.figures()[2] == 0
    assert wrong() == []


def test_every_step_can_be_sent_again(brand: Brand) -> None:
    brand.earn(100)
    hold = brand.send("holds", amount=60, key="h")
    again = brand.send("holds", amount=60, key="h")
    assert (again.status_code, again.json) == (201, hold.json)
    assert again.headers["Idempotency-Replayed"] == "true"
    first = brand.capture(hold.json, amount=50, key="c")
    second = brand.capture(hold.json, amount=50, key="c")
    assert (second.status_code, second.json) == (200, first.json)
    assert second.headers["Idempotency-Replayed"] == "true"
    assert first.headers.get("Idempotency-Replayed") is None
    assert refused(brand.capture(hold.json, amount=40, key="c")) == (422, "idempotency_key_reused")
    assert refused(brand.void(hold.json, key="c")) == (422, "idempotency_key_reused")
    assert refused(brand.void(hold.json, key="v")) == refused(brand.void(hold.json, key="v")) == (409, "hold_not_open")
    assert brand.figures() == (50, 50, 0, 0)


def test_a_hold_past_its_deadline_reads_as_expired_before_anyone_wrote_it(brand: Brand) -> None:
    brand.earn(100)
    hold = brand.hold(60, ttl_seconds=900)
    make_due("901 seconds")
    seen = done(brand.shop.get(f"/v1/holds/{hold['hold_id']}", member_id=7))
    assert shown(seen) == ("expired", 60, 0)
    assert brand.figures() == (100, 100, 0, 0)
    assert brand.kinds() == [("earn", 100), ("hold", 0)]


@pytest.mark.parametrize("end", ["capture", "void"])
def test_a_hold_past_its_deadline_is_not_open(brand: Brand, end: str) -> None:
    brand.earn(100)
    hold = brand.hold(60, ttl_seconds=1)
    make_due("1 second")
    assert refused(getattr(brand, end)(hold)) == (409, "hold_not_open")
    assert brand.kinds() == [("earn", 100), ("hold", 0), ("hold_expired", 0)]
    assert brand.spend(100)["balance"] == 0
    assert shown(done(brand.shop.get(f"/v1/holds/{hold['hold_id']}", member_id=7))) == ("expired", 60, 0)
    assert wrong() == []


def test_an_expiring_lot_cannot_break_a_capture(brand: Brand, clock: Clock) -> None:
    clock.set(NOON)
    brand.earn(50, asset="energy", validity="1D")
    hold = brand.hold(50, asset="energy", ttl_seconds=10 * 86_400)
    clock.set(NOON + 5 * DAY)
    assert brand.figures("energy") == (50, 0, 50, 0)
    assert shown(done(brand.capture(hold, amount=20))) == ("captured", 50, 20)
    assert brand.figures("energy") == (0, 0, 0, 0)
    assert brand.kinds("energy") == [("earn", 50), ("hold", 0), ("capture", -20), ("expire", -30)]
    assert wrong() == []


def test_a_hold_voided_after_its_lots_day_gives_nothing_back(brand: Brand, clock: Clock) -> None:
    clock.set(NOON)
    brand.earn(50, asset="energy", validity="1D")
    hold = brand.hold(50, asset="energy", ttl_seconds=10 * 86_400)
    clock.set(NOON + 5 * DAY)
    assert shown(done(brand.void(hold))) == ("voided", 50, 0)
    assert brand.figures("energy") == (0, 0, 0, 0)
    assert brand.kinds("energy")[-2:] == [("void", 0), ("expire", -50)]


def test_dead_holds_pay_debt_in_the_order_of_their_deadlines_for_readers_too(brand: Brand, clock: Clock) -> None:
    clock.set(NOON)
    owed = brand.earn(20, asset="growth", validity="5D")
    brand.earn(20, asset="growth", validity="9D")
    brand.hold(20, asset="growth", ttl_seconds=2 * 86_400)
    brand.hold(20, asset="growth", ttl_seconds=86_400)
    done(brand.reverse(owed, asset="growth"))
    assert brand.figures("growth") == (20, 0, 40, 20)
    clock.set(NOON + 3 * DAY)
    read = brand.account("growth")
    brand.send("postings", asset="growth", kind="spend", amount=1000)
    assert read == brand.account("growth")
    assert read["lots"] == [{"on": "2026-05-08", "amount": 20}]


def test_a_hold_lasts_a_quarter_of_an_hour_unless_told(brand: Brand, clock: Clock) -> None:
    clock.set(NOON)
    brand.earn(50)
    assert brand.hold(1)["expires_at"] == "2026-05-03T04:15:00Z"
    assert brand.hold(1, ttl_seconds=30 * 86_400)["expires_at"] == "2026-06-02T04:00:00Z"


@pytest.mark.parametrize("ttl", [0, -1, 30 * 86_400 + 1, "900", 1.5, True])
def test_a_hold_has_bounds(brand: Brand, ttl: Any) -> None:
    brand.earn(50)
    answer = brand.send("holds", amount=1, ttl_seconds=ttl)
    assert refused(answer) == (422, "invalid_request")
    assert pointers(answer) == ["/ttl_seconds"]


@pytest.mark.parametrize("amount", [0, -1, "5", 5.5, True, 2**53])
def test_amounts_are_whole_and_positive(brand: Brand, amount: Any) -> None:
    brand.earn(50)
    hold = brand.hold(5)
    assert pointers(brand.send("holds", amount=amount)) == ["/amount"]
    assert pointers(brand.capture(hold, amount=amount)) == ["/amount"]
    assert pointers(brand.void(hold, amount=5)) == ["/amount"]


def test_nobody_reads_or_ends_what_belongs_to_another(brand: Brand) -> None:
    brand.earn(50)
    other = Brand(brand.callers, program_id=2).found()
    hold = brand.hold(5)
    path = f"/v1/holds/{hold['hold_id']}"
    assert done(brand.callers.member(7).get(path))["hold_id"] == hold["hold_id"]
    assert done(brand.callers.member(7).get(path, member_id=7))["member_id"] == 7
    for answer in (
        brand.callers.member(8).get(path),
        brand.callers.member(7).get(path, member_id=8),
        brand.callers.member(8).get(path, member_id=7),
        brand.callers.member(7, program_id=2).get(path),
        other.shop.get(path, member_id=7),
        brand.shop.get(path, member_id=8),
        brand.shop.get(f"/v1/holds/{uuid.uuid4()}", member_id=7),
        brand.shop.get("/v1/holds/17", member_id=7),
        other.capture(hold),
        other.void(hold),
        brand.capture(hold, member_id=8),
        brand.void(hold, member_id=8),
    ):
        assert refused(answer) == (404, "not_found")
    assert pointers(brand.shop.get(path)) == ["/query/member_id"]
    assert brand.figures() == (50, 45, 5, 0)


@pytest.mark.parametrize("step", ["capture", "void"])
def test_only_systems_with_the_scope_and_neighbours_may_end_holds(points: Callers, step: str) -> None:
    path = f"/v1/holds/{uuid.uuid4()}/{step}"
    for caller in (points.member(7), points.staff("admin"), points.system("read")):
        assert refused(caller.post(path, {"member_id": 7}, key="k")) == (403, "forbidden")
    assert refused(points.anybody().post(path, {"member_id": 7}, key="k")) == (401, "unauthenticated")
    assert refused(points.service("redemption").post(path, {"member_id": 7})) == (400, "idempotency_key_missing")
