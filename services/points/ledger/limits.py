"""Limits: what one posting, and all of a member's within a calendar period, may earn or spend (field.md B19). Pure.

Nothing is kept for them. What a period has used is told by the account's own entries, read under its lock, and counted
on within the fold. A hold is a spending of when it was made, until it is given up; what is reversed, or not captured,
is free again in the period in which it was earned or spent.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from functools import lru_cache

from common.clock import day_start, epoch_us, from_epoch_day, from_epoch_us
from services.points.ledger.books import AccountKey, Tally
from services.points.ledger.domain import Account, Bounds, Kind, Line, Original
from services.points.ledger.journal import Entry
from services.points.ledger.movements import room
from services.points.ledger.refusals import EarningLimited, EarningTooLarge, SpendingLimited, SpendingTooLarge
from services.points.ledger.settling import today
from services.points.programs.domain import Limits

#: Which side a kind of entry counts on.
_SIDES = {Kind.EARN: Kind.EARN, Kind.SPEND: Kind.SPEND, Kind.HOLD: Kind.SPEND}

Tallies = dict[AccountKey, list[Tally]]


def asked_by(lines: Iterable[Line]) -> set[tuple[AccountKey, Kind, str]]:
    """The accounts, sides and periods that the limits of these lines ask about."""
    return {
        (line.account, _SIDES[line.kind], period)
        for line in lines
        if line.bounds is not None and line.kind in _SIDES
        for period, _ in line.bounds.limits.periods
    }


def open_tallies(
    asked: Iterable[tuple[AccountKey, Kind, str]],
    accounts: Mapping[AccountKey, Account],
    *,
    now_us: int,
    zones: Mapping[int, str],
) -> Tallies:
    """An empty tally for everything that is asked about, of the period in which the account's next entry will be."""
    tallies: Tallies = {}
    for key, side, period in sorted(asked):
        zone = zones[key[0]]
        day = today(max(now_us, accounts[key].last_at_us), zone)
        tallies.setdefault(key, []).append(Tally(side, period, *_bounds_us(period, day, zone)))
    return tallies


def earnable(account: Account, line: Line, bounds: Bounds, tallies: Sequence[Tally]) -> tuple[int, str]:
    """How much of the earning there is room for, and which setting leaves the least.

    Raises `EarningTooLarge`; where it is not to be cut also `BalanceCapped`, `EarningLimited`.
    """
    limits = bounds.limits
    if limits.posting is not None and line.amount > limits.posting:
        raise EarningTooLarge(limit="earning_limits.posting", most=limits.posting)
    there, capped = room(account, line.amount, bounds), "balance"
    for period, most in limits.periods:
        tally = _tally(tallies, Kind.EARN, period)
        left = max(0, most - tally.used)
        if left < there:
            there, capped = left, f"earning_limits.{period}"
            if not bounds.cuts:
                raise EarningLimited(**_told(capped, most, left, tally))
    return there, capped


def check_spending(line: Line, bounds: Bounds, tallies: Sequence[Tally]) -> None:
    """Raise `SpendingTooLarge` or `SpendingLimited` for what goes beyond a limit, whatever the account has."""
    limits = bounds.limits
    if limits.posting is not None and line.amount > limits.posting:
        raise SpendingTooLarge(limit="spending_limits.posting", most=limits.posting)
    for period, most in limits.periods:
        tally = _tally(tallies, Kind.SPEND, period)
        if tally.used + line.amount > most:
            raise SpendingLimited(**_told(f"spending_limits.{period}", most, max(0, most - tally.used), tally))


def spendable(limits: Limits, tallies: Sequence[Tally]) -> int | None:
    """The most that one posting may spend now by the limits, whatever the account has; None is no bound.

    A period without a tally has used nothing.
    """
    used = {tally.period: tally.used for tally in tallies if tally.side == Kind.SPEND}
    left = [max(0, most - used.get(period, 0)) for period, most in limits.periods]
    return min(left if limits.posting is None else [limits.posting, *left], default=None)


def count(entry: Entry, original: Original | None, tallies: Iterable[Tally]) -> None:
    """Let the tallies of its account know of an entry; `original` is what it reverses."""
    for tally in tallies:
        if _SIDES.get(entry.kind) == tally.side:
            tally.used += abs(entry.amount) or entry.held_delta
            if entry.kind == Kind.HOLD and entry.hold_id:
                tally.holds.add(entry.hold_id)
        elif entry.kind in (Kind.CAPTURE, Kind.VOID) and entry.hold_id in tally.holds:
            tally.used += entry.held_delta - entry.amount
        elif original is not None and _counted(original, tally):
            tally.used -= entry.reversed or 0


def _counted(original: Original, tally: Tally) -> bool:
    if original.kind == Kind.CAPTURE:
        return original.hold_id in tally.holds
    return _SIDES.get(original.kind) == tally.side and original.seq >= tally.first_seq


def _tally(tallies: Iterable[Tally], side: Kind, period: str) -> Tally:
    return next(tally for tally in tallies if (tally.side, tally.period) == (side, period))


def _told(limit: str, most: int, left: int, tally: Tally) -> dict[str, int | str]:
    return {"limit": limit, "most": most, "left": left, "free_at": from_epoch_us(tally.end_us).isoformat()}


@lru_cache(maxsize=4096)
def _bounds_us(period: str, day: int, zone: str) -> tuple[int, int]:
    """The first instant of the period around the day, and of the next one."""
    first = _first_day(period, from_epoch_day(day))
    # Some day of the next one: no period has more than 366.
    following = _first_day(period, first + timedelta(days={"day": 1, "week": 7, "month": 31, "year": 366}[period]))
    return epoch_us(day_start(first, zone)), epoch_us(day_start(following, zone))


def _first_day(period: str, day: date) -> date:
    if period == "week":
        return day - timedelta(days=day.weekday())
    return {"day": day, "month": day.replace(day=1), "year": day.replace(month=1, day=1)}[period]
