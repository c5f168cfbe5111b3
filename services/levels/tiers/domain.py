"""The rules of tiers: a standing is a fold over growth entries, window ends and ladder versions, in time order.

Promotion happens at once when growth reaches a threshold (`>=`). A window of `validity_days` business days begins with
each change; nobody moves down inside it. At its end growth >= `keep` renews it, less moves one step down (L2).
Because time is folded in before each entry, the result does not depend on when a job ran or how facts were batched.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise

from common.clock import business_day, day_end
from common.errors import Refusal
from services.levels.reward import Reward


class BadLadder(Refusal):
    """The thresholds do not ascend from 0, or a code is there twice."""

    code = "bad_ladder"


class KeepAboveThreshold(Refusal):
    """Keeping a tier may not need more growth than reaching it: it would be lost and won in the same instant."""

    code = "keep_above_threshold"


class WindowMissing(Refusal):
    """Every tier but the first needs a window of at least a day."""

    code = "window_missing"


class FirstTierIsFree(Refusal):
    """The first tier is everybody's: it has no window, no keep threshold and no reward."""

    code = "first_tier_is_free"


class TierInUse(Refusal):
    """A ladder may not drop a tier that members hold."""

    code = "tier_in_use"


class NoLadder(Refusal):
    """The program has no ladder yet."""

    code = "ladder_not_configured"


@dataclass(frozen=True, slots=True)
class Tier:
    """A rung: reached at `growth`, good for `validity_days` business days, kept at their end with growth >= `keep`.

    `reward` is given once per member, when the tier is first reached or passed.
    """

    code: str
    name_en: str
    name_zh: str
    growth: int
    keep: int
    validity_days: int
    reward: Reward = ()


@dataclass(frozen=True, slots=True)
class Ladder:
    """A published version of the ladder, in force from `since`; `tiers` ascend."""

    version: int
    since: datetime
    tiers: tuple[Tier, ...]

    def rank(self, code: str) -> int:
        """The place of a tier, 0 the lowest."""
        return next(place for place, tier in enumerate(self.tiers) if tier.code == code)

    def earned(self, growth: int) -> Tier:
        """The highest tier whose threshold the growth reaches; the first one also below zero."""
        return next((tier for tier in reversed(self.tiers) if growth >= tier.growth), self.tiers[0])


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a member stands: growth up to ledger entry `growth_seq`, the tier held, and when its window ends."""

    program_id: int
    member_id: int
    growth: int = 0
    growth_seq: int = 0
    tier: str | None = None
    ladder_version: int = 0
    since: datetime | None = None
    window_ends_at: datetime | None = None
    changes: int = 0


@dataclass(frozen=True, slots=True)
class Change:
    """A decision about a member's tier: what, when, because of what, under which ladder version."""

    program_id: int
    member_id: int
    number: int
    kind: str  # promoted, demoted or renewed
    from_tier: str
    to_tier: str
    at: datetime
    cause: str
    ladder_version: int
    growth: int


@dataclass(frozen=True, slots=True)
class GrowthEntry:
    """An entry of the growth account: the balance after it, and its place in the account."""

    program_id: int
    member_id: int
    seq: int
    balance: int
    at: datetime
    cause: str


Step = tuple[Standing, list[Change]]


def check_ladder(tiers: Sequence[Tier]) -> None:
    """Raise unless thresholds ascend from 0, codes are unique, the first is everybody's and the rest have windows."""
    first = tiers[0]
    if first.growth != 0:
        raise BadLadder(tier=first.code)
    if first.reward or first.keep or first.validity_days:
        raise FirstTierIsFree(tier=first.code)
    for place, (lower, upper) in enumerate(pairwise(tiers), start=1):
        if upper.growth <= lower.growth or upper.code in [tier.code for tier in tiers[:place]]:
            raise BadLadder(tier=upper.code)
        if upper.keep > upper.growth:
            raise KeepAboveThreshold(tier=upper.code)
        if upper.validity_days < 1:
            raise WindowMissing(tier=upper.code)


def enrol(program_id: int, member_id: int, ladders: Sequence[Ladder], at: datetime) -> Standing:
    """A new member's standing: the first tier of the newest ladder."""
    standing = Standing(program_id, member_id, since=at)
    if not ladders:
        return standing
    return replace(standing, tier=ladders[-1].tiers[0].code, ladder_version=ladders[-1].version)


def apply_growth(standing: Standing, ladders: Sequence[Ladder], entry: GrowthEntry, time_zone: str) -> Step:
    """The standing after a growth entry; an entry that is not newer than the last one changes nothing."""
    if entry.seq <= standing.growth_seq:
        return standing, []
    standing, changes = advance(standing, ladders, entry.at, time_zone)
    standing = replace(standing, growth=entry.balance, growth_seq=entry.seq)
    standing, promotion = _promote(standing, ladders, entry.at, entry.cause, time_zone)
    return standing, changes + promotion


def advance(standing: Standing, ladders: Sequence[Ladder], until: datetime, time_zone: str) -> Step:
    """Let time pass up to and including `until`: windows end and new ladder versions come into force, in order."""
    changes: list[Change] = []
    while True:
        coming = next((one for one in ladders if one.version > standing.ladder_version and one.since <= until), None)
        ends_at = standing.window_ends_at
        if ends_at is not None and ends_at <= until and (coming is None or ends_at <= coming.since):
            standing, more = _end_window(standing, ladders, ends_at, time_zone)
        elif coming is not None:
            standing, more = _adopt(standing, ladders, coming, time_zone)
        else:
            return standing, changes
        changes += more


def rungs_climbed(change: Change, ladder: Ladder) -> list[Tier]:
    """The tiers a promotion reached or passed, lowest first; those with a reward are due."""
    return list(ladder.tiers[ladder.rank(change.from_tier) + 1 : ladder.rank(change.to_tier) + 1])


def reward_due(change: Change, ladder: Ladder) -> bool:
    """Whether the change owes the member a reward."""
    return change.kind == "promoted" and any(tier.reward for tier in rungs_climbed(change, ladder))


def next_tier(held: str, ladder: Ladder) -> Tier | None:
    """The tier above the one held; none at the top."""
    above = ladder.rank(held) + 1
    return ladder.tiers[above] if above < len(ladder.tiers) else None


def in_force(standing: Standing, ladders: Sequence[Ladder]) -> Ladder | None:
    """The ladder under which the standing was decided; none before the first."""
    return next((ladder for ladder in ladders if ladder.version == standing.ladder_version), None)


def _promote(standing: Standing, ladders: Sequence[Ladder], at: datetime, cause: str, time_zone: str) -> Step:
    ladder = in_force(standing, ladders)
    if ladder is None or standing.tier is None:
        return standing, []
    target = ladder.earned(standing.growth)
    if ladder.rank(target.code) <= ladder.rank(standing.tier):
        return standing, []
    return _move(standing, standing.tier, ladder, target, at, "promoted", cause, time_zone)


def _end_window(standing: Standing, ladders: Sequence[Ladder], at: datetime, time_zone: str) -> Step:
    ladder = in_force(standing, ladders)
    assert ladder is not None, "a window only begins under a ladder"
    assert standing.tier is not None, "and in a tier of it"
    rank = ladder.rank(standing.tier)
    kept = standing.growth >= ladder.tiers[rank].keep
    target = ladder.tiers[rank if kept else rank - 1]
    cause = f"window:{at.isoformat()}"
    return _move(standing, standing.tier, ladder, target, at, "renewed" if kept else "demoted", cause, time_zone)


def _adopt(standing: Standing, ladders: Sequence[Ladder], ladder: Ladder, time_zone: str) -> Step:
    """Come under a new ladder: what it gives more is given at once, what it gives less waits for the window's end."""
    first = ladder.tiers[0]
    tier = first if standing.tier is None else ladder.tiers[ladder.rank(standing.tier)]
    window = standing.window_ends_at
    if tier is first:
        window = None
    elif window is None:
        window = _window_end(tier, ladder.since, time_zone)
    since = standing.since or ladder.since
    standing = replace(standing, ladder_version=ladder.version, tier=tier.code, since=since, window_ends_at=window)
    return _promote(standing, ladders, ladder.since, f"ladder:{ladder.version}", time_zone)


def _move(
    standing: Standing, held: str, ladder: Ladder, target: Tier, at: datetime, kind: str, cause: str, time_zone: str
) -> Step:
    number = standing.changes + 1
    change = Change(
        standing.program_id,
        standing.member_id,
        number,
        kind,
        held,
        target.code,
        at,
        cause,
        ladder.version,
        standing.growth,
    )
    window = None if target is ladder.tiers[0] else _window_end(target, at, time_zone)
    since = standing.since if kind == "renewed" else at
    moved = replace(standing, tier=target.code, since=since, window_ends_at=window, changes=number)
    return moved, [change]


def _window_end(tier: Tier, at: datetime, time_zone: str) -> datetime:
    """The end of the window's last business day; the day of the change is its first."""
    return day_end(business_day(at, time_zone) + timedelta(days=tier.validity_days - 1), time_zone)
