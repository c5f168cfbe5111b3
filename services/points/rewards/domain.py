"""Grants as values. Pure.

A grant names its assets' amounts once; reversals say which share of it is to be taken back in all (docs/facts.md).
"""

from dataclasses import dataclass
from datetime import datetime

from services.points.programs.pending import UNCONFIRMED, after, available_at


@dataclass(slots=True)
class Part:
    """One asset of a grant; `reversed` of its `amount` is taken back so far. `wanted` was more, when a cap cut it."""

    asset: str
    amount: int
    posting_id: str
    reversed: int = 0
    wanted: int | None = None


@dataclass(slots=True)
class Grant:
    """What a neighbour handed out to a member under one grant id; `refused` says why when nothing was posted."""

    grant_id: str
    member_id: int
    parts: list[Part]
    refused: str | None = None


def to_reverse(part: Part, *, numerator: int, denominator: int) -> int:
    """How much more of a part is to be taken back, so that numerator / denominator of it is in all; never negative."""
    target = part.amount if numerator >= denominator else part.amount * numerator // denominator
    return max(0, target - part.reversed)


def awaits(pending: str, at: datetime, *, time_zone: str) -> datetime | None:
    """Until when a part is pending by its asset's rule; None when it is available at once.

    No event can name a grant, so what waits for one waits from the grant itself.
    """
    until = available_at(pending, at, time_zone)
    return after(pending, at, time_zone) if until == UNCONFIRMED else until
