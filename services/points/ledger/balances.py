"""Reading an account: its figures as they are at this instant, its month, an asset's flows. Pure.

What is due but not yet written (dead lots, dead holds) is subtracted here: a reader never sees an expired point, and
a read never writes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from common.clock import business_day, day_start, epoch_day, from_epoch_day
from common.errors import Refusal
from services.points.ledger import lots
from services.points.ledger.domain import Kind
from services.points.programs.domain import NEVER


class BadMonth(Refusal):
    """The month is not of the form 2026-05."""

    code = "bad_month"


@dataclass(frozen=True, slots=True)
class Expiring:
    """What can be used until the end of the day `on`; None for what never expires."""

    on: date | None
    amount: int


@dataclass(frozen=True, slots=True)
class Balance:
    """An account by bucket: available + held − debt = balance."""

    asset: str
    balance: int
    available: int
    held: int
    debt: int
    lots: list[Expiring] = field(default_factory=list)

    @property
    def next_expiry(self) -> Expiring | None:
        """What expires next, if anything does."""
        return next((lot for lot in self.lots if lot.on), None)


@dataclass(frozen=True, slots=True)
class Statement:
    """One month of an account; `entries` are rows of the journal, oldest first."""

    asset: str
    month: str
    opening: int
    entries: Sequence[Any]
    closing: int


def nothing(asset: str) -> Balance:
    """The balance of an account to which nothing was ever posted."""
    return Balance(asset, 0, 0, 0, 0)


def present(
    asset: str,
    balance: int,
    held: int,
    debt: int,
    buckets: list[int],
    holds: Sequence[tuple[datetime, int, list[int]]],
    *,
    now: datetime,
    zone: str,
) -> Balance:
    """The account as settling it now would leave it. `holds` are its open ones: deadline, amount, lots."""
    living = list(buckets)
    for deadline, amount, moves in holds:
        if deadline <= now:
            held -= amount
            returned = lots.stretch(moves, 0, amount)
            paid = min(debt, amount)
            debt -= paid
            lots.take(returned, paid)
            lots.add(living, returned)
    dead = lots.take_dead(living, epoch_day(business_day(now, zone)) - 1)
    balance += sum(dead[1::2])
    expiring = [Expiring(None if day == NEVER else from_epoch_day(day), left) for day, left in lots.pairs(living)]
    return Balance(asset, balance, lots.total(living), held, debt, expiring)


def month_bounds(month: str, zone: str) -> tuple[datetime, datetime]:
    """The first instant of the month and of the next one, in the program's zone. Raises `BadMonth`."""
    try:
        first = datetime.strptime(month, "%Y-%m").replace(tzinfo=UTC).date()
        following = date(first.year + first.month // 12, first.month % 12 + 1, 1)
    except ValueError as error:
        raise BadMonth(month=month) from error
    return day_start(first, zone), day_start(following, zone)


def flows(totals: dict[Kind, int]) -> dict[str, int]:
    """Issued, redeemed, expired and reversed; issued + reversed − redeemed − expired = outstanding."""
    return {
        "issued": totals.get(Kind.EARN, 0),
        "redeemed": -totals.get(Kind.SPEND, 0) - totals.get(Kind.CAPTURE, 0),
        "expired": -totals.get(Kind.EXPIRE, 0),
        "reversed": totals.get(Kind.REVERSE, 0),
    }
