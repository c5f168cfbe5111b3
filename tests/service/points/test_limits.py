"""What an asset's limits allow at once and within a calendar period, on every path that earns or spends (B19)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.care import Desk, MembersDouble
from tests.earning import Shop, at_once, paid, refunded
from tests.ledger import NOON
from tests.points import Brand, Clock, done, refused, sql, wrong
from tests.service.points.test_balance_caps import cut, replays_alike
from tests.service.points.test_grants import Neighbour, asset

DAY = timedelta(days=1)
#: The next of the day, week and month around NOON, a Sunday, begins in Shanghai at these instants.
TOMORROW = "2026-05-03T16:00:00+00:00"
NEXT_MONTH = "2026-05-31T16:00:00+00:00"


def told(answer: TestResponse) -> tuple[str, Any, Any, Any]:
    """Why it was refused: the setting, what is left of it and when it is free again."""
    status, code = refused(answer)
    assert status == 422
    facts = (answer.json or {})["facts"]
    return code, facts["limit"], facts.get("left"), facts.get("free_at")


def test_b19_what_is_earned_beyond_a_period_is_cut_until_the_next_one(brand: Brand, clock: Clock) -> None:
    brand.set_asset(earning_limits={"posting": 90, "day": 100, "month": 150})
    clock.set(NOON)
    assert cut(brand.earn(80)) == (80, None, None)
    assert cut(brand.earn(80, key="k")) == (20, 80, "earning_limits.day")
    assert cut(brand.earn(80, key="k")) == (20, 80, "earning_limits.day"), "a replay is the first answer again"
    brand.spend(100)
    assert cut(brand.earn(1)) == (0, 1, "earning_limits.day"), "what was spent is still earned"
    clock.set(datetime(2026, 5, 3, 15, 59, 59, tzinfo=UTC))
    assert cut(brand.earn(1)) == (0, 1, "earning_limits.day")
    clock.set(datetime(2026, 5, 3, 16, 0, tzinfo=UTC))
    assert cut(brand.earn(80)) == (50, 80, "earning_limits.month")
    clock.set(datetime(2026, 5, 31, 16, 0, tzinfo=UTC))
    assert told(brand.send("postings", kind="earn", amount=91)) == (
        "earning_too_large", "earning_limits.posting", None, None,
    )  # fmt: skip
    assert cut(brand.earn(90)) == (90, None, None)
    assert cut(brand.earn(20)) == (10, 20, "earning_limits.day"), "what is of the period's first instant counts in it"
    assert brand.entries()[-3]["meta"] == {"wanted": 80, "capped": "earning_limits.month"}
    assert wrong() == []
    assert replays_alike()


def test_what_is_reversed_is_free_again_in_the_period_in_which_it_was_earned(brand: Brand, clock: Clock) -> None:
    brand.set_asset(earning_limits={"day": 100}, spending_limits={"day": 60})
    clock.set(NOON - DAY)
    yesterdays = brand.earn(100)
    clock.set(NOON)
    earned, spent = brand.earn(100), brand.spend(60)
    done(brand.reverse(yesterdays))
    assert cut(brand.earn(10)) == (0, 10, "earning_limits.day"), "what is reversed counted yesterday"
    done(brand.reverse(earned, amount=30))
    assert cut(brand.earn(50)) == (30, 50, "earning_limits.day")
    done(brand.reverse(spent, amount=25))
    assert told(brand.send("postings", kind="spend", amount=26)) == (
        "spending_limited", "spending_limits.day", 25, TOMORROW,
    )  # fmt: skip
    brand.spend(25)
    assert wrong() == []


def test_a_hold_is_a_spending_until_it_is_given_up(brand: Brand, clock: Clock) -> None:
    brand.set_asset(spending_limits={"posting": 80, "month": 100})
    clock.set(NOON)
    brand.earn(1_000)
    assert told(brand.send("holds", amount=81)) == ("spending_too_large", "spending_limits.posting", None, None)
    held, other = brand.hold(60), brand.hold(40, ttl_seconds=3600)
    limited = ("spending_limited", "spending_limits.month", 0, NEXT_MONTH)
    assert told(brand.send("postings", kind="spend", amount=1, key="k")) == limited
    captured = done(brand.capture(held, amount=50))
    assert told(brand.send("holds", amount=11))[2] == 10
    done(brand.void(other))
    assert told(brand.send("postings", kind="spend", amount=1, key="k")) == limited, "a replay is the first answer"
    brand.hold(40, ttl_seconds=3600)
    done(brand.reverse(captured, amount=5))
    assert told(brand.send("holds", amount=16))[2] == 15
    clock.set(NOON + timedelta(hours=1))
    assert told(brand.send("holds", amount=56))[2] == 55, "the hold has expired"
    late, later = brand.hold(45, ttl_seconds=30 * 86_400), brand.hold(10, ttl_seconds=30 * 86_400)
    clock.set(NOON + 29 * DAY)
    brand.spend(80)
    done(brand.void(late))
    done(brand.reverse(done(brand.capture(later))))
    assert told(brand.send("holds", amount=21))[2] == 20, "what was held last month is given back to last month"
    assert wrong() == []


@pytest.mark.parametrize("atomic", [True, False])
def test_a_batch_is_limited_line_by_line(brand: Brand, clock: Clock, atomic: bool) -> None:
    brand.set_asset(earning_limits={"day": 100}, spending_limits={"day": 30})
    clock.set(NOON)
    kinds = [("earn", 70, 7), ("spend", 20, 7), ("earn", 70, 7), ("earn", 70, 8)]
    kinds += [] if atomic else [("spend", 11, 7), ("spend", 10, 7)]
    lines = [
        {"key": f"{place}", "member_id": member, "asset": "points", "kind": kind, "amount": amount}
        for place, (kind, amount, member) in enumerate(kinds)
    ]
    results = done(brand.shop.post("/v1/postings/batch", {"atomic": atomic, "lines": lines}))["results"]
    assert [(one["status"], one["balance"], one.get("capped")) for one in results[:4]] == [
        ("posted", 70, None),
        ("posted", 50, None),
        ("posted", 80, "earning_limits.day"),
        ("posted", 70, None),
    ]
    assert [one["status"] for one in results[4:]] == ([] if atomic else ["spending_limited", "posted"])
    assert wrong() == []


def test_limits_hold_whatever_comes_at_once(brand: Brand) -> None:
    brand.set_asset(earning_limits={"year": 100}, spending_limits={"year": 40})
    answers = at_once([lambda: brand.send("postings", kind="earn", amount=7) for _ in range(20)])
    assert sum(done(answer)["amount"] for answer in answers) == 100
    at_once([lambda: brand.send("holds", amount=7) for _ in range(10)])
    assert brand.figures() == (100, 65, 35, 0)


def test_rules_grants_and_refunds_keep_to_the_limits_and_say_so(shop: Shop) -> None:
    shop.put_asset("points", earning_limits={"posting": 90, "year": 100})
    shop.publish()
    shop.send_one(paid("A1", 7_000))
    [decision] = shop.send_one(paid("A2", 7_000))["decisions"]
    assert (decision["amount"], decision["wanted"], decision["reason"]) == (30, 70, "capped: earning_limits.year")
    [decision] = shop.send_one(paid("A3", 9_100))["decisions"]
    assert (decision["amount"], decision["reason"]) == (0, "ledger_refused: earning_too_large")
    found = done(shop.callers.staff("customer_service").get("/v1/explanations", order_id="A2"))["findings"]
    assert [one["code"] for one in found] == ["points_given", "earning_limited"]
    assert "earning_limits.year" in found[1]["en"]
    # Together: half of the 30 that A4 really gets comes back, and is free for A5.
    shop.send_one(refunded(3_000, "A1"))
    shop.send(paid("A4", 6_000), refunded(3_000, "A4"), paid("A5", 9_000))
    assert shop.amounts()[-3:] == [30, -15, 15]
    levels = Neighbour()
    levels.grant("g", asset(91))
    levels.pull()
    [(why,)] = shop.rows("SELECT refused FROM points_grants")
    assert why.startswith("earning_too_large")
    assert replays_alike()


def test_staff_are_told_which_limit_is_in_the_way(desk: Desk, levels_double: MembersDouble) -> None:
    desk.brand.set_asset(earning_limits={"year": 100}, spending_limits={"posting": 50})
    desk.brand.earn(80)
    assert refused(desk.ask(21)) == (422, "earning_limited")
    assert refused(desk.ask(-51)) == (422, "spending_too_large")
    desk.posted(20)
    header = "member_id,asset,amount,reason"
    made = desk.checked(f"{header}\n8,points,60,goodwill\n8,points,41,goodwill\n7,points,-51,goodwill\n")
    assert desk.faults(made) == [(3, "amount", "earning_limited"), (4, "amount", "spending_too_large")]


def test_a_quote_offers_no_more_than_the_limits_let_spend(brand: Brand, clock: Clock) -> None:
    marketer, member = brand.callers.staff("marketer"), brand.callers.member(7)
    done(marketer.put("/v1/deduction-policy", {"asset": "points", "points": 1, "fen": 1}))
    brand.set_asset(spending_limits={"posting": 80, "month": 100})
    clock.set(NOON)

    def most() -> tuple[int, list[str]]:
        quote = done(member.post("/v1/deductions/quotes", {"order_fen": 10_000}))
        return quote["points"], [cap["limit"] for cap in quote["caps"] if cap["bites"]]

    assert most() == (0, ["balance", "least_points"])
    brand.earn(1_000)
    assert most() == (80, ["spending_limits"])
    brand.hold(70)
    assert most() == (30, ["spending_limits"])
    body = {"order_id": "A1", "order_fen": 10_000, "points": 31}
    assert told(member.post("/v1/deductions", body, key="k"))[:3] == ("spending_limited", "spending_limits.month", 30)
    done(member.post("/v1/deductions", {**body, "points": 30}, key="k2"))


def test_verify_finds_what_lies_beyond_a_limit(brand: Brand) -> None:
    brand.earn(150)
    done(brand.reverse(brand.earn(70), amount=60))
    done(brand.capture(brand.hold(50), amount=40))
    brand.spend(7)
    brand.set_asset(earning_limits={"posting": 150, "year": 160}, spending_limits={"posting": 50, "year": 47})
    sql("UPDATE points_assets SET changed_at = changed_at - interval '2 years'")
    sql("UPDATE points_programs SET changed_at = changed_at - interval '2 years'")
    assert wrong() == []
    sql('UPDATE points_assets SET spending_limits = \'{"posting": 49, "day": 46}\' WHERE id = 1')
    assert {finding.name: finding.detail for finding in wrong()} == {
        "no posting earns or spends more than its asset's limit": "1/7/1/4",
        "no member earns or spends more within a period than the asset's limit": "1/7/1",
    }
    sql("UPDATE points_assets SET spending_limits = NULL, earning_limits = '{\"year\": 159}' WHERE id = 1")
    assert [finding.name for finding in wrong()] == [
        "no member earns or spends more within a period than the asset's limit"
    ]
