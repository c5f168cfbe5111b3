"""Claims: one member's awards of one rule that share capped windows, settled anew when another becomes known. Pure.

Whatever comes late or backdated is folded in at its own time (`rules.caps`), and awards of later events change with it:
up to `LATE` behind the newest. What comes later still gets what its windows have left, and nothing settled changes.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from services.points.budgets.domain import Pot, PotKey, draw
from services.points.intake.domain import Award, Event
from services.points.rules.caps import COOLDOWN, TIMES, Claim, Release, Share, fold, window_start

#: How far behind the newest event of its member and rule an event may lie and still change what others were awarded.
LATE = timedelta(days=31)
#: More events of one rule than this within reach of one another are no customer's; the next claims get nothing.
MOST_CLAIMS = 2_000

_CALENDAR = ("day", "week", "month")
#: How wide a window is in which awards are counted without an end: its claims of any time matter.
_EVER = len(_CALENDAR) + 1


@dataclass(slots=True)
class Given:
    """What one refund gave back of one claim: `part` of the `whole` price; `by` is the event that said so, if new."""

    refund: str
    at: datetime
    event: str
    event_at: datetime
    part: int
    whole: int
    amount: int = 0
    by: Event | None = None

    @property
    def key(self) -> tuple[str, str]:
        """Its name within the window."""
        return self.event, self.refund


@dataclass(slots=True)
class Window:
    """What is known of one member's claims on one rule, as far back as it matters for what is new in it.

    `total` is what all claims ever have net; `newest` the time of the newest; `widest` and `cooldown_hours` say how far
    claims ever reached; `awards` and `releases` are those that were read and those added, `added` the names of the new.
    """

    member_id: int
    rule: str
    total: int = 0
    newest: datetime | None = None
    widest: int = 0
    cooldown_hours: int = 0
    start: datetime | None = None
    since: datetime | None = None
    awards: dict[str, Award] = field(default_factory=dict)
    releases: dict[tuple[str, str], Given] = field(default_factory=dict)
    added: set[str] = field(default_factory=set)
    trigger: Event | None = None

    @property
    def counts_for_ever(self) -> bool:
        """Whether awards are counted without an end: whatever gave something must be known, however old."""
        return self.widest >= _EVER


@dataclass(slots=True)
class Change:
    """What settling does to one award: from `before` to its `share`; `adjust` is to be posted besides refunds."""

    award: Award
    before: int
    share: Share
    adjust: int

    @property
    def after(self) -> int:
        """What is awarded now."""
        return self.share.awarded


def reach(window: Window, instants: Iterable[datetime], limits: Iterable[tuple[str, int]], *, time_zone: str) -> None:
    """Set from when on claims are decided anew, and from when on they must be known for it."""
    for name, most in limits:
        window.widest = max(window.widest, _width(name))
        if name == COOLDOWN:
            window.cooldown_hours = max(window.cooldown_hours, most)
    earliest = min(instants)
    window.since = max(earliest, window.newest - LATE) if window.newest else earliest
    starts = [window_start(per, earliest, time_zone) for per in _CALENDAR[: window.widest]]
    window.start = min([earliest - timedelta(hours=window.cooldown_hours), *starts])


def add(window: Window, award: Award, event: Event) -> None:
    """A new claim."""
    window.awards[award.event] = award
    window.added.add(award.event)
    window.trigger = window.trigger or event


def give_back(window: Window, given: Given, event: Event) -> None:
    """A new refund of a claim."""
    window.releases[given.key] = given
    window.trigger = window.trigger or event


def settle(window: Window, pots: Mapping[PotKey, Pot], *, time_zone: str) -> list[Change]:
    """Decide every claim since `since` anew, drawing on the budgets; returns what changed, and changes the window."""
    drawn = {name: award.amount - award.reversed for name, award in window.awards.items()}
    shares = _shares(window, time_zone)
    while not _funded(window, shares, drawn, pots):
        shares = _shares(window, time_zone)
    # All that was read is folded: what is older than `start` gave something, where awards are counted without an end.
    changes = [_apply(window, award, shares[name]) for name, award in window.awards.items()]
    window.newest = max([one for one in (window.newest,) if one] + [window.awards[name].at for name in window.added])
    # An award that is refunded wholly grows and shrinks without a posting; its event says so all the same.
    return [one for one in changes if one.adjust or one.before != one.after or one.award.event in window.added]


def forget_lost(window: Window, award: Award, lost: int) -> int:
    """The ledger refused what was to be awarded: neither was it used of the windows, nor can refunds give it back.

    Returns how much less refunds give back now.
    """
    less = max(0, award.reversed - award.amount)
    window.total -= lost - less
    award.reversed -= less
    left = less
    for given in window.releases.values():
        if given.event == award.event:
            part = min(given.amount, left)
            given.amount -= part
            left -= part
    return less


def _shares(window: Window, time_zone: str) -> dict[str, Share]:
    assert window.start is not None, "a window is settled within its reach"
    claims = [_claim(window, award) for award in window.awards.values()]
    releases = list(window.releases.values())
    before = window.total - sum(window.awards[one.key].amount for one in claims) + sum(one.amount for one in releases)
    late = {claim.key for claim in claims if claim.late}
    known = {claim.key for claim in claims}
    moves = [
        Release(
            given.at,
            given.refund,
            given.event,
            given.event_at,
            given.part,
            given.whole,
            settled=None if given.event in known else given.amount,
            late=given.event in late,
        )
        for given in releases
    ]
    return fold([*claims, *moves], time_zone=time_zone, used={"total": before})


def _claim(window: Window, award: Award) -> Claim:
    assert window.since is not None, "a window is settled within its reach"
    new = award.event in window.added
    wanted = award.wanted if award.most is None else min(award.wanted, award.most)
    settled = None if new or award.at >= window.since else award.amount
    return Claim(award.at, award.event, wanted, award.limits, settled, late=new and award.at < window.since)


def _funded(window: Window, shares: Mapping[str, Share], drawn: dict[str, int], pots: Mapping[PotKey, Pot]) -> bool:
    """Draw what the shares ask of the budgets; False when there was less, and the claims' `most` says how much."""
    enough = True
    for award in sorted(window.awards.values(), key=lambda award: (award.at, award.event)):
        if not award.spans or award.event not in shares:
            continue
        share = shares[award.event]
        wanted = share.net - drawn[award.event]
        got, short = draw(pots, award.rule, award.spans, window.member_id, wanted)
        drawn[award.event] += got
        if short:
            award.most, award.short = max(0, share.awarded - wanted + got), short
            enough = False
    return enough


def _apply(window: Window, award: Award, share: Share) -> Change:
    before, kept = award.amount, award.amount - award.reversed
    mine = [given for given in window.releases.values() if given.event == award.event]
    adjust = share.awarded - before
    for given in mine:
        now = share.releases[given.refund]
        if given.by is None:
            adjust -= now - given.amount
        given.amount = now
    award.amount, award.reversed = share.awarded, share.released
    window.total += share.net - kept
    return Change(award, before, share, adjust)


def _width(limit: str) -> int:
    """How far back a limit makes claims reach, by calendar: a total of amounts is kept, one of times is counted."""
    per = limit.removeprefix(TIMES)
    if per in _CALENDAR:
        return _CALENDAR.index(per) + 1
    return _EVER if limit == f"{TIMES}total" else 0
