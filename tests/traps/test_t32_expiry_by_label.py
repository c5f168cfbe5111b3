"""T32: expiry that picks lots by label leaves some that never expire, available exceeds issued. Ours go by day."""

from datetime import timedelta

from services.points.jobs import settle_due_accounts
from tests.ledger import NOON
from tests.points import Brand, Clock, done, sql, wrong

DAY = timedelta(days=1)


def test_whatever_brought_a_lot_it_expires_on_its_day(brand: Brand, clock: Clock) -> None:
    clock.set(NOON)
    brand.earn(10, asset="energy", validity="2D")
    given_back = brand.spend(10, asset="energy")
    brand.earn(20, asset="energy", validity="2D", reason="order")
    brand.reverse(given_back, asset="energy")
    brand.void(brand.hold(25, asset="energy"))
    brand.capture(brand.hold(25, asset="energy"), amount=5)
    left = brand.hold(7, asset="energy", ttl_seconds=86_400)
    assert brand.figures("energy") == (25, 18, 7, 0)
    clock.set(NOON + 3 * DAY)
    assert brand.figures("energy") == (0, 0, 0, 0)
    assert done(brand.shop.get(f"/v1/holds/{left['hold_id']}", member_id=7))["state"] == "expired"
    brand.earn(1, asset="energy")
    totals = done(brand.callers.system("read").get("/v1/assets/energy/totals"))
    assert (totals["issued"], totals["redeemed"], totals["expired"], totals["reversed"]) == (31, 15, 25, 10)
    assert totals["outstanding"] == 1
    assert wrong() == []


def test_the_earliest_day_goes_first_in_whatever_order_lots_came(brand: Brand, clock: Clock) -> None:
    clock.set(NOON)
    for amount, validity in ((3, "unlimited"), (5, "9D"), (7, "2D"), (11, "20D"), (13, "2D")):
        brand.earn(amount, asset="energy", validity=validity)
    brand.spend(22, asset="energy")
    assert [lot["amount"] for lot in brand.account("energy")["lots"]] == [3, 11, 3]


def test_no_account_escapes_the_sweeper(brand: Brand, clock: Clock) -> None:
    clock.set(NOON)
    lines = [
        {"member_id": n, "asset": "points", "kind": "earn", "amount": n, "key": f"k{n}", "validity": f"{1 + n % 3}D"}
        for n in range(1, 601)
    ]
    done(brand.shop.post("/v1/postings/batch", {"lines": lines}))
    clock.set(NOON + 9 * DAY)
    sql("UPDATE points_accounts SET due_at = due_at - interval '10 years'")
    settle_due_accounts()
    assert sql("SELECT sum(balance), count(due_at) FROM points_accounts") == [(0, 0)]
    assert sql("SELECT -sum(amount) FROM points_entries WHERE kind = 6")[0][0] == sum(range(1, 601))
    assert wrong() == []
