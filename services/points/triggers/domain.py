"""Facts of our own services as events. Pure.

The id of such an event is its law: a birthday and an anniversary once a member and year, entering a list once a
member, list and business day, however often it is told, moved or done again.
"""

from datetime import datetime
from typing import Any

from common.clock import business_day
from services.points.intake.domain import Event, our_event


def reached(topic: str, member_id: int, told: dict[str, Any]) -> Event:
    """`birthday.reached` and `anniversary.reached` of levels: at the first instant of the member's day.

    Data: `year`, `day` (2026-05-20), and for an anniversary the `years` since they joined.
    """
    at = datetime.fromisoformat(told["at"])
    data = {name: value for name, value in told.items() if name != "at"}
    return our_event("levels", f"{topic}/{member_id}/{told['year']}", topic, member_id=member_id, time=at, data=data)


def entered(member_id: int, told: dict[str, Any], *, time_zone: str) -> Event:
    """`list.joined` of our own: `tag.entered` with data `tag`, or `segment.entered` with data `segment`."""
    at, kind, code = datetime.fromisoformat(told["at"]), told["kind"], told["list"]
    noun = kind.removesuffix("s")
    name = f"{kind}/{code}/{member_id}/{business_day(at, time_zone)}"
    return our_event("points", name, f"{noun}.entered", member_id=member_id, time=at, data={noun: code})
