"""Caps: what claims get within a day, week, month or in all, as a fold over the time at which things happened. Pure.

A *claim* is what a rule would award for one event; a *release* is a refund that gives part of it back. In the order of
their own time each claim gets `min(wanted, cap − used)` of every window that it falls into, and each release lowers
what is used of the windows of its claim from its own time on. So the end depends on what happened and never on the
order in which it became known (field.md, leap 6; traps T30).

Windows are cut in the program's time zone: `2026-05-03`, `2026-W18` (from Monday), `2026-05`, `total`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from common.clock import business_day, day_start

#: The narrowest first. `event` has no window: it bounds each claim by itself.
PERIODS = ("event", "day", "week", "month", "total")

#: `(period, amount)` of the caps that bind one member.
Limits = Sequence[tuple[str, int]]


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
    """What became of a claim: `capped` names the period whose cap bit, `releases` what each refund gave back."""

    awarded: int
    capped: str | None = None
    released: int = 0
    refunded: int = 0
    releases: dict[str, int] = field(default_factory=dict)

    @property
    def net(self) -> int:
        """What the member keeps of it."""
        return self.awarded - self.released


Move = Claim | Release


def fold(moves: Iterable[Move], *, time_zone: str, used: Mapping[str, int] | None = None) -> dict[str, Share]:
    """What each claim gets, by its key. `used` is what claims that are not among the moves use of their windows."""
    known = list(moves)
    periods = [per for per in PERIODS[1:] if any(per in dict(one.limits) for one in known if isinstance(one, Claim))]
    spent = dict(used or {})
    shares: dict[str, Share] = {}
    for move in sorted(known, key=_order):
        if isinstance(move, Claim):
            windows = {per: window_of(per, move.at, time_zone) for per in periods}
            share = shares[move.key] = _grant(move, windows, spent)
            change = share.awarded
        else:
            windows = {per: window_of(per, move.claim_at, time_zone) for per in periods}
            change = -_release(move, shares)
        for window in windows.values():
            spent[window] = spent.get(window, 0) + change
    return shares


def returned(amount: int, part: int, whole: int) -> int:
    """How much of an award is to be taken back when `part` of the `whole` price is refunded: the floor of its share.

    Everything once all is refunded, and so for a price of nothing; the running total makes the parts sum to the whole.
    """
    if part <= 0:
        return 0
    return amount if part >= whole else amount * part // whole


def window_of(per: str, at: datetime, time_zone: str) -> str:
    """The name of the period's window into which the instant falls."""
    if per in ("event", "total"):
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


def _grant(claim: Claim, windows: Mapping[str, str], spent: Mapping[str, int]) -> Share:
    if claim.settled is not None:
        return Share(claim.settled)
    share = Share(claim.wanted)
    for per, cap in sorted(claim.limits, key=lambda limit: PERIODS.index(limit[0])):
        left = cap if per == "event" else max(0, cap - spent.get(windows[per], 0))
        if left < share.awarded:
            share.awarded, share.capped = left, per
    return share


def _release(release: Release, shares: Mapping[str, Share]) -> int:
    if release.settled is not None:
        return release.settled
    share = shares[release.claim]
    share.refunded += release.part
    more = returned(share.awarded, share.refunded, release.whole) - share.released
    share.released += more
    share.releases[release.key] = more
    return more
