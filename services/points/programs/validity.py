"""The grammar of validity: until when a newly earned lot is good, in days of the program's time zone.

`unlimited` · `<n>{D,W,M,Y}`: so long after the day it was earned on · the same with `_U`: up to the end of the last
unit, with `_D`: down to its beginning, so that `1Y_D` ends with this year · `until:2026-12-31`: through that day ·
`idle:<n>{D,W,M,Y}`: so long after the account's last earn or spend (field.md B6 and B7, after Talon.One).
"""

import calendar
import re
from datetime import date, timedelta
from functools import lru_cache

from common.clock import epoch_day
from common.errors import Refusal

#: The lot day of what never expires; later than any date there is.
NEVER = 2**31 - 1
#: The lot day of what lives until its account falls idle; the account knows when that will be.
IDLE = NEVER - 1

_PERIOD = re.compile(r"^([1-9][0-9]{0,3})([DWMY])(_[UD])?\Z")
_UNTIL = re.compile(r"^until:((?:20|21)[0-9]{2}-[0-9]{2}-[0-9]{2})\Z")
_IDLE = re.compile(r"^idle:([1-9][0-9]{0,3})([DWMY])\Z")
_LONGEST_YEARS = 15
_LONGEST_DAYS = _LONGEST_YEARS * 366
_DAYS = {"D": 1, "W": 7, "M": 31, "Y": 366}


class BadValidity(Refusal):
    """The validity is not in the grammar: `validity`."""

    code = "bad_validity"


class ValidityTooLong(BadValidity):
    """A period of more than 15 years: `validity`."""

    code = "validity_too_long"


class ValidityOnNoDay(BadValidity):
    """`until:` names a day that no calendar has: `validity`."""

    code = "validity_on_no_day"


class IdleIsTheAssets(BadValidity):
    """Idleness ends everything an account has of an asset, so no single earning can have it as its own: `validity`."""

    code = "idle_is_the_assets"


def check_validity(validity: str) -> str:
    """The validity of an asset when it is in the grammar; raises `BadValidity` or what it is in particular."""
    last_day(validity, date(2000, 1, 1))
    return validity


def check_own_validity(validity: str) -> str:
    """The validity of a rule or a single earning, which may not be `idle:…`; raises as `check_validity`."""
    if last_day(validity, date(2000, 1, 1)) == IDLE:
        raise IdleIsTheAssets(validity=validity)
    return validity


@lru_cache(maxsize=4096)
def last_day(validity: str, earned_on: date) -> int:
    """The last day, as epoch day, on which a lot earned on that business day can be used; or `NEVER`, or `IDLE`.

    31 January + 1 month is the end of February.
    """
    if validity == "unlimited":
        return NEVER
    if match := _PERIOD.match(validity):
        day = _later(earned_on, int(match[1]), match[2], validity)
        return epoch_day(_rounded(day, match[2], match[3]))
    if match := _UNTIL.match(validity):
        return epoch_day(_calendar_day(match[1], validity))
    idle_until(validity, earned_on)
    return IDLE


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


def _later(day: date, count: int, unit: str, validity: str) -> date:
    if count * _DAYS[unit] > _LONGEST_DAYS:
        raise ValidityTooLong(validity=validity)
    if unit in "DW":
        return day + timedelta(days=count * _DAYS[unit])
    months = day.year * 12 + day.month - 1 + count * (12 if unit == "Y" else 1)
    year, month = divmod(months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def _rounded(day: date, unit: str, suffix: str | None) -> date:
    """The day itself; with `_U` the last of its unit; with `_D` the one before its unit begins."""
    if suffix is None:
        return day
    first = {
        "D": day,
        "W": day - timedelta(days=day.weekday()),
        "M": day.replace(day=1),
        "Y": day.replace(month=1, day=1),
    }
    if suffix == "_D":
        return first[unit] - timedelta(days=1)
    if unit in "DW":
        return first[unit] + timedelta(days=_DAYS[unit] - 1)
    month = 12 if unit == "Y" else day.month
    return date(day.year, month, calendar.monthrange(day.year, month)[1])


def _calendar_day(text: str, validity: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ValidityOnNoDay(validity=validity) from error
