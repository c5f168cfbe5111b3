"""Programs and assets as values, and the grammar of validity: until when a newly earned lot is good.

Validity is `unlimited` or `<n>{D,W,M,Y}`, with `_U` rounded up to the end of the last unit; `12M_U` is twelve months,
then to the end of that month (the grammar of Talon.One, field.md B6; days and rounding in the program's time zone).
"""

import calendar
import re
from dataclasses import dataclass
from datetime import date, timedelta

from common.clock import epoch_day
from common.errors import Refusal

#: The lot day of what never expires; later than any date there is.
NEVER = 2**31 - 1
_GRAMMAR = re.compile(r"^([1-9][0-9]{0,3})([DWMY])(_U)?\Z")
_LONGEST_YEARS = 15


class BadValidity(Refusal):
    """The validity is not in the grammar, or longer than 15 years."""

    code = "bad_validity"


class UnknownProgram(Refusal):
    """Nobody has configured this program yet."""

    code = "program_not_configured"


class UnknownAsset(Refusal):
    """The program has no such asset."""

    code = "asset_not_found"


@dataclass(frozen=True, slots=True)
class Program:
    """One brand's program: business days are cut in `time_zone`, money counts minor units of `currency`."""

    program_id: int
    name: str
    time_zone: str
    currency: str


@dataclass(frozen=True, slots=True)
class Asset:
    """Something countable that members own. `debt_allowed`: clawback beyond what is there becomes debt."""

    program_id: int
    id: int
    code: str
    name_en: str
    name_zh: str
    debt_allowed: bool
    validity: str


def check_validity(validity: str) -> str:
    """The validity itself when it is in the grammar; raises `BadValidity`."""
    last_day(validity, date(2000, 1, 1))
    return validity


def last_day(validity: str, earned_on: date) -> int:
    """The last day, as epoch day, on which a lot earned on that business day can be used; `NEVER` when unlimited.

    31 January + 1 month is the end of February.
    """
    if validity == "unlimited":
        return NEVER
    match = _GRAMMAR.match(validity)
    if not match:
        raise BadValidity(validity=validity)
    count, unit, rounded_up = int(match[1]), match[2], bool(match[3])
    if count * {"D": 1, "W": 7, "M": 31, "Y": 366}[unit] > _LONGEST_YEARS * 366:
        raise BadValidity(validity=validity)
    day = _later(earned_on, count, unit)
    return epoch_day(_unit_end(day, unit) if rounded_up else day)


def _later(day: date, count: int, unit: str) -> date:
    if unit in "DW":
        return day + timedelta(days=count * (7 if unit == "W" else 1))
    months = day.year * 12 + day.month - 1 + count * (12 if unit == "Y" else 1)
    year, month = divmod(months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def _unit_end(day: date, unit: str) -> date:
    if unit == "D":
        return day
    if unit == "W":
        return day + timedelta(days=6 - day.weekday())
    month = 12 if unit == "Y" else day.month
    return date(day.year, month, calendar.monthrange(day.year, month)[1])
