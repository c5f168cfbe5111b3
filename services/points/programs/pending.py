"""The grammar of pending: when what was earned becomes available (field.md B5, requirements P5).

`none`: at once · `<n>D`: that many days after it was earned · `order.confirmed+<n>D`: that many days after the order
was confirmed, and until then not at all. A day later is the same time of day in the program's zone.
"""

import re
from datetime import UTC, datetime, timedelta

from common.clock import zone
from common.errors import Refusal

#: When something becomes available whose order nobody has confirmed yet.
UNCONFIRMED = datetime(2200, 1, 1, tzinfo=UTC)
_GRAMMAR = re.compile(r"^(order\.confirmed\+)?(0|[1-9][0-9]{0,2})D\Z")
_LONGEST_DAYS = 366


class BadPending(Refusal):
    """The pending rule is not in the grammar, or longer than 366 days: `pending`."""

    code = "bad_pending"


def check_pending(pending: str) -> str:
    """The pending rule itself when it is in the grammar; raises `BadPending`."""
    if pending != "none":
        _parts(pending)
    return pending


def available_at(pending: str, earned_at: datetime, time_zone: str) -> datetime | None:
    """When something earned at that instant becomes available: None at once, `UNCONFIRMED` when that is still open."""
    if pending == "none":
        return None
    awaits_order, days = _parts(pending)
    return UNCONFIRMED if awaits_order else _later(earned_at, days, time_zone)


def confirmed(pending: str, confirmed_at: datetime, time_zone: str) -> datetime | None:
    """When it becomes available now that its order is confirmed; None when it does not wait for that."""
    if pending == "none":
        return None
    awaits_order, days = _parts(pending)
    return _later(confirmed_at, days, time_zone) if awaits_order else None


def _parts(pending: str) -> tuple[bool, int]:
    match = _GRAMMAR.match(pending)
    if not match or int(match[2]) > _LONGEST_DAYS or (match[2] == "0" and not match[1]):
        raise BadPending(pending=pending)
    return bool(match[1]), int(match[2])


def _later(instant: datetime, days: int, time_zone: str) -> datetime:
    local = instant.astimezone(zone(time_zone))
    return (local + timedelta(days=days)).astimezone(UTC)
