"""Laws of items and orders for whatever numbers come."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from common.errors import Refusal
from services.redemption.catalog.domain import (
    Availability,
    Item,
    Offer,
    Price,
    Stock,
    availability,
    check_on_sale,
    check_total,
)
from services.redemption.orders.domain import retry_delay

START = datetime(2026, 5, 3, tzinfo=UTC)
instants = st.integers(-1000, 1000).map(lambda minutes: START + timedelta(minutes=minutes))
amounts = st.integers(1, 10**12)


@st.composite
def stocks(draw: st.DrawFn) -> Stock:
    """Any stock that is not oversold."""
    reserved, sold, available = (draw(st.integers(0, 50)) for _ in range(3))
    return Stock(reserved + sold + available, reserved, sold)


@st.composite
def items(draw: st.DrawFn) -> Item:
    """Any item with a window that is one."""
    opens, closes = draw(st.none() | instants), draw(st.none() | instants)
    if opens is not None and closes is not None and closes <= opens:
        opens = None
    active = draw(st.booleans())
    return Item(1, "mug", 1, Offer("Mug", "杯子", "", Price("points", 1), None, opens, closes, active), draw(stocks()))


@given(items(), st.integers(1, 100), instants)
def test_an_item_can_be_taken_exactly_when_it_is_shown_available_with_enough_pieces(
    item: Item, quantity: int, now: datetime
) -> None:
    shown = availability(item, now) == Availability.AVAILABLE
    try:
        check_on_sale(item, quantity, now)
        taken = True
    except Refusal:
        taken = False
    assert taken == (shown and quantity <= item.stock.available)


@given(items(), st.lists(instants, min_size=2))
def test_an_item_goes_through_its_window_in_one_direction(item: Item, moments: list[datetime]) -> None:
    place = {
        Availability.INACTIVE: 0,
        Availability.UPCOMING: 1,
        Availability.AVAILABLE: 2,
        Availability.SOLD_OUT: 2,
        Availability.ENDED: 3,
    }
    ranks = [place[availability(item, at)] for at in sorted(moments)]
    assert all(earlier <= later for earlier, later in pairwise(ranks))


@given(stocks(), st.integers(0, 200))
def test_a_total_is_accepted_exactly_when_nothing_promised_is_lost(stock: Stock, total: int) -> None:
    try:
        accepted = Stock(check_total(total, stock), stock.reserved, stock.sold).available >= 0
    except Refusal:
        assert total - stock.committed < 0
    else:
        assert accepted


@given(amounts, st.integers(1, 100), st.integers(1, 100))
def test_the_price_of_pieces_taken_apart_is_the_price_of_them_together(amount: int, some: int, more: int) -> None:
    price = Price("points", amount)
    assert price.times(some).amount + price.times(more).amount == price.times(some + more).amount


@given(st.integers(1, 10_000))
def test_delays_never_shrink_and_never_exceed_five_minutes(attempts: int) -> None:
    assert retry_delay(attempts) <= retry_delay(attempts + 1) <= timedelta(minutes=5)
