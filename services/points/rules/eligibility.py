"""When a rule decides, and for whom: everything about it that needs no expression. Pure."""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from typing import Any

from common.clock import zone
from services.points.audiences.domain import Membership
from services.points.rules.decisions import Facts
from services.points.rules.rule import ALWAYS, EVERYBODY, Audience, Rule, Schedule


@dataclass(frozen=True, slots=True)
class Local:
    """An instant on the clocks and calendars of a zone: `minute` of the day, `weekday` 1-7, `day` as 2026-05-03."""

    minute: int
    weekday: int
    day: str


def local(time: datetime, time_zone: str) -> Local:
    """What clocks in the zone show at `time`."""
    shown = time.astimezone(zone(time_zone))
    return Local(shown.hour * 60 + shown.minute, shown.isoweekday(), shown.date().isoformat())


def asks_when_or_whom(rule: Rule) -> bool:
    """Whether `why_not` can have anything to say about the rule."""
    asked = (rule.starts_at, rule.ends_at, rule.holdout)
    return any(one is not None for one in asked) or rule.schedule != ALWAYS or rule.audience != EVERYBODY


def why_not(rule: Rule, facts: Facts, here: Local | None, *, code: str, program_id: int, member_id: int) -> str | None:
    """Why the rule does not decide about this event at all; None when it does. The cheap questions come first.

    `here` is the event's time in the program's zone; a rule without a schedule needs none.
    """
    if rule.starts_at is not None and facts.time < rule.starts_at:
        return "not_started"
    if rule.ends_at is not None and facts.time >= rule.ends_at:
        return "ended"
    if here is not None and not is_open(rule.schedule, here):
        return "outside_schedule"
    if not is_meant(rule.audience, facts.member, facts.data.get("channel")):
        return "not_in_audience"
    if rule.holdout is not None and is_held_out(rule.holdout.percent, code, program_id, member_id):
        return "held_out"
    return None


def is_open(schedule: Schedule, here: Local) -> bool:
    """Whether the schedule is open at that moment: weekday and date and hour, those it asks for."""
    if schedule.weekdays and here.weekday not in schedule.weekdays:
        return False
    if schedule.dates and not any(first <= here.day <= last for first, last in schedule.dates):
        return False
    return not schedule.hours or any(begin <= here.minute < end for begin, end in minutes(schedule.hours))


def is_meant(audience: Audience, member: Membership, channel: Any) -> bool:
    """Whether a member, in the event's channel, belongs to the audience."""
    if audience.tiers and member.tier not in audience.tiers:
        return False
    if audience.channels and channel not in audience.channels:
        return False
    if audience.tags and member.tags.isdisjoint(audience.tags):
        return False
    return not (audience.segments and member.segments.isdisjoint(audience.segments))


def is_held_out(percent: int, code: str, program_id: int, member_id: int) -> bool:
    """Whether the member belongs to the share that never gets the rule: a hash says so, for ever the same."""
    digest = sha256(f"{program_id}/{code}/{member_id}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % 100 < percent


@lru_cache(maxsize=1024)
def minutes(hours: tuple[tuple[str, str], ...]) -> tuple[tuple[int, int], ...]:
    """The windows in minutes of the day: ("07:00", "24:00") is (420, 1440)."""
    return tuple((_minute(begin), _minute(end)) for begin, end in hours)


def _minute(clock: str) -> int:
    return int(clock[:2]) * 60 + int(clock[3:])
