"""Every SQL statement over badges."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import select, text, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session

from services.levels.badges.domain import Award, Badge, BadgeGrant, HeldBadge, TakenBack
from services.levels.badges.models import badge_grants, badges, member_badges

Key = tuple[int, int, str, str]

_ADD_GRANTS = text(
    "INSERT INTO levels_badge_grants (program_id, member_id, grant_id, badge, period, cause, at)"
    " SELECT p, m, g, b, e, c, a FROM unnest(CAST(:p AS int[]), CAST(:m AS bigint[]), CAST(:g AS text[]),"
    " CAST(:b AS text[]), CAST(:e AS text[]), CAST(:c AS text[]), CAST(:a AS timestamptz[])) AS v(p, m, g, b, e, c, a)"
    " ORDER BY p, m, g, b ON CONFLICT DO NOTHING RETURNING program_id, member_id, grant_id, badge"
)
_HOLD = text(
    "INSERT INTO levels_member_badges AS held (program_id, member_id, badge, period, earned_at)"
    " SELECT p, m, b, e, a FROM unnest(CAST(:p AS int[]), CAST(:m AS bigint[]), CAST(:b AS text[]),"
    " CAST(:e AS text[]), CAST(:a AS timestamptz[])) AS v(p, m, b, e, a) ORDER BY p, m, b, e"
    " ON CONFLICT (program_id, member_id, badge, period) DO UPDATE SET earned_at = excluded.earned_at,"
    " revoked_at = NULL"
    " WHERE held.revoked_at IS NOT NULL RETURNING program_id, member_id, badge, period"
)
_REVOKE = text(
    "UPDATE levels_badge_grants g SET revoked_at = :at, revoked_by = 'reversal', reason = v.c"
    " FROM unnest(CAST(:p AS int[]), CAST(:m AS bigint[]), CAST(:g AS text[]), CAST(:c AS text[])) AS v(p, m, g, c)"
    " WHERE (g.program_id, g.member_id, g.grant_id) = (v.p, v.m, v.g) AND g.revoked_at IS NULL"
    " RETURNING g.program_id, g.member_id, g.badge, g.period"
)
_LET_GO = text(
    "UPDATE levels_member_badges held SET revoked_at = :at"
    " FROM unnest(CAST(:p AS int[]), CAST(:m AS bigint[]), CAST(:b AS text[]), CAST(:e AS text[])) AS v(p, m, b, e)"
    " WHERE (held.program_id, held.member_id, held.badge, held.period) = (v.p, v.m, v.b, v.e)"
    " AND held.revoked_at IS NULL AND NOT EXISTS (SELECT FROM levels_badge_grants g"
    " WHERE (g.program_id, g.member_id, g.badge, g.period) = (v.p, v.m, v.b, v.e) AND g.revoked_at IS NULL)"
)


def put_badge(session: Session, program_id: int, badge: Badge, *, by: str, now: datetime) -> None:
    """Insert or replace a badge of the catalogue."""
    values = {**asdict(badge), "program_id": program_id, "changed_by": by, "changed_at": now}
    changes = {name: value for name, value in values.items() if name not in ("program_id", "code")}
    session.execute(
        insert(badges).values(values).on_conflict_do_update(index_elements=["program_id", "code"], set_=changes)
    )


def list_badges(session: Session, program_id: int) -> list[Badge]:
    """The catalogue, series by series, level by level."""
    mine = select(badges).where(badges.c.program_id == program_id)
    return [_badge(row) for row in session.execute(mine.order_by(badges.c.series, badges.c.level, badges.c.code))]


def find_periods(session: Session, codes: Iterable[tuple[int, str]]) -> dict[tuple[int, str], str]:
    """How often each of those `(program_id, code)` can be earned; those the catalogue has not are missing."""
    wanted = tuple_(badges.c.program_id, badges.c.code).in_(sorted(set(codes)))
    rows = session.execute(select(badges.c.program_id, badges.c.code, badges.c.period).where(wanted))
    return {(row.program_id, row.code): row.period for row in rows}


def add_grants(session: Session, awards: Sequence[tuple[Award, str]]) -> set[tuple[int, int, str, str]]:
    """Write history for awards with their periods; returns the new `(program_id, member_id, grant_id, badge)`."""
    rows = session.execute(
        _ADD_GRANTS,
        {
            "p": [award.program_id for award, _ in awards],
            "m": [award.member_id for award, _ in awards],
            "g": [award.grant_id for award, _ in awards],
            "b": [award.badge for award, _ in awards],
            "e": [period for _, period in awards],
            "c": [award.cause for award, _ in awards],
            "a": [award.at for award, _ in awards],
        },
    )
    return {(row[0], row[1], row[2], row[3]) for row in rows}


def hold(session: Session, earned: dict[Key, datetime]) -> set[Key]:
    """Put badges `(program_id, member_id, badge, period)` on; returns those that were not on before."""
    rows = session.execute(_HOLD, {**_unzip(earned), "a": list(earned.values())})
    return {(row[0], row[1], row[2], row[3]) for row in rows}


def revoke_grants(session: Session, reversed_: Sequence[TakenBack], now: datetime) -> set[Key]:
    """Revoke what those grants gave; returns the badges concerned."""
    values = {
        "p": [one.program_id for one in reversed_],
        "m": [one.member_id for one in reversed_],
        "g": [one.grant_id for one in reversed_],
        "c": [one.cause for one in reversed_],
    }
    rows = session.execute(_REVOKE, {**values, "at": now})
    return {(row[0], row[1], row[2], row[3]) for row in rows}


def revoke_badge(
    session: Session, program_id: int, member_id: int, badge: str, *, by: str, reason: str, now: datetime
) -> set[Key]:
    """Revoke every standing grant of one badge of a member; returns the badges concerned."""
    c = badge_grants.c
    standing = badge_grants.update().where(
        c.program_id == program_id, c.member_id == member_id, c.badge == badge, c.revoked_at.is_(None)
    )
    revoked = standing.values(revoked_at=now, revoked_by=by, reason=reason)
    rows = session.execute(revoked.returning(c.program_id, c.member_id, c.badge, c.period))
    return {(row[0], row[1], row[2], row[3]) for row in rows}


def let_go(session: Session, keys: set[Key], now: datetime) -> None:
    """Hide those badges that no standing grant supports any more."""
    session.execute(_LET_GO, {**_unzip(keys), "at": now})


def list_held(session: Session, program_id: int, member_id: int) -> list[HeldBadge]:
    """What the member holds now, newest first."""
    c = member_badges.c
    mine = select(c.badge, c.period, c.earned_at).where(
        c.program_id == program_id, c.member_id == member_id, c.revoked_at.is_(None)
    )
    return [HeldBadge(*row) for row in session.execute(mine.order_by(c.earned_at.desc(), c.badge))]


def list_history(session: Session, program_id: int, member_id: int) -> list[BadgeGrant]:
    """Everything the member was ever given, newest first."""
    c = badge_grants.c
    shown = (c.badge, c.period, c.grant_id, c.cause, c.at, c.revoked_at, c.revoked_by, c.reason)
    mine = select(*shown).where(c.program_id == program_id, c.member_id == member_id)
    return [BadgeGrant(*row) for row in session.execute(mine.order_by(c.at.desc(), c.grant_id, c.badge))]


def _unzip(keys: Iterable[Key]) -> dict[str, list[Any]]:
    rows = list(keys)
    return {name: [row[place] for row in rows] for place, name in enumerate("pmbe")}


def _badge(row: Any) -> Badge:
    return Badge(
        row.code,
        row.name_en,
        row.name_zh,
        row.series,
        row.level,
        row.icon,
        row.criteria_en,
        row.criteria_zh,
        row.slot,
        row.period,
    )
