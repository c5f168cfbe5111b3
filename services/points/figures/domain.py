"""Daily figures and the trial balance as values. Pure.

Every entry moves a member's balance, and the other side of it is one of the program's own accounts: issuance for what
was earned, redemption for what was spent, breakage for what expired, and so on (ledger.md §1.4). Those are not stored
anywhere; they are the sums of the entries of their kind, so members and contra accounts add up to zero or something
is broken.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from common.errors import Refusal
from services.points.ledger.domain import Kind

#: A pending earning is an earning that is also held; these kinds move it, the others move what members hold.
PENDING_KINDS = (Kind.EARN, Kind.RELEASE, Kind.DEFER, Kind.REVERSE)
LONGEST_DAYS = 366


class BadRange(Refusal):
    """The days run backwards, or are more than a year."""

    code = "bad_range"


@dataclass(frozen=True, slots=True)
class Sum:
    """The entries of one kind on one day: Σ of what they credited and debited (both ≥ 0), and Σ held_delta.

    `by_hand` are adjustments by staff, and their undoing, whatever kind of entry carries them.
    """

    day: date
    kind: Kind
    by_hand: bool
    credited: int
    debited: int
    held: int

    @property
    def amount(self) -> int:
        """What balances changed by."""
        return self.credited - self.debited


@dataclass(frozen=True, slots=True)
class Flows:
    """What happened to balances, each ≥ 0 but `adjusted`; `change` is their sum.

    `clawed_back` is what reversals took of earnings, `returned` what they gave back of spendings.
    """

    issued: int = 0
    redeemed: int = 0
    expired: int = 0
    clawed_back: int = 0
    returned: int = 0
    adjusted: int = 0
    transferred_in: int = 0
    transferred_out: int = 0

    @property
    def change(self) -> int:
        """What all balances together changed by."""
        gained = self.issued + self.returned + self.adjusted + self.transferred_in
        return gained - self.redeemed - self.expired - self.clawed_back - self.transferred_out


@dataclass(frozen=True, slots=True)
class Rate:
    """What points are worth, exactly: `points` of them are `fen` 分."""

    points: int
    fen: int

    def worth(self, points: int) -> int:
        """In 分, rounded down; of points that are owed (negative) away from zero."""
        return points * self.fen // self.points


@dataclass(frozen=True, slots=True)
class Day:
    """One business day: its flows, and where it closed. `outstanding` = Σ balances, debts subtracted."""

    day: date
    flows: Flows
    pending: int
    held: int
    outstanding: int


@dataclass(frozen=True, slots=True)
class Balanced:
    """One asset in the trial balance: what members own (less what they owe) against the program's own accounts."""

    asset: str
    owned: int
    owed: int
    flows: Flows

    @property
    def accounts(self) -> list[tuple[str, int]]:
        """Every account with its signed balance; they add up to `difference`."""
        return [
            ("members", self.owned),
            ("members_debt", -self.owed),
            ("issuance", -self.flows.issued),
            ("redemption", self.flows.redeemed),
            ("breakage", self.flows.expired),
            ("clawback", self.flows.clawed_back),
            ("returns", -self.flows.returned),
            ("adjustments", -self.flows.adjusted),
            ("transfers", self.flows.transferred_out - self.flows.transferred_in),
        ]

    @property
    def difference(self) -> int:
        """Zero, or the books are wrong."""
        return sum(amount for _, amount in self.accounts)


def flows(sums: Iterable[Sum]) -> Flows:
    """The sums sorted by what they mean."""
    found = dict.fromkeys(Flows.__dataclass_fields__, 0)
    for one in sums:
        if one.by_hand:
            found["adjusted"] += one.amount
        elif one.kind == Kind.EARN:
            found["issued"] += one.amount
        elif one.kind in (Kind.SPEND, Kind.CAPTURE):
            found["redeemed"] -= one.amount
        elif one.kind == Kind.EXPIRE:
            found["expired"] -= one.amount
        elif one.kind == Kind.REVERSE:
            found["returned"] += one.credited
            found["clawed_back"] += one.debited
        elif one.kind == Kind.TRANSFER_IN:
            found["transferred_in"] += one.amount
        elif one.kind == Kind.TRANSFER_OUT:
            found["transferred_out"] -= one.amount
    return Flows(**found)


def check_range(first: date, last: date) -> None:
    """Raises `BadRange` unless `first` ≤ `last`, at most 366 days together."""
    if not 0 <= (last - first).days < LONGEST_DAYS:
        raise BadRange(most=LONGEST_DAYS)


def days(sums: Sequence[Sum], *, first: date, last: date) -> list[Day]:
    """Every day from `first` to `last`, also those on which nothing happened. `sums` begin with the first entry."""
    before = [one for one in sums if one.day < first]
    pending, held, outstanding = _pending(before), _held(before), sum(one.amount for one in before)
    by_day: dict[date, list[Sum]] = {}
    for one in sums:
        by_day.setdefault(one.day, []).append(one)
    found = []
    for number in range((last - first).days + 1):
        day = first + timedelta(days=number)
        of_day = by_day.get(day, [])
        pending, held = pending + _pending(of_day), held + _held(of_day)
        outstanding += sum(one.amount for one in of_day)
        found.append(Day(day, flows(of_day), pending, held, outstanding))
    return found


def _pending(sums: Iterable[Sum]) -> int:
    return sum(one.held for one in sums if one.kind in PENDING_KINDS)


def _held(sums: Iterable[Sum]) -> int:
    return sum(one.held for one in sums if one.kind not in PENDING_KINDS)
