"""Every SQL statement over tier changes and member lists."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session

from common import arrays
from services.points.audiences.domain import History, ListKind, Stay, TierChange, UnknownList
from services.points.audiences.models import list_stays, member_lists, tier_changes


def add_tier_changes(session: Session, changes: Sequence[TierChange]) -> None:
    """Keep the changes; one that is kept already stays as it is."""
    session.execute(insert(tier_changes).on_conflict_do_nothing(), [asdict(change) for change in changes])


def histories(
    session: Session, program_id: int, member_ids: Iterable[int], *, first: datetime, last: datetime
) -> dict[int, History]:
    """What is known of those members that something is known of, as far as it matters between two instants."""
    rows = session.execute(
        text(
            "SELECT member_id, NULL AS kind, tier AS code, before, at AS since, NULL AS until, fact_id"
            " FROM points_tier_changes WHERE program_id = :p AND member_id = ANY(CAST(:m AS bigint[]))"
            " UNION ALL SELECT member_id, kind, code, NULL, since, until, 0"
            " FROM points_list_stays WHERE program_id = :p AND member_id = ANY(CAST(:m AS bigint[]))"
            " AND since <= :last AND (until IS NULL OR until > :first)"
            " ORDER BY since, fact_id"
        ),
        {"p": program_id, "m": arrays.numbers(member_ids), "first": first, "last": last},
    )
    found: dict[int, History] = {}
    for member_id, kind, code, before, since, until, _ in rows:
        history = found.setdefault(member_id, History())
        if kind is None:
            history.tiers.append((since, before, code))
        else:
            history.stays.append(Stay(kind, code, since, until))
    return found


def lock_lists(session: Session, program_id: int, kind: ListKind) -> None:
    """Let one new list of the kind begin at a time."""
    session.execute(
        select(func.pg_advisory_xact_lock(func.hashtextextended(f"points_member_lists {program_id} {kind}", 0)))
    )


def count_lists(session: Session, program_id: int, kind: ListKind) -> int:
    """How many lists of the kind there are."""
    mine = select(func.count()).where(member_lists.c.program_id == program_id, member_lists.c.kind == kind)
    return int(session.scalars(mine).one())


def lock_list(session: Session, program_id: int, kind: ListKind, code: str) -> bool:
    """Lock the list for the transaction, so that one caller changes it at a time; False when there is none."""
    mine = _one(program_id, kind, code)
    return session.execute(select(member_lists.c.code).where(*mine).with_for_update()).first() is not None


def add_list(session: Session, program_id: int, kind: ListKind, code: str, *, actor: str) -> None:
    """Begin a list."""
    row = {"program_id": program_id, "kind": kind, "code": code, "created_by": actor}
    session.execute(insert(member_lists).values(row))


def begin_stays(
    session: Session,
    program_id: int,
    kind: ListKind,
    code: str,
    member_ids: Sequence[int],
    *,
    actor: str,
    now: datetime,
) -> list[int]:
    """Put those in who are not in; returns them."""
    begun = session.execute(
        text(
            "INSERT INTO points_list_stays (program_id, member_id, kind, code, since, added_by)"
            " SELECT :p, m, :k, :c, :now, :by FROM unnest(CAST(:m AS bigint[])) AS given(m)"
            " ORDER BY m ON CONFLICT DO NOTHING RETURNING member_id"
        ),
        _given(program_id, kind, code, member_ids, actor, now),
    )
    return list(begun.scalars())


def end_stays(
    session: Session,
    program_id: int,
    kind: ListKind,
    code: str,
    member_ids: Sequence[int],
    *,
    actor: str,
    now: datetime,
) -> int:
    """Take those out who are in; returns how many."""
    return len(
        session.execute(
            text(
                "UPDATE points_list_stays SET until = greatest(since, :now), removed_by = :by WHERE program_id = :p"
                " AND kind = :k AND code = :c AND member_id = ANY(CAST(:m AS bigint[])) AND until IS NULL"
                " RETURNING member_id"
            ),
            _given(program_id, kind, code, member_ids, actor, now),
        ).all()
    )


def find_filled(session: Session, program_id: int, groups: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
    """Those of the groups `(kind, code)` that somebody is in: a list, or a tier that somebody has or had."""
    named = sorted(groups)
    rows = session.execute(
        text(
            "SELECT g.kind, g.code FROM unnest(CAST(:k AS text[]), CAST(:c AS text[])) AS g(kind, code)"
            " WHERE CASE g.kind WHEN 'tiers' THEN EXISTS (SELECT FROM points_tier_changes t"
            "   WHERE t.program_id = :p AND g.code IN (t.before, t.tier))"
            " ELSE EXISTS (SELECT FROM points_list_stays s WHERE s.program_id = :p AND s.kind = g.kind"
            "   AND s.code = g.code AND s.until IS NULL) END"
        ),
        {"p": program_id, "k": arrays.texts(kind for kind, _ in named), "c": arrays.texts(code for _, code in named)},
    )
    return {(row.kind, row.code) for row in rows}


def list_lists(session: Session, program_id: int, kind: ListKind) -> Sequence[Row[Any]]:
    """The program's lists of the kind by code, with how many stand in each."""
    size = (
        select(func.count())
        .where(
            list_stays.c.program_id == member_lists.c.program_id,
            list_stays.c.kind == member_lists.c.kind,
            list_stays.c.code == member_lists.c.code,
            list_stays.c.until.is_(None),
        )
        .scalar_subquery()
    )
    mine = select(member_lists, size.label("size")).where(
        member_lists.c.program_id == program_id, member_lists.c.kind == kind
    )
    return session.execute(mine.order_by(member_lists.c.code)).all()


def list_members(
    session: Session, program_id: int, kind: ListKind, code: str, *, after: int, limit: int
) -> Sequence[Row[Any]]:
    """Who stands in the list, by member id, behind `after`; raises `UnknownList`."""
    if session.execute(select(member_lists.c.code).where(*_one(program_id, kind, code))).first() is None:
        raise UnknownList(kind=kind, list=code)
    mine = select(list_stays).where(
        list_stays.c.program_id == program_id,
        list_stays.c.kind == kind,
        list_stays.c.code == code,
        list_stays.c.until.is_(None),
        list_stays.c.member_id > after,
    )
    return session.execute(mine.order_by(list_stays.c.member_id).limit(limit)).all()


def _one(program_id: int, kind: ListKind, code: str) -> tuple[Any, ...]:
    return (member_lists.c.program_id == program_id, member_lists.c.kind == kind, member_lists.c.code == code)


def _given(
    program_id: int, kind: ListKind, code: str, member_ids: Sequence[int], actor: str, now: datetime
) -> dict[str, Any]:
    return {"p": program_id, "k": kind, "c": code, "m": arrays.numbers(member_ids), "by": actor, "now": now}
