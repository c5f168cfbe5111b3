"""The grammar of validity: until when a newly earned lot is good, in days of the program's time zone.

`unlimited` · `<n>{s,m,h,D,W,M,Q,H,Y}`: so long after it was earned, from 30 s to 15 years (`Q` a quarter, `H` half a
year; `m` minutes, `M` months) · the same with `_U`: up to the end of the last unit, with `_D`: down to its beginning,
so that `1Y_D` ends with this year · `until:2026-12-31`: through that day · `dates:06-30,12-31`: through the next of
these days, the day of earning included; 02-29 is the 28th in a year that has none · `idle:<n>{D,W,M,Q,H,Y}`: so long
after the account's last earn or spend (field.md B6 and B7, after Talon.One).

Lots are kept by day, so a period of seconds, minutes or hours ends with the local day in which its last moment lies:
a lot may live longer than was promised, by less than a day, and never shorter (docs/adr/0031).
"""

import calendar
import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from common.clock import business_day, epoch_day, zone
from common.errors import Refusal

#: The lot day of what never expires; later than any date there is.
NEVER = 2**31 - 1
#: The lot day of what lives until its account falls idle; the account knows when that will be.
IDLE = NEVER - 1

_PERIOD = re.compile(r"^([1-9][0-9]{0,8})([smhDWMQHY])(_[UD])?\Z")
_UNTIL = re.compile(r"^until:((?:20|21)[0-9]{2}-[0-9]{2}-[0-9]{2})\Z")
_DATES = re.compile(r"^dates:([0-9]{2}-[0-9]{2}(?:,[0-9]{2}-[0-9]{2}){0,19})\Z")
_IDLE = re.compile(r"^idle:([1-9][0-9]{0,3})([DWMQHY])\Z")
_SHORTEST_SECONDS = 30
_LONGEST_DAYS = 15 * 366
_SECONDS = {"s": 1, "m": 60, "h": 3600}
_DAYS = {"D": 1, "W": 7}
_MONTHS = {"M": 1, "Q": 3, "H": 6, "Y": 12}
_MOMENT = timedelta(microseconds=1)
#: A year with 29 February.
_LEAP_YEAR = 2000


class BadValidity(Refusal):
    """The validity is not in the grammar: `validity`."""

    code = "bad_validity"


class ValidityTooLong(BadValidity):
    """A period of more than 15 years: `validity`."""

    code = "validity_too_long"


class ValidityTooShort(BadValidity):
    """A period of less than 30 seconds: `validity`."""

    code = "validity_too_short"


class ValidityOnNoDay(BadValidity):
    """`until:` or `dates:` names a day that no calendar has: `validity`."""

    code = "validity_on_no_day"


class IdleIsTheAssets(BadValidity):
    """Idleness ends everything an account has of an asset, so no single earning can have it as its own: `validity`."""

    code = "idle_is_the_assets"


def check_validity(validity: str) -> str:
    """The validity of an asset when it is in the grammar; raises `BadValidity` or what it is in particular."""
    last_day(validity, datetime(2000, 1, 1, tzinfo=UTC), "UTC")
    return validity


def check_own_validity(validity: str) -> str:
    """The validity of a rule or a single earning, which may not be `idle:…`; raises as `check_validity`."""
    if is_idle(check_validity(validity)):
        raise IdleIsTheAssets(validity=validity)
    return validity


# The lines of a batch are of the same moment, mostly.
@lru_cache(maxsize=1024)
def last_day(validity: str, earned_at: datetime, time_zone: str) -> int:
    """The last day in the zone, as epoch day, on which a lot earned at that instant can be used; `NEVER`, or `IDLE`.

    31 January + 1 month is the end of February. Raises `BadValidity`.
    """
    if validity == "unlimited":
        return NEVER
    match = _PERIOD.match(validity)
    if match and match[2] in _SECONDS:
        return epoch_day(_clock_day(earned_at, int(match[1]), match[2], match[3], validity, time_zone))
    return _last_day_from(validity, business_day(earned_at, time_zone))


@lru_cache(maxsize=4096)
def idle_until(validity: str, active_on: date) -> int:
    """The last epoch day of an account of an `idle:…` asset that was last active on that day; raises `BadValidity`."""
    match = _IDLE.match(validity)
    if not match:
        raise BadValidity(validity=validity)
    return epoch_day(_later(active_on, int(match[1]), match[2], validity))


def is_idle(validity: str) -> bool:
    """Whether lots of that validity live until their account falls idle."""
    return validity.startswith("idle:")


@lru_cache(maxsize=4096)
def _last_day_from(validity: str, earned_on: date) -> int:
    if match := _PERIOD.match(validity):
        day = _later(earned_on, int(match[1]), match[2], validity)
        return epoch_day(_rounded(day, match[2], match[3]))
    if match := _UNTIL.match(validity):
        return epoch_day(_calendar_day(match[1], validity))
    if match := _DATES.match(validity):
        return epoch_day(_next_of(match[1].split(","), earned_on, validity))
    idle_until(validity, earned_on)
    return IDLE


def _clock_day(start: datetime, count: int, unit: str, suffix: str | None, validity: str, time_zone: str) -> date:
    """The local day of the period's last moment, which is the one before the instant at which it has passed."""
    seconds = count * _SECONDS[unit]
    if seconds < _SHORTEST_SECONDS:
        raise ValidityTooShort(validity=validity)
    if seconds > _LONGEST_DAYS * 86_400:
        raise ValidityTooLong(validity=validity)
    end = start.astimezone(UTC) + timedelta(seconds=seconds)
    if suffix == "_U":
        return business_day(end, time_zone)  # no unit of a clock reaches into the next day
    if suffix == "_D":
        local = end.astimezone(zone(time_zone)).replace(microsecond=0)
        end = local.replace(second=local.second if unit == "s" else 0, minute=0 if unit == "h" else local.minute)
    return business_day(end.astimezone(UTC) - _MOMENT, time_zone)


def _later(day: date, count: int, unit: str, validity: str) -> date:
    if unit in _DAYS:
        if count * _DAYS[unit] > _LONGEST_DAYS:
            raise ValidityTooLong(validity=validity)
        return day + timedelta(days=count * _DAYS[unit])
    if count * _MONTHS[unit] > 15 * 12:
        raise ValidityTooLong(validity=validity)
    year, month = divmod(day.year * 12 + day.month - 1 + count * _MONTHS[unit], 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def _rounded(day: date, unit: str, suffix: str | None) -> date:
    """The day itself; with `_U` the last of its unit; with `_D` the one before its unit begins."""
    if suffix is None:
        return day
    if unit in _DAYS:
        first = day if unit == "D" else day - timedelta(days=day.weekday())
        last = first + timedelta(days=_DAYS[unit] - 1)
    else:
        months = _MONTHS[unit]
        first = date(day.year, (day.month - 1) // months * months + 1, 1)
        last_month = first.month + months - 1
        last = date(day.year, last_month, calendar.monthrange(day.year, last_month)[1])
    return last if suffix == "_U" else first - timedelta(days=1)


def _next_of(month_days: list[str], earned_on: date, validity: str) -> date:
    named = [_calendar_day(f"{_LEAP_YEAR}-{one}", validity) for one in month_days]
    coming = [_in_year(one, year) for one in named for year in (earned_on.year, earned_on.year + 1)]
    return min(day for day in coming if day >= earned_on)


def _in_year(day: date, year: int) -> date:
    return date(year, day.month, min(day.day, calendar.monthrange(year, day.month)[1]))


def _calendar_day(text: str, validity: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ValidityOnNoDay(validity=validity) from error
