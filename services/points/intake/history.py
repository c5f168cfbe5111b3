"""The recorded events for whoever runs them again; nothing here changes anything."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlmodel import Session

from services.points.intake import history_repository
from services.points.intake.history_repository import Stretch


def count_events(session: Session, stretch: Stretch) -> int:
    """How many events there are in the stretch."""
    return history_repository.count_events(session, stretch)


def read_events(session: Session, stretch: Stretch, *, limit: int) -> Sequence[Any]:
    """The first `limit` of them by time, source and id.

    Rows of `time, source, id, type, member_id, data` (JSON text), and for payments and confirmations of orders
    `counted` (the order was awarded for this one, if for any) and `refunded` (it has refunds).
    """
    return history_repository.read_events(session, stretch, limit=limit)


def sum_awards(session: Session, stretch: Stretch, *, since: datetime, time_zone: str) -> Sequence[Any]:
    """What its events of `since` and later were really awarded: rows of `day, rule, asset, awards, amount`.

    Net of refunds of orders that were paid in the same time; `day` is a business day.
    """
    return history_repository.sum_awards(session, stretch, since=since, time_zone=time_zone)
