"""Badges as values: a member holds a badge once per period, while at least one grant of it stands."""

from dataclasses import dataclass
from datetime import datetime

from common.clock import business_day
from common.errors import Refusal

#: How often a badge can be earned: once, or once in each year, month or day of the program's calendar.
PERIODS = ("ever", "year", "month", "day")
_SHOWN = {"ever": "", "year": "%Y", "month": "%Y-%m", "day": "%Y-%m-%d"}


class UnknownBadge(Refusal):
    """The catalogue has no such badge."""

    code = "badge_not_found"


class BadgeNotHeld(Refusal):
    """The member does not hold this badge now, so it cannot be revoked."""

    code = "badge_not_held"


@dataclass(frozen=True, slots=True)
class Badge:
    """A badge of the catalogue. `slot` tells the front end where to show it, `period` how often it can be earned."""

    code: str
    name_en: str
    name_zh: str
    series: str | None
    level: int | None
    icon: str | None
    criteria_en: str
    criteria_zh: str
    slot: str | None
    period: str


@dataclass(frozen=True, slots=True)
class Award:
    """A grant's badge part: which grant gave which badge to whom, why and when."""

    program_id: int
    member_id: int
    badge: str
    grant_id: str
    cause: str
    at: datetime


@dataclass(frozen=True, slots=True)
class TakenBack:
    """A grant that was reversed as a whole, and why."""

    program_id: int
    member_id: int
    grant_id: str
    cause: str


@dataclass(frozen=True, slots=True)
class HeldBadge:
    """A badge on a member. `period` is "" for one that is earned once for ever, else e.g. `2026-11`."""

    badge: str
    period: str
    earned_at: datetime


@dataclass(frozen=True, slots=True)
class BadgeGrant:
    """One line of history: a badge earned by a grant, and revoked later if `revoked_at` says so."""

    badge: str
    period: str
    grant_id: str
    cause: str
    at: datetime
    revoked_at: datetime | None
    revoked_by: str | None
    reason: str | None


def period_of(period: str, at: datetime, time_zone: str) -> str:
    """The name of the period in which an instant falls, e.g. `2026-11`; "" for `ever`."""
    return business_day(at, time_zone).strftime(_SHOWN[period])
