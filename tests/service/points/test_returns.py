"""What an order's refund takes back: what is available too, or only what is still pending (field.md B10)."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from tests.earning import Shop, paid, refunded
from tests.points import done
from tests.service.points.test_balance_caps import replays_alike
from tests.service.points.test_pending_awards import DAY, PAID_AT, confirmed, iso, travel

__all__ = ["travel"]

CAPS = [[], [{"per": "day", "of": "member", "amount": 150}]]


@pytest.mark.parametrize("caps", CAPS)
@pytest.mark.parametrize("returns", ["available", "pending"])
def test_b10_a_refund_takes_what_is_pending_and_by_the_assets_rule_what_is_available(
    shop: Shop, travel: Callable[..., None], caps: list[dict[str, Any]], returns: str
) -> None:
    shop.put_asset("points", pending="7D", returns=returns)
    shop.publish(caps=caps)
    shop.send_one(paid())
    travel(PAID_AT + 6 * DAY)
    early = shop.send_one(refunded(2_500, refund_id="r1", time=iso(PAID_AT + 6 * DAY)))
    assert [(one["amount"], one["reason"]) for one in early["reversed"]] == [(25, None)]
    travel(PAID_AT + 8 * DAY)
    late = shop.send_one(refunded(7_500, refund_id="r2", time=iso(PAID_AT + 8 * DAY)))
    told = [(one["amount"], one["reason"]) for one in late["reversed"]]
    assert told == ([(75, None)] if returns == "available" else [(0, "kept: available")])
    assert shop.balance() == (0 if returns == "available" else 75)
    assert replays_alike()


@pytest.mark.parametrize("caps", CAPS)
@pytest.mark.parametrize("arrival", ["paid first", "refunded first", "together"])
def test_what_is_kept_is_kept_however_it_arrives_and_its_cap_stays_used(
    shop: Shop, caps: list[dict[str, Any]], arrival: str
) -> None:
    shop.put_asset("points", returns="pending")
    shop.publish(caps=caps)
    order, back = paid("A1"), refunded(10_000, "A1")
    if arrival == "together":
        results = shop.send(back, order)
    else:
        results = [shop.send_one(one) for one in ([order, back] if arrival == "paid first" else [back, order])]
    kept = [one for result in results for one in result["reversed"]]
    assert kept == [{"rule": "order", "asset": "points", "amount": 0, "reason": "kept: available"}]
    assert shop.send_one(confirmed("A1"))["reversed"] == []
    assert [shop.send_one(paid("A2"))["decisions"][0]["amount"], shop.balance()] == ([50, 150] if caps else [100, 200])
    found = done(shop.callers.staff("customer_service").get("/v1/explanations", order_id="A1"))["findings"]
    assert "kept" in {one["code"] for one in found}
    assert replays_alike()


def test_only_refunds_leave_what_is_available(shop: Shop) -> None:
    """A late event that shows that a cap was used before still takes back what was too much."""
    shop.put_asset("points", returns="pending")
    shop.publish(caps=CAPS[1])
    shop.send_one(paid("A2", time=iso(PAID_AT + timedelta(hours=1))))
    shop.send_one(paid("A1", time=iso(PAID_AT)))
    assert [entry["amount"] for entry in shop.entries()] == [100, 100, -50]


def test_a_mixed_batch_keeps_and_cuts_at_once(shop: Shop) -> None:
    shop.put_asset("points", returns="pending", most_per_member=150)
    shop.put_asset("growth", debt_allowed=True, most_per_member=120)
    shop.publish()
    shop.publish("growing", asset="growth")
    shop.send(paid("A1"), refunded(5_000, "A1"), paid("A2"), refunded(5_000, "A2"))
    assert (shop.balance(), shop.balance(asset="growth")) == (150, 85)
    assert replays_alike()
