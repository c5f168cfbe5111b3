"""T28: Smile takes 100 for 50 earned once the rate has changed, and a deleted rule takes back nothing.

Ours reverses what the original entry gave: today's rules are not even asked.
"""

from collections.abc import Iterator

import pytest

from common.service import Service
from tests.earning import Shop, open_shop, paid, refunded


@pytest.fixture
def shop(points_migrated: Service) -> Iterator[Shop]:
    """50 points were earned by version 1."""
    for made in open_shop(points_migrated):
        made.publish(formula="data.paid_fen / 200")
        made.send_one(paid())
        assert made.balance() == 50
        yield made


def test_a_doubled_rate_does_not_double_the_refund(shop: Shop) -> None:
    shop.publish(formula="data.paid_fen / 100")
    shop.send_one(refunded(5_000))
    shop.send_one(refunded(5_000, refund_id="r2"))
    assert shop.amounts() == [50, -25, -25]


def test_a_rule_that_is_gone_is_still_taken_back(shop: Shop) -> None:
    shop.act("order", "retirement")
    shop.send_one(refunded(10_000))
    assert shop.amounts() == [50, -50]


def test_a_rule_that_gives_another_asset_now_takes_back_the_one_it_gave(shop: Shop) -> None:
    shop.publish(asset="growth")
    shop.send_one(refunded(10_000))
    assert (shop.balance(), shop.entries(asset="growth")) == (0, [])


def test_a_rule_that_would_not_award_it_today_takes_it_back_too(shop: Shop) -> None:
    shop.publish(condition="false", ends_at="2026-01-01T00:00:00Z")
    shop.send_one(refunded(4_000))
    assert shop.amounts() == [50, -20]


def test_a_rule_of_today_takes_nothing_that_it_did_not_give(shop: Shop) -> None:
    shop.publish("second", formula="1000")
    shop.send_one(refunded(10_000))
    assert shop.amounts() == [50, -50]
