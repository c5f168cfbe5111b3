"""Every SQL statement over members and identities."""

import zlib
from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session

from services.levels.members.domain import Conflict, IdentityKey, Member
from services.levels.members.models import identity_conflicts, members

#: Who makes members first takes the stripes of the identities concerned, so that nobody makes the same one at once.
_STRIPES = 256

_FIND = text(
    "SELECT i.type, i.app, i.value, i.member_id FROM levels_identities i"
    " JOIN unnest(CAST(:t AS text[]), CAST(:a AS text[]), CAST(:v AS text[])) AS k(t, a, v)"
    " ON (i.program_id, i.type, i.app, i.value) = (:p, k.t, k.a, k.v)"
)
_LOCK = text(
    "SELECT pg_advisory_xact_lock(hashtextextended(k, 0))"
    " FROM unnest(CAST(:stripes AS text[])) WITH ORDINALITY AS v(k, o) ORDER BY o"
)
_LINK = text(
    "INSERT INTO levels_identities (program_id, type, app, value, member_id, linked_at)"
    " SELECT :p, t, a, v, m, :at FROM unnest(CAST(:t AS text[]), CAST(:a AS text[]), CAST(:v AS text[]),"
    " CAST(:m AS bigint[])) AS k(t, a, v, m)"
)


def find_members_of(session: Session, program_id: int, keys: Sequence[IdentityKey]) -> dict[IdentityKey, int]:
    """The member each identity leads to; unknown ones are missing."""
    rows = session.execute(_FIND, {"p": program_id, **_unzip(keys)})
    return {IdentityKey(row.type, row.app, row.value): row.member_id for row in rows}


def lock_identities(session: Session, program_id: int, keys: Iterable[IdentityKey]) -> None:
    """Until the end of the transaction nobody else makes or links these identities."""
    stripes = sorted({zlib.crc32(f"{key.type}\n{key.app}\n{key.value}".encode()) % _STRIPES for key in keys})
    names = [f"levels identities {program_id} {stripe:03d}" for stripe in stripes]
    session.execute(_LOCK, {"stripes": names}).all()


def add_members(session: Session, program_id: int, joined_at: datetime, count: int) -> list[int]:
    """Make members; returns their ids."""
    made = text(
        "INSERT INTO levels_members (program_id, joined_at)"
        " SELECT :p, :at FROM generate_series(1, :n) RETURNING member_id"
    )
    return sorted(session.execute(made, {"p": program_id, "at": joined_at, "n": count}).scalars())


def add_identities(session: Session, program_id: int, links: dict[IdentityKey, int], now: datetime) -> None:
    """Lead identities to members; the caller has locked them."""
    session.execute(_LINK, {"p": program_id, "at": now, "m": list(links.values()), **_unzip(list(links))})


def add_conflicts(session: Session, program_id: int, conflicts: Sequence[Conflict], now: datetime) -> None:
    """Note cases for merging, each once."""
    rows = [
        {
            "program_id": program_id,
            "member_id": one.member_id,
            "holder_id": one.holder_id,
            "type": one.key.type,
            "noticed_at": now,
        }
        for one in conflicts
    ]
    session.execute(insert(identity_conflicts).values(rows).on_conflict_do_nothing())


def find_member(session: Session, program_id: int, member_id: int) -> Member | None:
    """The member, or None."""
    mine = select(members).where(members.c.program_id == program_id, members.c.member_id == member_id)
    row = session.execute(mine).one_or_none()
    return Member(row.program_id, row.member_id, row.joined_at) if row else None


def first_joined_at(session: Session, program_id: int) -> datetime | None:
    """When the program's first member joined; None without any."""
    return session.execute(select(func.min(members.c.joined_at)).where(members.c.program_id == program_id)).scalar()


def list_joined_in(
    session: Session, program_id: int, spans: Sequence[tuple[datetime, datetime]], *, after: int, limit: int
) -> list[Member]:
    """The next members behind `after`, by id, who joined in one of the spans (half-open)."""
    # OFFSET keeps the spans apart: as one condition the planner would walk all members in the order of their ids.
    rows = session.execute(
        text(
            "SELECT m.* FROM unnest(CAST(:b AS timestamptz[]), CAST(:e AS timestamptz[])) AS k(b, e) CROSS JOIN LATERAL"
            " (SELECT program_id, member_id, joined_at FROM levels_members"
            "   WHERE program_id = :p AND joined_at >= k.b AND joined_at < k.e OFFSET 0) m"
            " WHERE m.member_id > :after ORDER BY m.member_id LIMIT :limit"
        ),
        {"p": program_id, "b": [b for b, _ in spans], "e": [e for _, e in spans], "after": after, "limit": limit},
    )
    return [Member(*row) for row in rows]


def existing_members(session: Session, program_id: int, member_ids: Sequence[int]) -> list[int]:
    """Those of the members that the program has, in order."""
    mine = select(members.c.member_id).where(members.c.program_id == program_id, members.c.member_id.in_(member_ids))
    return list(session.execute(mine.order_by(members.c.member_id)).scalars())


def _unzip(keys: Sequence[IdentityKey]) -> dict[str, list[str]]:
    return {"t": [key.type for key in keys], "a": [key.app for key in keys], "v": [key.value for key in keys]}
