"""Caps: what claims get within a day, week, month or in all, as a fold over the time at which things happened. Pure.

A *claim* is what a rule would award for one event; a *release* is a refund that gives part of it back. In the order of
their own time each claim gets `min(wanted, cap − used)` of every window that it falls into, and each release lowers
what is used of the windows of its claim from its own time on. So the end depends on what happened and never on the
order in which it became known (field.md, leap 6; traps T30).

An award *stands* from its time on until refunds have taken all of it. Where the number of awards in a window is
limited, a claim gets nothing once so many stand there; within a cool-down nothing while the one before it stands.

Windows are cut in the program's time zone: `2026-05-03`, `2026-W18` (from Monday), `2026-05`, `total`.
"""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from common.clock import business_day, day_start
from services.points.rules.rule import Cap, Frequency

#: The narrowest first. `event` has no window: it bounds each claim by itself.
PERIODS = ("event", "day", "week", "month", "total")

#: Before the period of a limit of times: `times day`.
TIMES = "times "
#: The limit of hours between two awards.
COOLDOWN = "cooldown"
#: What binds one member: `(day, 100)` an amount a day, `(times day, 3)` so many awards, `(cooldown, 24)` hours between.
Limits = Sequence[tuple[str, int]]
#: In which order limits are asked; the one that leaves least is named, the first of them when they leave the same.
_ASKED = {name: number for number, name in enumerate([*PERIODS, *(TIMES + per for per in PERIODS[1:]), COOLDOWN])}


@dataclass(frozen=True, slots=True)
class Claim:
    """What a rule would award for the event `key` at its time; `limits` are those of the version that decided.

    `settled` is what it got, when that is not to be decided again. One that comes `late`, when what came after it is
    settled, gets what all others leave of its windows.
    """

    at: datetime
    key: str
    wanted: int
    limits: Limits
    settled: int | None = None
    late: bool = False


@dataclass(frozen=True, slots=True)
class Release:
    """The refund `key` of `part` out of `whole` that the event `claim`, at `claim_at`, was paid.

    `settled` is the amount that it gave back, for a claim that is not among the moves.
    """

    at: datetime
    key: str
    claim: str
    claim_at: datetime
    part: int
    whole: int
    settled: int | None = None
    late: bool = False


@dataclass(slots=True)
class Share:
    """What became of a claim: `capped` names the limit that bit, `releases` what each refund gave back.

    `until` is when the member has cooled down, for a claim that was too soon.
    """

    awarded: int
    capped: str | None = None
    until: datetime | None = None
    released: int = 0
    refunded: int = 0
    releases: dict[str, int] = field(default_factory=dict)

    @property
    def net(self) -> int:
        """What the member keeps of it."""
        return self.awarded - self.released


Move = Claim | Release


def limits_of(caps: Iterable[Cap], frequency: Frequency) -> Limits:
    """What binds the claims of one member; nothing when an award shares no window with others."""
    limits = [(cap.per, cap.amount) for cap in caps if cap.of == "member" or cap.per == "event"]
    every = (*limits, *often(frequency))
    return every if any(name != "event" for name, _ in every) else ()


def often(frequency: Frequency) -> Limits:
    """How often a member may be awarded, as limits."""
    times = [(TIMES + times.per, times.most) for times in frequency.times]
    return times if frequency.cooldown_hours is None else [*times, (COOLDOWN, frequency.cooldown_hours)]


def fold(
    moves: Iterable[Move],
    *,
    time_zone: str,
    used: Mapping[str, int] | None = None,
    standing: Sequence[datetime] = (),
) -> dict[str, Share]:
    """What each claim gets, by its key.

    `used` is what claims that are not among the moves use of their windows, `standing` the times of those awarded.
    """
    known = list(moves)
    names = {name for one in known if isinstance(one, Claim) for name, _ in one.limits} - {"event", COOLDOWN}
    spent, stand = dict(used or {}), sorted(standing)
    shares: dict[str, Share] = {}
    for move in sorted(known, key=_order):
        at = move.at if isinstance(move, Claim) else move.claim_at
        windows = {name: window_of(name, at, time_zone) for name in names}
        if isinstance(move, Claim):
            share = shares[move.key] = _grant(move, windows, spent, stand)
            change, times = share.awarded, int(share.awarded > 0)
            if times:
                insort(stand, at)
        else:
            change, times = _release(move, shares)
            if times:
                stand.remove(at)
        for name, window in windows.items():
            spent[window] = spent.get(window, 0) + (times if name.startswith(TIMES) else change)
    return shares


def returned(amount: int, part: int, whole: int) -> int:
    """How much of an award is to be taken back when `part` of the `whole` price is refunded: the floor of its share.

    Everything once all is refunded, and so for a price of nothing; the running total makes the parts sum to the whole.
    """
    if part <= 0:
        return 0
    return amount if part >= whole else amount * part // whole


def window_of(per: str, at: datetime, time_zone: str) -> str:
    """The name of the window of a limit into which the instant falls: `times 2026-05-03` of `times day`."""
    if per.startswith(TIMES):
        return TIMES + window_of(per.removeprefix(TIMES), at, time_zone)
    if per in ("event", "total", COOLDOWN):
        return per
    return _named(per, business_day(at, time_zone))


def window_start(per: str, at: datetime, time_zone: str) -> datetime:
    """The first instant of the day, week or month around `at`; `at` itself for the periods without a window."""
    if per in ("event", "total"):
        return at
    day = business_day(at, time_zone)
    first = {"day": day, "week": day - timedelta(days=day.weekday()), "month": day.replace(day=1)}[per]
    return day_start(first, time_zone).astimezone(UTC)


@lru_cache(maxsize=4096)
def _named(per: str, day: date) -> str:
    if per == "week":
        year, week, _ = day.isocalendar()
        return f"{year}-W{week:02}"
    return day.isoformat() if per == "day" else f"{day:%Y-%m}"


def _order(move: Move) -> tuple[bool, datetime, bool, str]:
    """By time; at the same instant claims first, for nothing is given back before it was given."""
    if isinstance(move, Claim):
        return move.late, move.at, False, move.key
    return move.late, max(move.at, move.claim_at), True, move.key


def _grant(claim: Claim, windows: Mapping[str, str], spent: Mapping[str, int], stand: Sequence[datetime]) -> Share:
    if claim.settled is not None:
        return Share(claim.settled)
    share = Share(claim.wanted)
    for name, most in sorted(claim.limits, key=lambda limit: _ASKED[limit[0]]):
        if name == COOLDOWN:
            until = _cooled_down(claim.at, timedelta(hours=most), stand)
            left = share.awarded if until is None else 0
            share.until = until if share.awarded else None
        elif name.startswith(TIMES):
            left = share.awarded if spent.get(windows[name], 0) < most else 0
        else:
            left = most if name == "event" else max(0, most - spent.get(windows[name], 0))
        if left < share.awarded:
            share.awarded, share.capped = left, name
    return share


def _cooled_down(at: datetime, gap: timedelta, stand: Sequence[datetime]) -> datetime | None:
    """Until when a member whose awards stand at those times has to wait; None when long enough has passed.

    One that comes late may have come too soon before another, too.
    """
    near = [*stand[: bisect_right(stand, at)][-1:], *stand[bisect_left(stand, at) :][:1]]
    return max((one + gap for one in near if abs(at - one) < gap), default=None)


def _release(release: Release, shares: Mapping[str, Share]) -> tuple[int, int]:
    """What it changes of what is used, and of how many awards stand."""
    if release.settled is not None:
        return -release.settled, 0
    share = shares[release.claim]
    stood = share.net > 0
    share.refunded += release.part
    more = returned(share.awarded, share.refunded, release.whole) - share.released
    share.released += more
    share.releases[release.key] = more
    return -more, -int(stood and share.net == 0)
