"""Budgets and caps over all members: spent to the last point and never beyond it; refunds give back."""

from typing import Any

import pytest
from sqlalchemy import text

from common.commands import run_checks
from services.points import jobs
from services.points.budgets.domain import SLOTS, slot_of
from tests.earning import Shop, at_once, paid, refunded


def reasons(result: dict[str, Any]) -> list[tuple[int, int, str]]:
    """Wanted, awarded and why."""
    return [(one.get("wanted", one["amount"]), one["amount"], one["reason"]) for one in result["decisions"]]


def used(shop: Shop) -> int:
    """What all slots have given."""
    return int(shop.rows("SELECT coalesce(sum(used), 0) FROM points_budget_slots")[0][0])


def test_a_budget_is_spent_to_the_last_point_and_then_says_so(shop: Shop) -> None:
    shop.publish(budget=250)
    results = [shop.send_one(paid(f"A{n}", member_id=n + 1)) for n in range(4)]
    assert [reasons(one) for one in results] == [
        [(100, 100, "awarded")],
        [(100, 100, "awarded")],
        [(100, 50, "budget_spent")],
        [(100, 0, "budget_spent")],
    ]
    assert used(shop) == 250


def test_one_batch_of_many_members_is_served_in_its_order(shop: Shop) -> None:
    shop.publish(budget=250)
    results = shop.send(*(paid(f"A{n}", member_id=n + 1) for n in range(4)))
    assert [one["decisions"][0]["amount"] for one in results] == [100, 100, 50, 0]


def test_a_refund_gives_back_to_the_budget_and_to_the_rules_day(shop: Shop) -> None:
    shop.publish(budget=1000, caps=[{"per": "day", "of": "rule", "amount": 150}])
    first, second = shop.send(paid("A1"), paid("A2", member_id=8))
    assert reasons(second) == [(100, 50, "capped: day of rule")]
    shop.send_one(refunded(8_000, "A1"))
    assert reasons(shop.send_one(paid("A3", member_id=9))) == [(100, 80, "capped: day of rule")]
    assert reasons(shop.send_one(paid("A4", member_id=9, time="2026-05-04T12:00:00+08:00"))) == [(100, 100, "awarded")]
    assert sorted(shop.rows("SELECT span, sum(used)::int FROM points_budget_slots GROUP BY span")) == [
        ("budget", 250),
        ("day 2026-05-03", 150),
        ("day 2026-05-04", 100),
    ]
    assert first["decisions"][0]["amount"] == 100


@pytest.mark.parametrize("caps", [[], [{"per": "day", "of": "member", "amount": 70}]])
def test_no_budget_is_exceeded_by_many_at_once(shop: Shop, caps: list[dict[str, Any]]) -> None:
    shop.publish(budget=500, caps=caps)
    events = [paid(f"A{n}", 7_000, member_id=n + 1) for n in range(16)]
    answers = at_once([lambda one=one: shop.post(one) for one in events])
    assert {answer.status_code for answer in answers} == {200}
    amounts = [answer.json["results"][0]["decisions"][0]["amount"] for answer in answers]
    assert sum(amounts) == 500 == used(shop)
    assert sorted(amounts) == [0] * 8 + [10] + [70] * 7
    assert sum(shop.balance(n + 1) for n in range(16)) == 500


def test_batches_and_refunds_at_once_leave_what_members_have(shop: Shop) -> None:
    shop.publish(budget=900, caps=[{"per": "day", "of": "member", "amount": 100}])
    batches = [[paid(f"A{b}-{n}", 5_000, member_id=n + 1) for n in range(8)] for b in range(4)]
    backs = [[refunded(5_000, f"A{b}-{n}", member_id=n + 1) for n in range(8)] for b in range(4)]
    answers = at_once([lambda one=one: shop.post(one) for one in [*batches, *backs]])
    assert {answer.status_code for answer in answers} == {200}
    assert used(shop) == sum(shop.balance(n + 1) for n in range(8)) == 0


def test_a_member_whose_cap_is_freed_draws_on_the_budget_and_no_further(shop: Shop) -> None:
    shop.publish(budget=150, caps=[{"per": "day", "of": "member", "amount": 100}])
    times = [f"2026-05-03T{hour:02}:00:00+08:00" for hour in (9, 10, 11)]
    shop.send(paid("A1", 8_000, time=times[0]), paid("A2", 8_000, time=times[2]), paid("A3", 4_000, member_id=8))
    assert (shop.balance(7), shop.balance(8), used(shop)) == (100, 40, 140)
    shop.send_one(refunded(4_000, "A1", time=times[1]))
    # 40 came back, so A2 may grow from 20 to 60: the budget has 10 and those 40.
    assert (shop.balance(7), used(shop)) == (100, 140)
    late = shop.send_one(paid("A4", 5_000, member_id=8))
    assert reasons(late) == [(50, 10, "budget_spent")]
    assert used(shop) == 150


def test_a_budget_made_smaller_or_larger_counts_what_was_spent(shop: Shop) -> None:
    shop.publish(budget=1000)
    shop.send(*(paid(f"A{n}", member_id=n + 1) for n in range(3)))
    shop.publish(budget=350)
    assert reasons(shop.send_one(paid("B1", member_id=11))) == [(100, 50, "budget_spent")]
    shop.publish(budget=200)
    assert reasons(shop.send_one(paid("B2", member_id=12))) == [(100, 0, "budget_spent")]
    shop.publish(budget=1000)
    assert reasons(shop.send_one(paid("B3", member_id=13))) == [(100, 100, "awarded")]
    assert used(shop) == 450


def test_the_job_shares_out_anew_what_is_left(shop: Shop) -> None:
    shop.publish(budget=800)
    shop.send_one(paid("A1", member_id=3))
    before = shop.rows("SELECT slot, share - used FROM points_budget_slots ORDER BY slot")
    assert dict(before)[slot_of(3)] == 0
    jobs.level_budgets()
    after = shop.rows("SELECT share - used FROM points_budget_slots")
    assert sum(left for (left,) in after) == 700
    assert {left for (left,) in after} == {87, 88}
    assert len(after) == SLOTS


def test_verify_finds_a_budget_that_does_not_add_up(shop: Shop) -> None:
    shop.publish(budget=800, caps=[{"per": "day", "of": "member", "amount": 70}])
    shop.send_one(paid())
    for broken, mended, name in (
        ("share = share + 1", "share = share - 1", "Σ slots = the budget, no budget is exceeded"),
        ("whole = whole + 1", "whole = whole - 1", "Σ slots = the budget, no budget is exceeded"),
    ):
        _change(shop, f"UPDATE points_budget_slots SET {broken} WHERE slot = 7")
        assert found(shop) == [name]
        _change(shop, f"UPDATE points_budget_slots SET {mended} WHERE slot = 7")
    for table, broken, mended, names in (
        ("points_claim_windows", "total = 71", "total = 70", ["a window's total is what its claims have net"]),
        ("points_claims", "amount = 71", "amount = 70", ["a window's", "no member has more"]),
        ("points_claims", "reversed = 1", "reversed = 0", ["a window's", "what refunds gave back"]),
    ):
        _change(shop, f"UPDATE {table} SET {broken}")
        assert [name for name, wanted in zip(found(shop), names, strict=True) if not name.startswith(wanted)] == []
        _change(shop, f"UPDATE {table} SET {mended}")


def found(shop: Shop) -> list[str]:
    """The names of what verify finds."""
    return [finding.name for finding in run_checks(shop.service) if finding.violations]


def _change(shop: Shop, statement: str) -> None:
    with shop.service.database.transaction() as session:
        session.execute(text(statement))
