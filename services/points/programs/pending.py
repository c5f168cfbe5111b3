"""The grammar of pending: when what was earned becomes available (field.md B5, requirements P5).

`none`: at once · `<n>D`: that many days after it was earned · `until:2026-12-01`: from the beginning of that day on,
at once when it is earned later · `<event type>+<n>D`: that many days after such an event, and until then not at all.

The event is one of the same member that names what earned: the order by `data.order_id`, as `order.confirmed` does, or,
where no order did, the earning event by `data.event`, its source and id with a space between them. Of several the
earliest counts. A day later is the same time of day in the program's zone.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from common.clock import day_start, zone
from common.errors import Refusal

#: When something becomes available for which the awaited event has not come yet.
UNCONFIRMED = datetime(2200, 1, 1, tzinfo=UTC)
_GRAMMAR = re.compile(r"^(?:([a-z][a-z0-9_.-]{0,63})\+)?(0|[1-9][0-9]{0,2})D\Z")
_UNTIL = re.compile(r"^until:((?:20|21)[0-9]{2}-[0-9]{2}-[0-9]{2})\Z")
_LONGEST_DAYS = 366


class BadPending(Refusal):
    """The pending rule is not in the grammar, longer than 366 days, or names no day: `pending`."""

    code = "bad_pending"


@dataclass(frozen=True, slots=True)
class _Wait:
    """Until the day `until`, or `days` after the earning, or after an event of the type `event`."""

    days: int = 0
    event: str | None = None
    until: date | None = None


def check_pending(pending: str) -> str:
    """The pending rule itself when it is in the grammar; raises `BadPending`."""
    if pending != "none":
        _wait(pending)
    return pending


def awaited(pending: str) -> str | None:
    """The type of event that it waits for, if it waits for any."""
    return None if pending == "none" else _wait(pending).event


def available_at(pending: str, earned_at: datetime, time_zone: str) -> datetime | None:
    """When something earned at that instant becomes available: None at once, `UNCONFIRMED` when that is still open."""
    if pending == "none":
        return None
    wait = _wait(pending)
    if wait.until is not None:
        begins = day_start(wait.until, time_zone)
        return begins if begins > earned_at else None
    return UNCONFIRMED if wait.event else _later(earned_at, wait.days, time_zone)


def after(pending: str, event_at: datetime, time_zone: str) -> datetime | None:
    """When it becomes available, now that the awaited event has come; None when it does not wait for any."""
    if pending == "none":
        return None
    wait = _wait(pending)
    return _later(event_at, wait.days, time_zone) if wait.event else None


@lru_cache(maxsize=1024)
def _wait(pending: str) -> _Wait:
    if match := _UNTIL.match(pending):
        try:
            return _Wait(until=date.fromisoformat(match[1]))
        except ValueError as error:
            raise BadPending(pending=pending) from error
    match = _GRAMMAR.match(pending)
    if not match or int(match[2]) > _LONGEST_DAYS or (match[2] == "0" and not match[1]):
        raise BadPending(pending=pending)
    return _Wait(int(match[2]), event=match[1])


def _later(instant: datetime, days: int, time_zone: str) -> datetime:
    local = instant.astimezone(zone(time_zone))
    return (local + timedelta(days=days)).astimezone(UTC)
