"""Laws of items."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from common.errors import Refusal
from services.redemption.catalog.domain import (
    Availability,
    BadWindow,
    Item,
    NoLongerAvailable,
    NotYetAvailable,
    Offer,
    Price,
    SoldOut,
    Stock,
    StockCommitted,
    UnknownItem,
    availability,
    check_offer,
    check_on_sale,
    check_total,
)

NOON = datetime(2026, 5, 3, 12, tzinfo=UTC)
TICK = timedelta(microseconds=1)


def make_item(stock: Stock | None = None, **changes: Any) -> Item:
    """An item without a window, of which ten pieces are available."""
    offer: dict[str, Any] = {
        "name_en": "Mug",
        "name_zh": "杯子",
        "description": "",
        "price": Price("points", 100),
        "per_member_limit": None,
        "available_from": None,
        "available_until": None,
        "active": True,
    }
    return Item(1, "mug", 1, Offer(**{**offer, **changes}), stock or Stock(10))


def test_a_price_of_many_pieces_is_that_many_times_the_price() -> None:
    assert Price("energy", 250).times(3) == Price("energy", 750)


def test_available_is_what_is_neither_reserved_nor_sold() -> None:
    assert Stock(10, reserved=2, sold=3).available == 5


def test_a_total_covers_what_is_committed() -> None:
    stock = Stock(10, reserved=2, sold=3)
    assert check_total(5, stock) == 5
    with pytest.raises(StockCommitted) as refused:
        check_total(4, stock)
    assert refused.value.facts == {"stock": 4, "committed": 5}


@pytest.mark.parametrize(("opens", "closes"), [(None, None), (NOON, None), (None, NOON), (NOON, NOON + TICK)])
def test_a_window_may_be_open_on_either_side(opens: datetime | None, closes: datetime | None) -> None:
    offer = make_item(available_from=opens, available_until=closes).offer
    assert check_offer(offer) is offer


@pytest.mark.parametrize("closes", [NOON, NOON - TICK])
def test_a_window_closes_after_it_opens(closes: datetime) -> None:
    with pytest.raises(BadWindow):
        check_offer(make_item(available_from=NOON, available_until=closes).offer)


def test_a_window_is_open_from_its_first_instant_until_before_its_last() -> None:
    item = make_item(available_from=NOON, available_until=NOON + timedelta(hours=1))
    found = [availability(item, at) for at in (NOON - TICK, NOON, NOON + timedelta(hours=1) - TICK)]
    assert found == [Availability.UPCOMING, Availability.AVAILABLE, Availability.AVAILABLE]
    assert availability(item, NOON + timedelta(hours=1)) == Availability.ENDED


def test_the_window_says_more_than_the_stock_and_inactive_more_than_both() -> None:
    empty = Stock(1, sold=1)
    assert availability(make_item(empty), NOON) == Availability.SOLD_OUT
    assert availability(make_item(empty, available_from=NOON + TICK), NOON) == Availability.UPCOMING
    assert availability(make_item(empty, available_until=NOON), NOON) == Availability.ENDED
    assert availability(make_item(empty, active=False, available_until=NOON), NOON) == Availability.INACTIVE


@pytest.mark.parametrize(
    ("item", "refusal", "facts"),
    [
        (make_item(active=False), UnknownItem, {"item": "mug"}),
        (
            make_item(available_from=NOON + TICK),
            NotYetAvailable,
            {"item": "mug", "available_from": "2026-05-03T12:00:00.000001+00:00"},
        ),
        (
            make_item(available_until=NOON),
            NoLongerAvailable,
            {"item": "mug", "available_until": "2026-05-03T12:00:00+00:00"},
        ),
        (make_item(Stock(10, reserved=4, sold=4)), SoldOut, {"item": "mug", "available": 2}),
    ],
)
def test_why_three_pieces_cannot_be_taken_is_said(item: Item, refusal: type[Refusal], facts: dict[str, object]) -> None:
    with pytest.raises(refusal) as refused:
        check_on_sale(item, 3, NOON)
    assert refused.value.facts == facts


def test_the_last_pieces_can_be_taken() -> None:
    check_on_sale(make_item(Stock(10, reserved=4, sold=3)), 3, NOON)
