"""Publishing a ladder, moving members on it, and handing out what a promotion gives."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from common import feed as facts
from services.levels import wakeups
from services.levels.badges import use_cases as badges
from services.levels.database import feed
from services.levels.programs import use_cases as programs
from services.levels.reward import Grant, badges_of
from services.levels.rewards import use_cases as rewards
from services.levels.tiers import domain, repository
from services.levels.tiers.domain import Change, GrowthEntry, Ladder, NoLadder, Standing, Step, Tier, TierInUse


@dataclass(frozen=True, slots=True)
class Place:
    """A member's growth and tier as a profile shows them; `missing` is the growth the next tier still needs."""

    growth: int
    tier: Tier | None
    since: datetime | None
    window_ends_at: datetime | None
    next_tier: Tier | None
    missing: int | None


def publish_ladder(session: Session, *, program_id: int, tiers: Sequence[Tier], by: str, now: datetime) -> Ladder:
    """Publish the ladder as its next version; a job moves members to it within a minute.

    Raises `BadLadder`, `KeepAboveThreshold`, `WindowMissing`, `FirstTierIsFree`, `TierInUse`, `UnknownBadge`.
    """
    domain.check_ladder(tiers)
    badges.require(session, program_id=program_id, codes=badges_of(tier.reward for tier in tiers))
    repository.lock_ladder(session, program_id, alone=True)
    for code in repository.list_held_codes(session, program_id):
        if code not in [tier.code for tier in tiers]:
            raise TierInUse(tier=code)
    earlier = repository.list_ladders(session, [program_id])[program_id]
    ladder = Ladder(len(earlier) + 1, max([now, *(one.since for one in earlier)]), tuple(tiers))
    repository.add_ladder(session, program_id, ladder, by)
    return ladder


def show_ladder(session: Session, *, program_id: int) -> Ladder:
    """The newest version; raises `NoLadder`."""
    ladders = repository.list_ladders(session, [program_id])[program_id]
    if not ladders:
        raise NoLadder()
    return ladders[-1]


def counts(session: Session, *, program_id: int) -> tuple[list[tuple[Tier, int]], datetime]:
    """Members per tier of the newest ladder, and the instant up to which facts are in it; raises `NoLadder`."""
    ladder = show_ladder(session, program_id=program_id)
    found = repository.count_members(session, program_id)
    return [(tier, found.get(tier.code, 0)) for tier in ladder.tiers], programs.points_applied_at(session)


def enrol(session: Session, *, program_id: int, member_ids: Sequence[int], now: datetime) -> None:
    """New members begin on the first tier."""
    repository.lock_ladder(session, program_id, alone=False)
    ladders = repository.list_ladders(session, [program_id])[program_id]
    repository.add_standings(session, [domain.enrol(program_id, member_id, ladders, now) for member_id in member_ids])


def apply_growth(session: Session, entries: Sequence[GrowthEntry]) -> None:
    """Apply growth entries of any members, in the order of the feed; a replayed entry changes nothing (L1)."""
    keys = sorted({(entry.program_id, entry.member_id) for entry in entries})
    ladders, zones = _ground(session, [program_id for program_id, _ in keys])
    repository.add_missing_standings(session, keys)
    before = repository.lock_standings(session, keys)
    after = dict(before)
    made: list[Change] = []
    for entry in entries:
        key = (entry.program_id, entry.member_id)
        own, zone = ladders[entry.program_id], zones[entry.program_id]
        after[key], more = domain.apply_growth(after[key], own, entry, zone)
        made += more
    _write(session, [after[key] for key in keys if after[key] != before[key]], made, ladders)


def advance_due(session: Session, *, until: datetime, limit: int = 500) -> int:
    """Let windows end, and bring members under the newest ladder; returns how many standings were looked at.

    The caller has applied every growth entry up to `until`, so that what was earned in time counts.
    """
    current = repository.list_current_versions(session, until)
    ladders, zones = _ground(session, [program_id for program_id, _ in current])
    due = repository.lock_ended(session, until, limit)
    for program_id, version in current:
        due = due or repository.lock_behind(session, program_id, version, limit)
    steps: list[Step] = [domain.advance(one, ladders[one.program_id], until, zones[one.program_id]) for one in due]
    _write(session, [standing for standing, _ in steps], [one for _, made in steps for one in made], ladders)
    return len(due)


def grant_promotions(session: Session, *, limit: int = 500) -> int:
    """Hand out what promotions owe, each tier's reward once per member for ever; returns how many were settled."""
    due = repository.lock_due_changes(session, limit)
    ladders = repository.list_ladders(session, [change.program_id for change in due])
    rewards.grant(session, [grant for change in due for grant in _owed(change, ladders[change.program_id])])
    if due:
        repository.mark_rewarded(session, due)
    return len(due)


def place(session: Session, *, program_id: int, member_id: int) -> Place:
    """The member's growth, tier and way to the next one."""
    standing = repository.find_standing(session, program_id, member_id) or Standing(program_id, member_id)
    ladder = domain.in_force(standing, repository.list_ladders(session, [program_id])[program_id])
    if ladder is None or standing.tier is None:
        return Place(standing.growth, None, None, None, None, None)
    above = domain.next_tier(standing.tier, ladder)
    missing = None if above is None else max(above.growth - standing.growth, 0)
    held = ladder.tiers[ladder.rank(standing.tier)]
    return Place(standing.growth, held, standing.since, standing.window_ends_at, above, missing)


def changes(session: Session, *, program_id: int, member_id: int) -> list[Change]:
    """Every decision about the member's tier, with cause and ladder version, newest first."""
    return repository.list_changes(session, program_id, member_id)


def _ground(session: Session, program_ids: Sequence[int]) -> tuple[dict[int, list[Ladder]], dict[int, str]]:
    """Ladders and zones of programs, the ladders held still."""
    for program_id in sorted(set(program_ids)):
        repository.lock_ladder(session, program_id, alone=False)
    return repository.list_ladders(session, program_ids), programs.time_zones(session, program_ids)


def _write(
    session: Session, standings: Sequence[Standing], made: Sequence[Change], ladders: dict[int, list[Ladder]]
) -> None:
    if standings:
        repository.write_standings(session, standings)
    if not made:
        return
    owing = [(change, domain.reward_due(change, _under(change, ladders[change.program_id]))) for change in made]
    repository.add_changes(session, owing)
    moves = [(one.program_id, one.member_id, _payload(one)) for one in made if one.kind != "renewed"]
    facts.append_many(session, feed, "tier.changed", moves)
    if any(due for _, due in owing):
        wakeups.ask(session, "grant_promotions")


def _payload(change: Change) -> dict[str, object]:
    return {"from": change.from_tier, "to": change.to_tier, "at": change.at.isoformat(), "cause": change.cause}


def _under(change: Change, ladders: Sequence[Ladder]) -> Ladder:
    return next(ladder for ladder in ladders if ladder.version == change.ladder_version)


def _owed(change: Change, ladders: Sequence[Ladder]) -> list[Grant]:
    ladder = _under(change, ladders)
    return [
        Grant(
            change.program_id,
            change.member_id,
            f"levels:tier:{change.member_id}:{tier.code}",
            tier.reward,
            change.cause,
            f"ladder:{ladder.version}",
            change.at,
        )
        for tier in domain.rungs_climbed(change, ladder)
        if tier.reward
    ]
