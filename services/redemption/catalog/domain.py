"""Items as values: an offer with a life of versions, a stock that is never oversold, a window of time.

A price is a value of its own so that it can grow a cash part (requirements M1); today it is an amount of one asset.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from common.errors import Refusal


class UnknownItem(Refusal):
    """There is no such item for this caller."""

    code = "item_not_found"


class NotYetAvailable(Refusal):
    """The item's window has not opened."""

    code = "not_yet_available"


class NoLongerAvailable(Refusal):
    """The item's window has closed."""

    code = "no_longer_available"


class SoldOut(Refusal):
    """Fewer pieces are available than were asked for."""

    code = "sold_out"


class BadWindow(Refusal):
    """The window would close before it opens."""

    code = "bad_window"


class StockCommitted(Refusal):
    """The stock would be less than what is sold and reserved already."""

    code = "stock_committed"


class Availability(StrEnum):
    """What a member finds at an item. `INACTIVE` ones only staff can see."""

    INACTIVE = "inactive"
    UPCOMING = "upcoming"
    AVAILABLE = "available"
    SOLD_OUT = "sold_out"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Price:
    """An amount of an asset, e.g. 500 points."""

    asset: str
    amount: int

    def times(self, quantity: int) -> "Price":
        """The price of that many pieces."""
        return Price(self.asset, self.amount * quantity)


@dataclass(frozen=True, slots=True)
class Offer:
    """What marketers set: changing any of it makes a new version, and orders keep the version they were made at.

    The window is `[available_from, available_until)`; None leaves it open on that side.
    """

    name_en: str
    name_zh: str
    description: str
    price: Price
    per_member_limit: int | None
    available_from: datetime | None
    available_until: datetime | None
    active: bool


@dataclass(frozen=True, slots=True)
class Stock:
    """Pieces: `total` ever put up, of which some are reserved by orders in doubt and some are sold."""

    total: int
    reserved: int = 0
    sold: int = 0

    @property
    def committed(self) -> int:
        """Pieces that are promised or gone."""
        return self.reserved + self.sold

    @property
    def available(self) -> int:
        """Pieces that can be taken."""
        return self.total - self.committed


@dataclass(frozen=True, slots=True)
class Item:
    """An item at its present version."""

    program_id: int
    code: str
    version: int
    offer: Offer
    stock: Stock


def check_offer(offer: Offer) -> Offer:
    """The offer itself when its window is one; raises `BadWindow`."""
    opens, closes = offer.available_from, offer.available_until
    if opens is not None and closes is not None and closes <= opens:
        raise BadWindow()
    return offer


def check_total(total: int, stock: Stock) -> int:
    """The new total itself when it covers what is committed; raises `StockCommitted`."""
    if total < stock.committed:
        raise StockCommitted(stock=total, committed=stock.committed)
    return total


def availability(item: Item, now: datetime) -> Availability:
    """What a member finds at the item at that instant."""
    offer = item.offer
    if not offer.active:
        return Availability.INACTIVE
    if offer.available_until is not None and now >= offer.available_until:
        return Availability.ENDED
    if offer.available_from is not None and now < offer.available_from:
        return Availability.UPCOMING
    return Availability.AVAILABLE if item.stock.available else Availability.SOLD_OUT


def check_on_sale(item: Item, quantity: int, now: datetime) -> None:
    """Raise why a member cannot take that many now.

    `UnknownItem`, `NotYetAvailable`, `NoLongerAvailable` or `SoldOut`.
    """
    found = availability(item, now)
    if found == Availability.INACTIVE:
        raise UnknownItem(item=item.code)
    if found == Availability.UPCOMING:
        raise NotYetAvailable(item=item.code, available_from=_text(item.offer.available_from))
    if found == Availability.ENDED:
        raise NoLongerAvailable(item=item.code, available_until=_text(item.offer.available_until))
    if quantity > item.stock.available:
        raise SoldOut(item=item.code, available=item.stock.available)


def _text(instant: datetime | None) -> str:
    return "" if instant is None else instant.isoformat()
