"""T27: a refund leaves the points, or takes them again and again (Odoo); the reward itself earns.

Ours reverses entries by their cause, once, prorated, however often and under however many names the refund is told.
"""

from collections.abc import Iterator

import pytest

from common.service import Service
from tests.earning import Shop, open_shop, paid, refunded


@pytest.fixture
def shop(points_migrated: Service) -> Iterator[Shop]:
    """A point a yuan."""
    for made in open_shop(points_migrated):
        made.publish()
        yield made


def test_buying_and_returning_in_a_loop_leaves_nothing(shop: Shop) -> None:
    for turn in range(5):
        shop.send(paid(f"A{turn}"), refunded(10_000, f"A{turn}"))
    assert shop.balance() == 0
    assert shop.amounts() == [100, -100] * 5


def test_a_refund_told_again_takes_nothing_again(shop: Shop) -> None:
    shop.send_one(paid("A1"))
    shop.send_one(paid("A2"))
    for number in range(4):
        shop.send_one(refunded(10_000))
        shop.send_one(refunded(10_000, id=f"another-event-{number}"))
        shop.send_one(refunded(10_000, refund_id=f"another-refund-{number}"))
    assert shop.amounts() == [100, 100, -100]


def test_each_reversal_points_at_what_it_reverses_and_names_the_refund(shop: Shop) -> None:
    shop.send(paid("A1"), paid("A2", 20_000), refunded(5_000, "A2"))
    first, second, reversal = shop.entries()
    assert (reversal["reverses"], reversal["amount"], reversal["cause"]) == (second["seq"], -50, "shop refund-A2-r1")
    assert first["reverses"] is None
    assert reversal["rule_version"] == second["rule_version"]


def test_what_is_given_back_does_not_earn_again(shop: Shop) -> None:
    """A refund is no purchase: no rule on `order.paid` sees it, and one that asks for refunds is a rule of its own."""
    assert shop.send(paid(), refunded(10_000))[1]["decisions"] == []
    assert shop.send_one(refunded(1_000, "never-paid"))["decisions"] == []
    assert shop.balance() == 0
