"""What an exchange with a partner comes to, and what the caps leave of it. Pure.

Requirement P16. The rate is exact and nothing is rounded: an amount that does not come to whole units or points is
refused, and the nearest that do are named. Caps count our points, in business days and months of the program.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from math import gcd

from common.errors import Refusal


class UnknownPartner(Refusal):
    """There is no such partner, or none that this caller may act for: `partner`."""

    code = "partner_not_found"


class PartnerDisabled(Refusal):
    """The brand has stopped exchanging with the partner: `partner`."""

    code = "partner_disabled"


class AssetIsFixed(Refusal):
    """A partner's asset cannot change, for its caps count it: `asset`."""

    code = "partner_asset_fixed"


class DirectionClosed(Refusal):
    """The partner's terms do not have this direction: `direction`."""

    code = "direction_closed"


class NotWhole(Refusal):
    """The amount comes to no whole number: `rate`, and the nearest amounts that do, `nearest`."""

    code = "amount_not_whole"


class ExchangeCapped(Refusal):
    """More than a cap leaves: which `cap`, its `most`, what is `left` of it in points."""

    code = "exchange_capped"


class OrderReused(Refusal):
    """The partner's order was exchanged before, with other content: `order`."""

    code = "partner_order_reused"


class PointsSpent(Refusal):
    """What was brought in is partly spent, and the asset allows no debt: `available`, `short_by`."""

    code = "points_already_spent"


class Direction(StrEnum):
    """Out: our points become the partner's units. In: the partner's units become our points."""

    OUT = "out"
    IN = "in"


class Cap(StrEnum):
    """What bounds a direction."""

    MEMBER_DAY = "most_per_member_day"
    MEMBER_MONTH = "most_per_member_month"
    DAY = "most_per_day"


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """One direction's terms: `points` of ours are `units` of the partner's. Caps in points; None is no cap."""

    points: int
    units: int
    most_per_member_day: int | None = None
    most_per_member_month: int | None = None
    most_per_day: int | None = None

    def most(self, cap: Cap) -> int | None:
        """So many points by that cap."""
        found: int | None = getattr(self, cap.value)
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Partner:
    """Another program. `key_id` is the API key that acts for it; a direction without terms is closed."""

    code: str
    name_en: str
    name_zh: str
    asset: str
    key_id: str
    enabled: bool
    terms: Mapping[Direction, Terms]

    def open_terms(self, direction: Direction) -> Terms:
        """The terms by which the direction is exchanged now. Raises `PartnerDisabled`, `DirectionClosed`."""
        if not self.enabled:
            raise PartnerDisabled(partner=self.code)
        if direction not in self.terms:
            raise DirectionClosed(direction=direction.value)
        return self.terms[direction]


@dataclass(frozen=True, slots=True)
class Swap:
    """Both sides of an exchange: points of ours, units of the partner's."""

    points: int
    units: int

    def given(self, direction: Direction) -> int:
        """What the member gives: points when they go out, units when they come in."""
        return self.points if direction == Direction.OUT else self.units


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One exchange as it stands; `day` is the business day whose caps it counts in.

    `replayed`: the partner's order had made it before.
    """

    program_id: int
    id: uuid.UUID
    partner: str
    partner_order_id: str
    member_id: int
    direction: Direction
    asset: str
    points: int
    units: int
    posting_id: uuid.UUID
    day: date
    made_at: datetime
    reversed_at: datetime | None
    replayed: bool = False

    def was_asked(self, *, member_id: int, direction: Direction, amount: int) -> bool:
        """Whether somebody who says so means this exchange."""
        given = Swap(self.points, self.units).given(self.direction)
        return (self.member_id, self.direction, given) == (member_id, direction, amount)


def swap(terms: Terms, direction: Direction, amount: int) -> Swap:
    """Both sides of giving `amount`: of points when they go out, of the partner's units when they come in.

    Raises `NotWhole`.
    """
    given, got = (terms.points, terms.units) if direction == Direction.OUT else (terms.units, terms.points)
    step = given // gcd(given, got)
    past = amount % step
    if past:
        nearest = [str(one) for one in (amount - past, amount - past + step) if one]
        raise NotWhole(rate=f"{given}:{got}", nearest=", ".join(nearest))
    other = amount // step * (got // gcd(given, got))
    return Swap(amount, other) if direction == Direction.OUT else Swap(other, amount)


def check_caps(terms: Terms, used: Mapping[Cap, int], points: int) -> None:
    """Raise `ExchangeCapped` by the cap that leaves least, when the points are more than it leaves."""
    bounds = [(most - used[cap], most, cap) for cap in Cap if (most := terms.most(cap)) is not None]
    if not bounds:
        return
    left, most, cap = min(bounds)
    if points > left:
        raise ExchangeCapped(cap=cap.value, most=most, left=max(0, left))
