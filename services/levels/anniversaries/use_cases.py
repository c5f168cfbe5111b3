"""Entering a birthday, wiping it, and telling every member's days of a business day, each once a year."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlmodel import Session

from common import feed as facts
from common.clock import business_day, day_end, day_start
from services.levels.anniversaries import domain, repository
from services.levels.anniversaries.domain import Birthday, BirthdayKnown, Kind, NoBirthday, Reached
from services.levels.database import feed
from services.levels.members import use_cases as members
from services.levels.programs import use_cases as programs

_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Entered:
    """A member's birthday, and who entered it when."""

    month: int
    day: int
    entered_by: str
    entered_at: datetime


@dataclass(frozen=True, slots=True)
class Kept:
    """What a list of birthdays changed; `not_members` are none here, `erased` had theirs wiped and stay without."""

    entered: int
    unchanged: int
    not_members: list[int]
    erased: list[int]


def enter(
    session: Session, *, program_id: int, member_id: int, birthday: Birthday, corrects: bool, by: str, now: datetime
) -> Entered:
    """Enter a member's birthday; only who `corrects` changes it, or enters one again that was erased. Safe to repeat.

    Whatever is changed, a birthday is told once a year (see `tell`). Raises `UnknownMember`, `BirthdayKnown`.
    """
    members.require(session, program_id=program_id, member_id=member_id)
    if corrects:
        repository.put_birthdays(session, program_id, {member_id: birthday}, by=by, now=now)
    elif not repository.add_birthday(session, program_id, member_id, birthday, by=by, now=now):
        known = repository.find_birthday(session, program_id, member_id)
        if known is None or (known.month, known.day) != (birthday.month, birthday.day):
            raise BirthdayKnown()
    return show(session, program_id=program_id, member_id=member_id)


def enter_many(session: Session, *, program_id: int, birthdays: Mapping[int, Birthday], by: str, now: datetime) -> Kept:
    """Enter or correct the birthdays of many members; what somebody had erased stays so. Safe to repeat."""
    existing = members.existing_members(session, program_id=program_id, member_ids=list(birthdays))
    erased = repository.list_erased(session, program_id, existing)
    given = {one: birthdays[one] for one in existing if one not in erased}
    changed = repository.put_birthdays(session, program_id, given, by=by, now=now)
    not_members = sorted(birthdays.keys() - set(existing))
    return Kept(len(changed), len(given) - len(changed), not_members, erased)


def show(session: Session, *, program_id: int, member_id: int) -> Entered:
    """A member's birthday. Raises `NoBirthday`."""
    row = repository.find_birthday(session, program_id, member_id)
    if row is None or row.month is None:
        raise NoBirthday()
    return Entered(row.month, row.day, row.entered_by, row.entered_at)


def erase(session: Session, *, program_id: int, member_id: int, by: str, now: datetime) -> None:
    """Wipe a member's birthday: no day of it is left here, only that there was one. Raises `NoBirthday`."""
    if not repository.erase_birthday(session, program_id, member_id, by=by, now=now):
        raise NoBirthday()


def days_to_tell(session: Session, *, now: datetime) -> list[tuple[int, date]]:
    """`(program_id, day)` of every business day that is not done, today's last: a program's first is its today."""
    done = repository.list_done(session)
    days = []
    for program_id, time_zone in sorted(programs.every_time_zone(session).items()):
        today = business_day(now, time_zone)
        day = done.get(program_id, today - _ONE_DAY) + _ONE_DAY
        while day <= today:
            days.append((program_id, day))
            day += _ONE_DAY
    return days


def tell(
    session: Session, *, program_id: int, kind: Kind, day: date, after: int, now: datetime, limit: int = 500
) -> int | None:
    """Tell the next members whose day it is, once a member and year; returns behind whom to go on, None at the end.

    A birthday that was entered after the day waits for the next year.
    """
    zone = programs.time_zone(session, program_id)
    if kind == "birthday":
        before = day_end(day, zone)
        days = domain.birthdays_on(day)
        born = repository.list_born_on(session, program_id, days, entered_before=before, after=after, limit=limit)
        reached = [Reached(member_id) for member_id in born]
    else:
        reached = _joined(session, program_id, day, zone, after, limit)
    new = repository.mark_told(session, program_id, kind, day.year, [one.member_id for one in reached], now=now)
    said = {"year": day.year, "day": day.isoformat(), "at": day_start(day, zone).isoformat()}
    told = [
        (program_id, one.member_id, said if one.years is None else {**said, "years": one.years})
        for one in reached
        if one.member_id in new
    ]
    facts.append_many(session, feed, f"{kind}.reached", told)
    return reached[-1].member_id if len(reached) == limit else None


def mark_told(session: Session, *, program_id: int, day: date, now: datetime) -> None:
    """All of the day is told. A day is done when it is over, for until then birthdays may still be entered."""
    today = programs.today(session, program_id, now)
    repository.mark_done(session, program_id, min(day, today - _ONE_DAY))


def _joined(session: Session, program_id: int, day: date, zone: str, after: int, limit: int) -> list[Reached]:
    first = members.first_joined_at(session, program_id=program_id)
    if first is None:
        return []
    since = business_day(first, zone)
    spans = list(domain.joinings_kept_on(day, since=since, time_zone=zone))
    found = members.joined_in(session, program_id=program_id, spans=spans, after=after, limit=limit)
    return [Reached(one.member_id, domain.years_since(one.joined_at, day, time_zone=zone)) for one in found]
