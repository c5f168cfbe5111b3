"""T35: replayed events award twice (compressor), an order whose status toggles awards again (wpswings), and a split
order pays two bonuses (xclub). Ours has a natural key per event, and one cause per order.
"""

from collections.abc import Iterator

import pytest

from common.service import Service
from tests.earning import Shop, at_once, event, open_shop, paid, refunded


@pytest.fixture
def shop(points_migrated: Service) -> Iterator[Shop]:
    """A point a yuan, five a review."""
    for made in open_shop(points_migrated):
        made.publish()
        made.publish("review", trigger="review.posted", formula="5")
        yield made


def test_a_whole_day_sent_again_and_again_changes_nothing(shop: Shop) -> None:
    day = [paid("A1"), event("e1"), refunded(2_500), paid("A2", member_id=8), event("e2", member_id=8)]
    first = shop.send(*day)
    written, balances = shop.written(), (shop.balance(7), shop.balance(8))
    assert balances == (80, 105)
    for again in (day, day[::-1], day[2:], [*day, *day]):
        results = {one["id"]: one for one in shop.send(*again)}
        assert all(results[one["id"]] == {**one, "replayed": True} for one in first if one["id"] in results)
    assert shop.written() == written
    assert (shop.balance(7), shop.balance(8)) == balances


def test_a_sender_that_never_got_its_answer_sends_from_many_places_at_once(shop: Shop) -> None:
    answers = at_once([lambda: shop.post(paid())] * 8)
    assert [answer.status_code for answer in answers] == [200] * 8
    assert sum(not answer.json["results"][0]["replayed"] for answer in answers) == 1
    assert shop.amounts() == [100]


def test_an_order_that_is_paid_returned_and_paid_again_earns_once(shop: Shop) -> None:
    shop.send(paid(), refunded(10_000))
    for turn in range(3):
        toggled = shop.send_one(paid(id=f"toggled-{turn}"))
        assert (toggled["decisions"], toggled["reason"]) == ([], "order_already_paid")
    assert shop.amounts() == [100, -100]


def test_an_order_told_in_two_parcels_earns_one_bonus(shop: Shop) -> None:
    shop.publish("bonus", formula="50")
    parcels = shop.send(paid("A9", 6_000, id="parcel-1"), paid("A9", 4_000, id="parcel-2"))
    assert [one["reason"] for one in parcels] == [None, "order_already_paid"]
    assert sorted(shop.amounts()) == [50, 60]


def test_the_same_event_from_another_system_is_another_event_but_the_same_order(shop: Shop) -> None:
    shop.send_one(paid())
    assert shop.send_one(paid(source="erp"))["reason"] == "order_already_paid"
    assert shop.balance() == 100
