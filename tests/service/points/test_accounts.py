"""Reading accounts over HTTP: by bucket, with what is due already gone, each to its owner only."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.points.jobs import settle_due_accounts
from tests.ledger import NOON
from tests.points import Brand, Clock, done, make_due, pointers, refused, sql, wrong
from tests.support import Callers

DAY = timedelta(days=1)


def test_an_account_shows_its_buckets_and_what_expires_next(brand: Brand, clock: Clock) -> None:
    clock.set(NOON)
    brand.earn(10, asset="energy")
    brand.earn(25, asset="energy", validity="unlimited")
    brand.earn(5, asset="energy", validity="3D")
    held = brand.hold(2, asset="energy")
    brand.spend(3, asset="energy")
    assert brand.account("energy") == {
        "asset": "energy",
        "balance": 37,
        "available": 35,
        "pending": 0,
        "held": 2,
        "debt": 0,
        "frozen": False,
        "as_of": "2026-05-03T04:00:00Z",
        "next_expiry": {"on": "2026-06-02", "amount": 10},
        "next_activation": None,
        "lots": [{"on": "2026-06-02", "amount": 10}, {"on": None, "amount": 25}],
        "holds": [{"hold_id": held["hold_id"], "amount": 2, "expires_at": "2026-05-03T04:15:00Z"}],
        "pending_earnings": [],
        "lifetime": {"earned": 40, "spent": 3, "expired": 0, "reversed": 0, "transferred": 0},
    }


def test_a_pending_earning_is_listed_until_it_is_available(brand: Brand, clock: Clock) -> None:
    clock.set(NOON)
    earned = brand.earn(40, asset="energy", available_at="2026-05-10T04:00:00Z")
    brand.earn(8, asset="energy", available_at="2026-05-05T04:00:00Z")
    done(brand.reverse(earned, amount=10, asset="energy"))
    it = brand.account("energy")
    assert (it["balance"], it["available"], it["pending"], it["held"], it["lots"]) == (38, 0, 38, 0, [])
    assert [one["amount"] for one in it["pending_earnings"]] == [8, 30]
    assert it["pending_earnings"][1]["posting_id"] == earned["posting_id"]
    assert it["next_activation"] == it["pending_earnings"][0]
    clock.set(NOON + 7 * DAY)
    it = brand.account("energy")
    assert (it["available"], it["pending"], it["pending_earnings"], it["next_activation"]) == (38, 0, [], None)
    assert it["lots"] == [{"on": "2026-06-04", "amount": 8}, {"on": "2026-06-09", "amount": 30}]
    assert it["lifetime"] == {"earned": 48, "spent": 0, "expired": 0, "reversed": -10, "transferred": 0}


def test_a_lifetime_counts_what_is_due_and_what_members_gave_each_other(brand: Brand, clock: Clock) -> None:
    clock.set(NOON)
    brand.set_asset("energy", validity="30D", transferable=True)
    brand.earn(40, asset="energy", validity="2D")
    brand.earn(60, asset="energy")
    brand.earn(1, asset="energy", member_id=8)
    done(brand.give(15, 8, asset="energy"))
    brand.reverse(brand.spend(30, asset="energy"), asset="energy", amount=4)
    clock.set(NOON + 4 * DAY)
    mine, theirs = brand.account("energy"), brand.account("energy", member=8)
    assert mine["lifetime"] == {"earned": 100, "spent": 30, "expired": 0, "reversed": 4, "transferred": -15}
    assert theirs["lifetime"] == {"earned": 1, "spent": 0, "expired": 15, "reversed": 0, "transferred": 15}
    for it in (mine, theirs):
        life = it["lifetime"]
        total = life["earned"] - life["spent"] - life["expired"] + life["reversed"] + life["transferred"]
        assert total == it["balance"]


def test_a_member_sees_every_asset_also_those_never_touched(brand: Brand) -> None:
    brand.earn(10)
    accounts = done(brand.callers.member(7).get("/v1/accounts"))["accounts"]
    assert [(it["asset"], it["balance"]) for it in accounts] == [("points", 10), ("energy", 0), ("growth", 0)]
    assert accounts[1]["next_expiry"] is None
    assert done(brand.callers.member(7).get("/v1/accounts/growth"))["lots"] == []


def test_reading_writes_nothing(brand: Brand) -> None:
    for path in ("/v1/accounts", "/v1/accounts/points", "/v1/accounts/points/entries", "/v1/accounts/points/statement"):
        done(brand.callers.member(7).get(path))
    assert sql("SELECT count(*) FROM points_accounts")[0][0] == 0


def test_an_expired_lot_is_gone_for_readers_before_anyone_wrote_it(brand: Brand, clock: Clock) -> None:
    clock.set(NOON)
    brand.earn(10, asset="energy", validity="2D")
    brand.earn(7, asset="energy", validity="5D")
    clock.set(NOON + 3 * DAY)
    assert brand.figures("energy") == (7, 7, 0, 0)
    assert brand.account("energy")["next_expiry"] == {"on": "2026-05-08", "amount": 7}
    assert done(brand.callers.member(7).get("/v1/accounts"))["accounts"][1]["balance"] == 7
    assert brand.kinds("energy") == [("earn", 10), ("earn", 7)]
    answer = brand.send("postings", asset="energy", kind="spend", amount=8)
    assert answer.json["facts"] == {"available": 7, "short_by": 1}
    assert brand.kinds("energy")[-1] == ("expire", -10)
    assert brand.entries("energy")[-1]["cause"] == "time"
    assert brand.figures("energy") == (7, 7, 0, 0)


def test_what_is_earned_with_a_day_that_has_passed_is_gone_at_once(brand: Brand) -> None:
    earned = brand.earn(10, validity="1D", earned_at="2025-01-31T12:00:00Z")
    assert earned["balance"] == 10
    assert brand.kinds() == [("earn", 10), ("expire", -10)]
    lines = [
        {"member_id": 7, "asset": "points", "kind": "earn", "amount": 9, "key": "a", "validity": "1D",
         "earned_at": "2025-01-31T12:00:00Z"},
        {"member_id": 7, "asset": "points", "kind": "spend", "amount": 9, "key": "b"},
    ]  # fmt: skip
    results = done(brand.shop.post("/v1/postings/batch", {"lines": lines}))["results"]
    assert [it["status"] for it in results] == ["posted", "insufficient_points"]
    assert wrong() == []


@pytest.mark.parametrize(
    ("time_zone", "last_instant"),
    [
        ("Asia/Shanghai", datetime(2026, 5, 4, 15, 59, 59, 999_999, tzinfo=UTC)),
        ("America/New_York", datetime(2026, 3, 9, 3, 59, 59, 999_999, tzinfo=UTC)),
        ("America/New_York", datetime(2026, 11, 2, 4, 59, 59, 999_999, tzinfo=UTC)),
        ("Asia/Kathmandu", datetime(2026, 2, 28, 18, 14, 59, 999_999, tzinfo=UTC)),
    ],
)
def test_a_lot_ends_at_local_midnight(points: Callers, clock: Clock, time_zone: str, last_instant: datetime) -> None:
    brand = Brand(points, program_id=3).found(time_zone=time_zone)
    clock.set(last_instant - DAY - timedelta(hours=2))
    brand.earn(10, asset="energy", validity="1D")
    clock.set(last_instant)
    assert brand.figures("energy")[1] == 10
    assert brand.spend(1, asset="energy")["available"] == 9
    clock.set(last_instant + timedelta(microseconds=1))
    assert brand.figures("energy")[1] == 0
    assert refused(brand.send("postings", asset="energy", kind="spend", amount=1)) == (422, "insufficient_points")


def test_the_sweeper_settles_accounts_that_nobody_touches(brand: Brand, clock: Clock) -> None:
    for member in range(1, 8):
        brand.earn(10, member_id=member, validity="1D")
        brand.hold(4, member_id=member)
    done_before = sql("SELECT count(*) FROM points_entries")[0][0]
    settle_due_accounts()
    assert sql("SELECT count(*) FROM points_entries")[0][0] == done_before
    make_due("20 minutes")
    settle_due_accounts()
    assert sql("SELECT count(*) FROM points_holds WHERE state = 3")[0][0] == 7
    assert [brand.figures(member=member) for member in range(1, 8)] == [(10, 10, 0, 0)] * 7
    clock.set(datetime.now(UTC) + 3 * DAY)
    make_due("3 days")
    settle_due_accounts()
    assert sql("SELECT count(*) FROM points_accounts WHERE balance <> 0 OR due_at IS NOT NULL")[0][0] == 0
    assert wrong() == []


def test_the_sweeper_does_not_come_back_to_an_account_with_nothing_left_to_expire(brand: Brand) -> None:
    brand.earn(10, validity="1D")
    brand.spend(10)
    make_due("3 days")
    settle_due_accounts()
    assert sql("SELECT due_at FROM points_accounts") == [(None,)]
    assert brand.kinds() == [("earn", 10), ("spend", -10)]


def test_the_sweeper_works_through_many_accounts_in_chunks(brand: Brand) -> None:
    lines = [
        {"member_id": member, "asset": "points", "kind": "earn", "amount": 1, "key": f"k{member}", "validity": "9D"}
        for member in range(1, 1002)
    ]
    for part in (lines[:1000], lines[1000:]):
        done(brand.shop.post("/v1/postings/batch", {"lines": part}))
    sql("UPDATE points_accounts SET due_at = '2020-01-01'")
    settle_due_accounts()
    assert sql("SELECT count(*) FROM points_accounts WHERE due_at <= now()")[0][0] == 0
    assert sql("SELECT count(*) FROM points_entries")[0][0] == 1001


READS = ["/v1/accounts", "/v1/accounts/points", "/v1/accounts/points/entries", "/v1/accounts/points/statement"]


@pytest.mark.parametrize("path", READS)
def test_each_sees_their_own_and_staff_systems_and_neighbours_whom_they_name(
    brand: Brand, clock: Clock, path: str
) -> None:
    clock.set(NOON)
    brand.earn(10)
    mine = done(brand.callers.member(7).get(path))
    assert done(brand.callers.member(7).get(path, member_id=7)) == mine
    assert refused(brand.callers.member(7).get(path, member_id=8)) == (404, "not_found")
    assert done(brand.callers.member(8).get(path)) != mine
    for caller in (brand.callers.staff("support"), brand.callers.system("read"), brand.callers.service("levels")):
        assert done(caller.get(path, member_id=7)) == mine
        assert pointers(caller.get(path)) == ["/query/member_id"]
    assert refused(brand.callers.system("ledger").get(path, member_id=7)) == (403, "forbidden")
    assert refused(brand.callers.anybody().get(path)) == (401, "unauthenticated")


@pytest.mark.parametrize("path", READS)
def test_another_program_sees_nothing_of_it(brand: Brand, clock: Clock, path: str) -> None:
    clock.set(NOON)
    brand.earn(987_654)
    other = Brand(brand.callers, program_id=2).found()
    assert "987654" in str(done(brand.shop.get(path, member_id=7)))
    assert "987654" not in str(done(other.shop.get(path, member_id=7)))
    assert refused(brand.callers.member(7, program_id=9).get(path)) == (404, "program_not_configured")


@pytest.mark.parametrize("query", [{"member_id": 0}, {"member_id": "x"}, {"member_id": 2**53}, {"who": 7}])
def test_a_wrong_query_is_pointed_at(brand: Brand, query: dict[str, Any]) -> None:
    answer = brand.shop.get("/v1/accounts", **query)
    assert refused(answer) == (422, "invalid_request")
    assert pointers(answer)[0].startswith("/query/")


def test_an_unknown_asset_is_not_there(brand: Brand) -> None:
    for path in ("/v1/accounts/gold", "/v1/accounts/gold/entries", "/v1/accounts/gold/statement"):
        assert refused(brand.callers.member(7).get(path)) == (404, "asset_not_found")
    assert refused(brand.callers.member(7).get("/v1/accounts/Gold")) == (404, "not_found")
    assert refused(brand.callers.staff("finance").get("/v1/assets/gold/totals")) == (404, "asset_not_found")


def test_readers_in_flight_together_each_see_their_own_and_what_they_have_just_got(brand: Brand) -> None:
    earned = dict.fromkeys(range(1, 9), 0)

    def earn_and_look(member: int) -> None:
        for amount in range(1, 16):
            brand.shop.post(
                "/v1/postings",
                {"member_id": member, "asset": "points", "kind": "earn", "amount": amount * member},
                key=f"{member}-{amount}",
            )
            earned[member] += amount * member
            seen = done(brand.callers.member(member).get("/v1/accounts/points"))
            assert (seen["balance"], seen["lifetime"]["earned"]) == (earned[member], earned[member])
            nothing = done(brand.callers.member(member + 100).get("/v1/accounts/points"))
            assert nothing["balance"] == 0
            whole = {
                it["asset"]: it["balance"] for it in done(brand.callers.member(member).get("/v1/accounts"))["accounts"]
            }
            assert whole == {"points": earned[member], "energy": 0, "growth": 0}

    with ThreadPoolExecutor(24) as pool:
        watched = [pool.submit(watch, brand, earned, member) for member in earned for _ in range(2)]
        for one in [*[pool.submit(earn_and_look, member) for member in earned], *watched]:
            one.result(60)


def watch(brand: Brand, earned: dict[int, int], member: int) -> None:
    """Look on while a member earns: what is seen never falls back behind what was known to be there."""
    for _ in range(30):
        known = earned[member]
        assert done(brand.shop.get("/v1/accounts/points", member_id=member))["balance"] >= known
