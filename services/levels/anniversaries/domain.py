"""Which days of the year are kept on a business day. Pure.

A birthday is a month and a day: personal data, and the year is nobody's business. Who was born or joined on 29 February
has their day on 28 February in other years.
"""

from calendar import isleap
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from common.clock import business_day, day_end, day_start
from common.errors import Refusal

Kind = Literal["birthday", "anniversary"]
KINDS: tuple[Kind, ...] = ("birthday", "anniversary")
#: The most days of each month; every year has a birthday for whoever was born on 29 February.
LONGEST = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


class BirthdayKnown(Refusal):
    """A member enters their birthday once; whoever corrects it afterwards is staff."""

    code = "birthday_known"


class NoBirthday(Refusal):
    """The member has no birthday here."""

    code = "no_birthday"


@dataclass(frozen=True, slots=True)
class Birthday:
    """A day of the year; never logged, so its text does not say it."""

    month: int
    day: int

    def __repr__(self) -> str:
        return "Birthday(…)"


@dataclass(frozen=True, slots=True)
class Reached:
    """A member's day has come: `years` since they joined, None for a birthday."""

    member_id: int
    years: int | None = None


def birthdays_on(day: date) -> list[Birthday]:
    """The birthdays that are kept on the day."""
    kept = [Birthday(day.month, day.day)]
    if (day.month, day.day) == (2, 28) and not isleap(day.year):
        kept.append(Birthday(2, 29))
    return kept


def joinings_kept_on(day: date, *, since: date, time_zone: str) -> Iterator[tuple[datetime, datetime]]:
    """Who joined in one of these spans (half-open) has a whole number of years as a member on the day.

    `since` is the first day on which anybody joined.
    """
    for year in range(since.year, day.year):
        for kept in birthdays_on(day):
            if (kept.month, kept.day) != (2, 29) or isleap(year):
                joined_on = date(year, kept.month, kept.day)
                yield day_start(joined_on, time_zone), day_end(joined_on, time_zone)


def years_since(joined_at: datetime, day: date, *, time_zone: str) -> int:
    """How many years a member has on the day, by the years of the program's calendar."""
    return day.year - business_day(joined_at, time_zone).year
