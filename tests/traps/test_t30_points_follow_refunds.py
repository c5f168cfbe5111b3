"""T30: a return leaves tiers as they were (Open Loyalty), and there is no partial refund (Voucherify).

What decides a tier is the asset growth: here it follows every refund by itself, in part and down into debt, beside the
points of the same order.
"""

from collections.abc import Iterator

import pytest

from common.service import Service
from tests.earning import Shop, open_shop, paid, refunded


@pytest.fixture
def shop(points_migrated: Service) -> Iterator[Shop]:
    """A point a yuan, and three of growth."""
    for made in open_shop(points_migrated):
        made.publish("growth", asset="growth", formula="data.paid_fen / 100 * 3")
        made.publish("points")
        yield made


def test_growth_follows_a_refund_in_part_and_as_a_whole(shop: Shop) -> None:
    shop.send(paid(), refunded(3_333))
    assert (shop.balance(), shop.balance(asset="growth")) == (100 - 33, 300 - 99)
    shop.send_one(refunded(6_667, refund_id="r2"))
    assert (shop.balance(), shop.balance(asset="growth")) == (0, 0)


def test_spending_points_neither_lowers_growth_nor_saves_it_from_a_refund(shop: Shop) -> None:
    shop.send_one(paid())
    shop.spend(100)
    assert shop.balance(asset="growth") == 300
    shop.send_one(refunded(10_000))
    assert (shop.balance(), shop.balance(asset="growth")) == (0, 0)


def test_levels_hears_of_every_step_with_its_cause(shop: Shop) -> None:
    shop.send(paid(), refunded(5_000))
    told = [fact["payload"] for fact in shop.feed("ledger.entry") if fact["payload"]["asset"] == "growth"]
    assert [(one["kind"], one["amount"], one["balance_after"], one["cause"]) for one in told] == [
        ("earn", 300, 300, "shop paid-A1"),
        ("reverse", -150, 150, "shop refund-A1-r1"),
    ]
