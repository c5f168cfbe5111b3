"""T30: a return leaves limits as they were: the customer who returned cannot earn again, or earns beyond the limit.

Here a refund lowers what is used of its claim's windows and of the rule's budget, from its own time on.
"""

from collections.abc import Iterator

import pytest

from common.service import Service
from tests.earning import Shop, open_shop, paid, refunded


@pytest.fixture
def shop(points_migrated: Service) -> Iterator[Shop]:
    """No rule yet."""
    yield from open_shop(points_migrated)


def test_what_was_returned_may_be_earned_again_and_no_more(shop: Shop) -> None:
    shop.publish(budget=150, caps=[{"per": "day", "of": "member", "amount": 100}])
    hours = [f"2026-05-03T{hour:02}:00:00+08:00" for hour in range(9, 15)]
    shop.send_one(paid("A1", 10_000, time=hours[0]))
    assert shop.send_one(paid("A2", 10_000, time=hours[1]))["decisions"][0]["reason"] == "capped: day"
    shop.send_one(refunded(10_000, "A1", time=hours[2]))
    assert shop.send_one(paid("A3", 20_000, time=hours[3]))["decisions"][0]["amount"] == 100
    assert shop.send_one(paid("A4", 10_000, member_id=8, time=hours[4]))["decisions"][0]["amount"] == 50
    assert (shop.balance(7), shop.balance(8)) == (100, 50)
