"""Every SQL statement over ladders, standings and tier changes."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session

from common.arrays import numbers, texts
from services.levels.reward import from_json, to_json
from services.levels.tiers.domain import Change, Ladder, Standing, Tier
from services.levels.tiers.models import ladders, standings, tier_changes

_ADD_MISSING = text(
    "INSERT INTO levels_standings (program_id, member_id, growth, growth_seq, ladder_version, changes)"
    " SELECT p, m, 0, 0, 0, 0 FROM unnest(CAST(:p AS int[]), CAST(:m AS bigint[])) AS v(p, m)"
    " ORDER BY p, m ON CONFLICT DO NOTHING"
)
_LOCK = text(
    "SELECT s.* FROM levels_standings s JOIN unnest(CAST(:p AS int[]), CAST(:m AS bigint[])) AS v(p, m)"
    " ON (s.program_id, s.member_id) = (v.p, v.m) ORDER BY s.program_id, s.member_id FOR UPDATE OF s"
)
_WRITE = text(
    "UPDATE levels_standings s SET growth = v.g, growth_seq = v.q, tier = v.t, ladder_version = v.l, since = v.f,"
    " window_ends_at = v.w, changes = v.c FROM unnest(CAST(:p AS int[]), CAST(:m AS bigint[]), CAST(:g AS bigint[]),"
    " CAST(:q AS bigint[]), CAST(:t AS text[]), CAST(:l AS int[]), CAST(:f AS timestamptz[]),"
    " CAST(:w AS timestamptz[]), CAST(:c AS int[])) AS v(p, m, g, q, t, l, f, w, c)"
    " WHERE (s.program_id, s.member_id) = (v.p, v.m)"
)


def lock_ladder(session: Session, program_id: int, *, alone: bool) -> None:
    """Hold the program's ladder still until the end of the transaction; `alone` to publish, together to decide."""
    shared = "" if alone else "_shared"
    key = func.hashtextextended(f"levels ladder {program_id}", 0)
    session.execute(select(getattr(func, f"pg_advisory_xact_lock{shared}")(key)))


def list_ladders(session: Session, program_ids: Iterable[int]) -> dict[int, list[Ladder]]:
    """Every version of each program, oldest first."""
    found: dict[int, list[Ladder]] = defaultdict(list)
    wanted = select(ladders).where(ladders.c.program_id.in_(set(program_ids)))
    for row in session.execute(wanted.order_by(ladders.c.program_id, ladders.c.version)):
        found[row.program_id].append(_ladder(row))
    return found


def list_current_versions(session: Session, until: datetime) -> list[tuple[int, int]]:
    """`(program_id, version)` of the newest ladder in force by `until`."""
    newest = select(ladders.c.program_id, func.max(ladders.c.version)).where(ladders.c.since <= until)
    return [(row[0], row[1]) for row in session.execute(newest.group_by(ladders.c.program_id))]


def add_ladder(session: Session, program_id: int, ladder: Ladder, by: str) -> None:
    """Insert a version."""
    tiers = [{**asdict(tier), "reward": to_json(tier.reward)} for tier in ladder.tiers]
    row = {"program_id": program_id, "version": ladder.version, "since": ladder.since}
    session.execute(insert(ladders).values(**row, published_by=by, tiers=tiers))


def list_held_codes(session: Session, program_id: int) -> list[str]:
    """The codes of tiers that members of the program hold."""
    held = select(standings.c.tier).where(standings.c.program_id == program_id, standings.c.tier.is_not(None))
    return list(session.execute(held.distinct().order_by(standings.c.tier)).scalars())


def count_members(session: Session, program_id: int) -> dict[str, int]:
    """Members per tier code."""
    mine = select(standings.c.tier, func.count()).where(
        standings.c.program_id == program_id, standings.c.tier.is_not(None)
    )
    return {row[0]: row[1] for row in session.execute(mine.group_by(standings.c.tier))}


def add_standings(session: Session, new: Sequence[Standing]) -> None:
    """Insert standings of new members. Where growth was there before its member, that standing is the true one."""
    session.execute(insert(standings).on_conflict_do_nothing(), [asdict(one) for one in new])


def add_missing_standings(session: Session, keys: Iterable[tuple[int, int]]) -> None:
    """Make sure that each `(program_id, member_id)` has a standing."""
    session.execute(_ADD_MISSING, _unzip(keys))


def lock_standings(session: Session, keys: Iterable[tuple[int, int]]) -> dict[tuple[int, int], Standing]:
    """The standings of each `(program_id, member_id)`, locked in key order."""
    rows = session.execute(_LOCK, _unzip(keys))
    return {(row.program_id, row.member_id): _standing(row) for row in rows}


def lock_ended(session: Session, until: datetime, limit: int) -> list[Standing]:
    """Standings whose window has ended by `until`, locked; those that others work on are left out."""
    ended = select(standings).where(standings.c.window_ends_at <= until).order_by(standings.c.window_ends_at)
    return [_standing(row) for row in session.execute(ended.limit(limit).with_for_update(skip_locked=True))]


def lock_behind(session: Session, program_id: int, version: int, limit: int) -> list[Standing]:
    """Standings decided under a ladder older than `version`, locked; those that others work on are left out."""
    behind = select(standings).where(standings.c.program_id == program_id, standings.c.ladder_version < version)
    return [_standing(row) for row in session.execute(behind.limit(limit).with_for_update(skip_locked=True))]


def write_standings(session: Session, changed: Sequence[Standing]) -> None:
    """Write locked standings back, by one statement."""
    session.execute(
        _WRITE,
        {
            "p": numbers([one.program_id for one in changed]),
            "m": numbers([one.member_id for one in changed]),
            "g": numbers([one.growth for one in changed]),
            "q": numbers([one.growth_seq for one in changed]),
            "t": texts([one.tier for one in changed]),
            "l": numbers([one.ladder_version for one in changed]),
            "f": texts([_text(one.since) for one in changed]),
            "w": texts([_text(one.window_ends_at) for one in changed]),
            "c": numbers([one.changes for one in changed]),
        },
    )


def find_standing(session: Session, program_id: int, member_id: int) -> Standing | None:
    """The member's standing, if there is one."""
    mine = select(standings).where(standings.c.program_id == program_id, standings.c.member_id == member_id)
    row = session.execute(mine).one_or_none()
    return _standing(row) if row else None


def add_changes(session: Session, changes: Sequence[tuple[Change, bool]]) -> None:
    """Append decisions, each with whether it owes a reward."""
    session.execute(insert(tier_changes), [{**asdict(change), "reward_due": due} for change, due in changes])


def lock_due_changes(session: Session, limit: int) -> list[Change]:
    """Promotions that still owe a reward, oldest first, locked."""
    due = select(tier_changes).where(tier_changes.c.reward_due).order_by(tier_changes.c.at).limit(limit)
    return [_change(row) for row in session.execute(due.with_for_update(skip_locked=True))]


def mark_rewarded(session: Session, changes: Sequence[Change]) -> None:
    """These promotions owe nothing any more."""
    key = tuple_(tier_changes.c.program_id, tier_changes.c.member_id, tier_changes.c.number)
    which = [(change.program_id, change.member_id, change.number) for change in changes]
    session.execute(update(tier_changes).where(key.in_(which)).values(reward_due=False))


def list_changes(session: Session, program_id: int, member_id: int) -> list[Change]:
    """Every decision about the member, newest first."""
    mine = select(tier_changes).where(tier_changes.c.program_id == program_id, tier_changes.c.member_id == member_id)
    return [_change(row) for row in session.execute(mine.order_by(tier_changes.c.number.desc()))]


def _unzip(keys: Iterable[tuple[int, int]]) -> dict[str, str]:
    rows = list(keys)
    return {"p": numbers([row[0] for row in rows]), "m": numbers([row[1] for row in rows])}


def _ladder(row: Any) -> Ladder:
    tiers = tuple(Tier(**{**tier, "reward": from_json(tier["reward"])}) for tier in row.tiers)
    return Ladder(row.version, row.since, tiers)


def _standing(row: Any) -> Standing:
    return Standing(
        row.program_id,
        row.member_id,
        row.growth,
        row.growth_seq,
        row.tier,
        row.ladder_version,
        row.since,
        row.window_ends_at,
        row.changes,
    )


def _change(row: Any) -> Change:
    return Change(
        row.program_id,
        row.member_id,
        row.number,
        row.kind,
        row.from_tier,
        row.to_tier,
        row.at,
        row.cause,
        row.ladder_version,
        row.growth,
    )


def _text(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
