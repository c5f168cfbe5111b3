"""Made-up events at which rules change their minds: values around the literals of their expressions. Pure.

A condition such as `data.paid_fen >= 10000` turns at 9,999 and 10,000; a schedule opens at its first minute; an
audience begins with its first tier. Trying those, and some far larger, finds most events at which something about a set
of rules goes wrong. What is found is evaluated by the same code that decides real events, so it is never a guess.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from common.clock import zone
from services.points.audiences.domain import NOBODY, Membership
from services.points.rules.decisions import Facts, PublishedRule
from services.points.rules.eligibility import is_held_out, minutes
from services.points.rules.panel import texts_of
from services.points.rules.rule import Rule

MOST_DATA = 96
MOST_MOMENTS = 12
MOST_MEMBERS = 12
#: How far ahead a schedule's next opening is looked for.
_DAYS_AHEAD = 400
_MOST_VALUES = 14
#: A small, a usual and a very large order in 分; anything a formula grows with shows between the last two.
SMALL, USUAL, HUGE = 1, 12_800, 1_000_000_000
_FIELD = re.compile(r"\bdata\.([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)")
_NUMBER = re.compile(r"(?<![\w.$])\d+(?:\.\d+)?(?![\w.])")
_FLAG = re.compile(r"\b(true|false)\b")
_TEXT = re.compile(r"\"([^\"]*)\"|'([^']*)'")


@dataclass(frozen=True, slots=True)
class Sample:
    """A made-up event, and the member it is about."""

    facts: Facts
    member_id: int


def samples(rules: Sequence[PublishedRule], *, time_zone: str, program_id: int, now: datetime) -> Iterator[Sample]:
    """Events of the trigger of `rules` (they have the same), the likeliest to tell first."""
    member_id = _member(rules, program_id)
    moments = list(dict.fromkeys([now, *_moments(rules, now, time_zone)]))[:MOST_MOMENTS]
    members = list(dict.fromkeys([*_everybody(rules), NOBODY]))[:MOST_MEMBERS]
    channels = list(
        dict.fromkeys([*(one.rule.audience.channels[0] for one in rules if one.rule.audience.channels), ""])
    )
    for data in _data(rules):
        for channel in channels[:4]:
            given = {**data, "channel": channel} if channel else data
            for moment in moments:
                for member in members:
                    yield Sample(Facts(rules[0].rule.trigger, moment, given, member), member_id)


def opening(rule: Rule, *, after: datetime, time_zone: str) -> datetime | None:
    """The first instant from `after` on (within 400 days) at which the rule's dates and schedule let it decide."""
    begin = max(after, rule.starts_at) if rule.starts_at else after
    first_day = begin.astimezone(zone(time_zone)).date()
    hours = sorted(minutes(rule.schedule.hours)) or [(0, 1440)]
    for ahead in range(_DAYS_AHEAD):
        day = first_day + timedelta(days=ahead)
        if rule.schedule.weekdays and day.isoweekday() not in rule.schedule.weekdays:
            continue
        if rule.schedule.dates and not any(first <= day.isoformat() <= last for first, last in rule.schedule.dates):
            continue
        midnight = datetime.combine(day, time(), tzinfo=zone(time_zone))
        for first, last in hours:
            moment = max(midnight + timedelta(minutes=first), begin)
            if moment < midnight + timedelta(minutes=last):
                return None if rule.ends_at and moment >= rule.ends_at else moment.astimezone(UTC)
    return None


def _moments(rules: Sequence[PublishedRule], now: datetime, time_zone: str) -> Iterator[datetime]:
    for one in rules:
        moment = opening(one.rule, after=now, time_zone=time_zone)
        if moment is not None:
            yield moment


def _everybody(rules: Sequence[PublishedRule]) -> Iterator[Membership]:
    """Members that several audiences mean at once come first: every tier, in all the lists."""
    audiences = [one.rule.audience for one in rules]
    tags = frozenset(tag for audience in audiences for tag in audience.tags[:1])
    segments = frozenset(segment for audience in audiences for segment in audience.segments[:1])
    tiers = dict.fromkeys(tier for audience in audiences for tier in audience.tiers)
    for tier in [*tiers, None]:
        yield Membership(tier, tags, segments)
    for tier in tiers:
        yield Membership(tier)


def _member(rules: Sequence[PublishedRule], program_id: int) -> int:
    """Somebody whom no holdout of the rules holds out, where there is one."""
    held = [
        (one.rule.holdout.percent, one.code) for one in rules if one.rule.holdout and one.rule.holdout.percent < 100
    ]
    ids = range(1, 1000)
    return next((m for m in ids if not any(is_held_out(p, code, program_id, m) for p, code in held)), 1)


def _data(rules: Sequence[PublishedRule]) -> Iterator[dict[str, Any]]:
    """Each field at each of its values while the others are usual, and all of them small or large together."""
    fields = _fields(rules)
    usual = {name: values[0] for name, values in fields.items()}
    drafts: list[dict[str, Any]] = [usual]
    for number in range(1, max((len(values) for values in fields.values()), default=1)):
        drafts.append({name: values[min(number, len(values) - 1)] for name, values in fields.items()})
    for name, values in fields.items():
        drafts += [{**usual, name: value} for value in values[1:]]
    for draft in drafts[:MOST_DATA]:
        yield _nested(draft)


def _fields(rules: Sequence[PublishedRule]) -> dict[str, list[Any]]:
    """What fields of `data` the rules name, with the values worth trying: a usual one first."""
    fields: dict[str, dict[str, Any]] = {}
    if rules[0].rule.trigger == "order.paid":
        _add(fields, "paid_fen", [USUAL, HUGE, SMALL, 0])
        _add(fields, "order_id", ["sample"])
    for one in rules:
        for expression in texts_of(one.rule):
            texts = [double or single for double, single in _TEXT.findall(expression)]
            numbers = [_number(found) for found in _NUMBER.findall(_TEXT.sub("", expression))]
            around = [value for number in numbers for value in (number, number + 1, number - 1) if value >= 0]
            flags = [True, False] if _FLAG.search(expression) else []
            for name in _FIELD.findall(expression):
                _add(fields, name, [*flags, *texts, USUAL, HUGE, *around, SMALL, 0])
    return {name: list(values.values())[:_MOST_VALUES] for name, values in sorted(fields.items())}


def _add(fields: dict[str, dict[str, Any]], name: str, values: Sequence[Any]) -> None:
    # By their text, for Python takes true for 1.
    fields.setdefault(name, {}).update({repr(value): value for value in values})


def _number(text: str) -> int | float:
    value = Decimal(text)
    return int(value) if value == value.to_integral_value() else float(value)


def _nested(flat: dict[str, Any]) -> dict[str, Any]:
    """`{"item.price": 1}` as `{"item": {"price": 1}}`."""
    data: dict[str, Any] = {}
    for name, value in flat.items():
        *path, last = name.split(".")
        inside = data
        for step in path:
            following = inside.get(step)
            if not isinstance(following, dict):
                following = inside[step] = {}
            inside = following
        inside.setdefault(last, value)
    return data
