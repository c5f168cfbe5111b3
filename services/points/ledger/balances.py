"""Reading an account: its figures as they are, were or will be at an instant; its month; an asset's flows. Pure.

A reader is shown what settling the account at that instant would leave: dead lots and dead holds are gone, pending
earnings whose day has come are there. It is the settling of the postings themselves, on a copy that nobody writes.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from common.clock import day_start, epoch_us, from_epoch_day, from_epoch_us
from common.errors import Refusal
from services.points.ledger import lots
from services.points.ledger.books import Books
from services.points.ledger.domain import Account, Hold, HoldState, Kind, Purpose
from services.points.ledger.settling import settle
from services.points.programs.validity import IDLE, NEVER


class BadMonth(Refusal):
    """The month is not of the form 2026-05."""

    code = "bad_month"


@dataclass(frozen=True, slots=True)
class Expiring:
    """What can be used until the end of the day `on`; None for what never expires."""

    on: date | None
    amount: int


@dataclass(frozen=True, slots=True)
class Reserved:
    """An open hold: so much comes back by itself at `expires_at` unless it is captured before."""

    hold_id: bytes
    amount: int
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Awaited:
    """A pending earning, named by its posting: what is left of it becomes available at `available_at`."""

    posting_id: bytes
    amount: int
    available_at: datetime


@dataclass(frozen=True, slots=True)
class Lifetime:
    """All that ever happened; earned − spent − expired + reversed + transferred = balance. The last two are signed."""

    earned: int = 0
    spent: int = 0
    expired: int = 0
    reversed: int = 0
    transferred: int = 0


@dataclass(frozen=True, slots=True)
class Balance:
    """An account by bucket at an instant: available + pending + held − debt = balance.

    `lots` by the last day on which they can be used; `holds` and `awaited` in the order in which they end.
    """

    asset: str
    balance: int
    available: int
    pending: int
    held: int
    debt: int
    frozen: bool
    as_of: datetime
    lots: list[Expiring] = field(default_factory=list)
    holds: list[Reserved] = field(default_factory=list)
    awaited: list[Awaited] = field(default_factory=list)
    lifetime: Lifetime = field(default_factory=Lifetime)

    @property
    def next_expiry(self) -> Expiring | None:
        """What expires next, if anything does."""
        return next((lot for lot in self.lots if lot.on), None)

    @property
    def next_activation(self) -> Awaited | None:
        """What becomes available next, if anything does."""
        return next(iter(self.awaited), None)


@dataclass(frozen=True, slots=True)
class Month:
    """A month of an account: seqs `first` to `last` (none when `last` < `first`), and its balances around them."""

    asset: str
    month: str
    opening: int
    closing: int
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Statement:
    """A month, and a page of its lines, oldest first: brought_forward + Σ entries = carried_forward.

    The first page brings the month's opening forward, the others what was carried; the last carries its closing.
    `next` is the seq to go on behind, None on the last page.
    """

    month: Month
    brought_forward: int
    entries: Sequence[Any]
    carried_forward: int
    next: int | None


def nothing(asset: str, *, at: datetime) -> Balance:
    """The balance of an account to which nothing was ever posted."""
    return Balance(asset, 0, 0, 0, 0, 0, frozen=False, as_of=at)


def present(
    asset: str, account: Account, holds: Iterable[Hold], sums: Mapping[Kind, int], *, at: datetime, zone: str
) -> Balance:
    """The account as settling it at `at` would leave it; the account and its holds are working copies, and change.

    `holds` are its open ones, `sums` the Σ amount of its entries by kind: those that settling would write are added.
    """
    holds = list(holds)
    happened = _settle(account, holds, epoch_us(at), zone)
    still = sorted(
        (held for held in holds if held.state == HoldState.OPEN), key=lambda held: (held.expires_at_us, held.id)
    )
    awaited = [held for held in still if held.purpose == Purpose.PENDING]
    pending = sum(held.left for held in awaited)
    return Balance(
        asset,
        account.balance,
        account.available,
        pending,
        account.held - pending,
        account.debt,
        frozen=account.frozen,
        as_of=at,
        lots=by_day(lots.dated(account.lots, account.idle_day)),
        holds=[
            Reserved(held.id, held.left, from_epoch_us(held.expires_at_us))
            for held in still
            if held.purpose == Purpose.SPENDING
        ],
        awaited=[Awaited(held.id, held.left, from_epoch_us(held.expires_at_us)) for held in awaited],
        lifetime=lifetime({**sums, **{kind: sums.get(kind, 0) + more for kind, more in happened.items()}}),
    )


def lifetime(sums: Mapping[Kind, int]) -> Lifetime:
    """What an account's entries, summed by kind, mean in all."""
    return Lifetime(
        earned=sums.get(Kind.EARN, 0),
        spent=-sums.get(Kind.SPEND, 0) - sums.get(Kind.CAPTURE, 0),
        expired=-sums.get(Kind.EXPIRE, 0),
        reversed=sums.get(Kind.REVERSE, 0),
        transferred=sums.get(Kind.TRANSFER_IN, 0) + sums.get(Kind.TRANSFER_OUT, 0),
    )


def month_bounds(month: str, zone: str) -> tuple[datetime, datetime]:
    """The first instant of the month and of the next one, in the program's zone. Raises `BadMonth`."""
    try:
        first = datetime.strptime(month, "%Y-%m").replace(tzinfo=UTC).date()
        following = date(first.year + first.month // 12, first.month % 12 + 1, 1)
    except ValueError as error:
        raise BadMonth(month=month) from error
    return day_start(first, zone), day_start(following, zone)


def flows(totals: Mapping[Kind, int]) -> dict[str, int]:
    """Issued, redeemed, expired and reversed; issued + reversed − redeemed − expired = outstanding.

    What members gave each other is in none of them: it left nobody's books.
    """
    whole = lifetime(totals)
    return {
        "issued": whole.earned,
        "redeemed": whole.spent,
        "expired": whole.expired,
        "reversed": whole.reversed,
    }


def _settle(account: Account, holds: Sequence[Hold], at_us: int, zone: str) -> dict[Kind, int]:
    """Settle the working copies; returns the amounts of what happened, by kind."""
    key = {(account.program_id, held.id): held for held in holds}
    books = Books(at_us, {account.program_id: zone}, {account.key: account}, holds=key)
    account.due_us = at_us
    settle(books, account)
    return {entry.kind: entry.amount for entry in books.entries}


def by_day(buckets: Sequence[int]) -> list[Expiring]:
    """Buckets or moves as a reader wants them; what lives until the account is idle has no day of its own."""
    return [_expiring(day, amount) for day, amount in lots.pairs(buckets)]


def _expiring(day: int, amount: int) -> Expiring:
    return Expiring(None if day in (IDLE, NEVER) else from_epoch_day(day), amount)
