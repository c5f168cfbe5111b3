"""Redatings: lots get another last day, and get their own back (docs/adr/0033). Points move in time, none come or go.

Only what is free is moved: what a hold reserves keeps its days, and a pending earning has no lot yet.
"""

from services.points.ledger import lots
from services.points.ledger.domain import Account, Kind, Line, Movement, Original, Redating
from services.points.ledger.refusals import DayPassed, LotsNotThere, NoRoomForLot, ReversalExceeded


def redate(account: Account, line: Line, redating: Redating, *, today: int) -> Movement:
    """Move `line.amount` of the lots of some days to another day, soonest expiry first; also while it is frozen.

    Raises `DayPassed`, `LotsNotThere`, and `NoRoomForLot` when a shortening would come to lie where it came from.
    """
    if redating.to_day < today:
        raise DayPassed()
    buckets = list(account.lots)
    taken = lots.take_between(buckets, redating.first_day, redating.last_day, line.amount)
    if -lots.total(taken) < line.amount:
        raise LotsNotThere()
    added = lots.add(buckets, [redating.to_day, line.amount])
    if redating.to_day < redating.first_day <= added[-2]:
        raise NoRoomForLot()
    account.lots[:] = buckets
    return Movement(Kind.REDATE, 0, moves=taken + added)


def restore(account: Account, line: Line, original: Original, *, today: int) -> Movement:
    """Give what a redating moved its own days back, the latest first; `up_to` as much of it as is still there.

    A day that is over ends it at once, unless the asset has days of grace. Raises `ReversalExceeded`, `LotsNotThere`.
    """
    left = moved(original.moves) - original.reversed
    wanted = line.amount or left
    if not left or (wanted > left and not line.up_to):
        raise ReversalExceeded()
    buckets, day = list(account.lots), original.moves[-2]
    taken = lots.take_between(buckets, day, day, min(wanted, left))
    amount = -lots.total(taken)
    if not amount or (amount < wanted and not line.up_to):
        raise LotsNotThere()
    back = lots.stretch(original.moves, left - amount, amount)
    added = lots.add(buckets, lots.revived(back, today, line.grace_days))
    account.lots[:] = buckets
    return Movement(Kind.REVERSE, 0, moves=taken + added, reverses=original.seq, reversed=amount)


def moved(moves: lots.Moves) -> int:
    """How many points a redating moved: what it put on its new day, which it did last."""
    return moves[-1]
