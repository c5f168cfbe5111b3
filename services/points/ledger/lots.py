"""Lots: what an account can spend, by the last day on which it can be spent.

An account's lots are buckets `[day, remaining, day, remaining, …]`, sorted by day, flat because PostgreSQL keeps them
in the account's own row as `bigint[]`. A *move* has the same form with signed amounts: what a posting did to which day.
The day `IDLE` stands for lots that live until the account falls idle, whenever that will be.
"""

from collections.abc import Iterable, Sequence

from services.points.programs.validity import IDLE, NEVER

#: More buckets than this are merged towards the later day, never the earlier one: nobody loses a day by it.
MOST_BUCKETS = 64

Buckets = list[int]
Moves = list[int]


def total(buckets: Buckets) -> int:
    """What all buckets hold together."""
    return sum(buckets[1::2])


def add(buckets: Buckets, moves: Moves) -> Moves:
    """Put positive moves into the buckets, in place; returns what was really done, merging included."""
    done: Moves = []
    for place in range(0, len(moves), 2):
        done += _put(buckets, moves[place], moves[place + 1])
    return done


def take(buckets: Buckets, amount: int) -> Moves:
    """Take `amount` out of the buckets, in place, soonest expiry first; returns the negative moves.

    The caller has checked that there is enough.
    """
    moves: Moves = []
    used = 0
    for position in range(0, len(buckets), 2):
        if not amount:
            break
        part = min(amount, buckets[position + 1])
        moves += [buckets[position], -part]
        amount -= part
        if part == buckets[position + 1]:
            used = position + 2
        else:
            buckets[position + 1] -= part
    del buckets[:used]
    return moves


def take_from(buckets: Buckets, days: Iterable[int], amount: int) -> Moves:
    """Take up to `amount`, first from the given days, then soonest expiry first; returns the negative moves."""
    moves: Moves = []
    for day in days:
        position = _position(buckets, day)
        if amount and position < len(buckets) and buckets[position] == day:
            part = min(amount, buckets[position + 1])
            moves += [day, -part]
            amount -= part
            buckets[position + 1] -= part
            if not buckets[position + 1]:
                del buckets[position : position + 2]
    return moves + take(buckets, min(amount, total(buckets)))


def take_between(buckets: Buckets, first_day: int, last_day: int, amount: int) -> Moves:
    """Take up to `amount` of what ends on one of these days, soonest expiry first; returns the negative moves."""
    moves: Moves = []
    position = _position(buckets, first_day)
    while amount and position < len(buckets) and buckets[position] <= last_day:
        day, left = buckets[position : position + 2]
        part = min(amount, left)
        moves += [day, -part]
        amount -= part
        if part == left:
            del buckets[position : position + 2]
        else:
            buckets[position + 1] -= part
    return moves


def take_dead(buckets: Buckets, last_dead_day: int, idle_day: int | None = None) -> Moves:
    """Take out everything whose day is `last_dead_day` or earlier; returns the negative moves."""
    moves: Moves = []
    while buckets and buckets[0] <= last_dead_day:
        moves += [buckets[0], -buckets[1]]
        del buckets[:2]
    if idle_day is not None and idle_day <= last_dead_day:
        position = _position(buckets, IDLE)
        if position < len(buckets) and buckets[position] == IDLE:
            moves += [IDLE, -buckets[position + 1]]
            del buckets[position : position + 2]
    return moves


def revived(moves: Moves, today: int, grace_days: int) -> Moves:
    """What comes back, positive: what would be dead by `today` is good for `grace_days` more, if there are any."""
    if not grace_days or all(day >= today for day in moves[::2]):
        return moves
    living: Moves = []
    for day, amount in pairs(moves):
        add(living, [day if day >= today else today + grace_days, amount])
    return living


def dated(buckets: Buckets, idle_day: int | None) -> Buckets:
    """The buckets as a reader wants them: what lives until the account is idle under the day when that will be."""
    if idle_day is None or IDLE not in buckets[::2]:
        return list(buckets)
    plain: Buckets = []
    for day, amount in pairs(buckets):
        add(plain, [idle_day if day == IDLE else day, amount])
    return plain


def stretch(moves: Moves, start: int, amount: int) -> Moves:
    """The piece of a taking, `amount` long from `start` on, as positive moves.

    A taking of 30 from one day and 20 from a later one, stretched from 20 for 20, is 10 of the first and 10 of the
    second.
    """
    piece: Moves = []
    for day, moved in pairs(moves):
        size = abs(moved)
        part = min(size - min(start, size), amount)
        if part:
            piece += [day, part]
            amount -= part
        start = max(0, start - size)
    return piece


def pairs(flat: Sequence[int]) -> Iterable[tuple[int, int]]:
    """The `(day, amount)` pairs of buckets or moves."""
    return zip(flat[::2], flat[1::2], strict=True)


def earliest(buckets: Buckets, idle_day: int | None = None) -> int:
    """The first day on which something expires; `NEVER` when nothing will."""
    first = buckets[0] if buckets else NEVER
    if idle_day is not None and idle_day < first and IDLE in buckets[::2]:
        return idle_day
    return first


def _put(buckets: Buckets, day: int, amount: int) -> Moves:
    merged: Moves = []
    position = _position(buckets, day)
    if position < len(buckets) and buckets[position] == day:
        buckets[position + 1] += amount
    elif len(buckets) < 2 * MOST_BUCKETS:
        buckets[position:position] = [day, amount]
    elif position < len(buckets):
        day = buckets[position]
        buckets[position + 1] += amount
    else:
        merged = _merge_earliest(buckets)
        buckets += [day, amount]
    return [*merged, day, amount]


def _position(buckets: Buckets, day: int) -> int:
    for position in range(0, len(buckets), 2):
        if buckets[position] >= day:
            return position
    return len(buckets)


def _merge_earliest(buckets: Buckets) -> Moves:
    day, amount = buckets[0], buckets[1]
    del buckets[:2]
    buckets[1] += amount
    return [day, -amount, buckets[0], amount]
