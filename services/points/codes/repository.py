"""Every SQL statement over codes."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session

from common import arrays
from services.points.codes.domain import Terms, UnknownCodeSet
from services.points.codes.models import code_sets, code_uses, codes


def lock_sets(session: Session, program_id: int) -> None:
    """Let one new set begin at a time."""
    session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"points_code_sets {program_id}", 0))))


def count_sets(session: Session, program_id: int) -> int:
    """How many sets there are."""
    return int(session.execute(select(func.count()).where(code_sets.c.program_id == program_id)).scalar_one())


def find_set(session: Session, program_id: int, code: str, *, lock: bool = False) -> Row[Any] | None:
    """The set, or None."""
    wanted = select(code_sets).where(*_one(program_id, code))
    return session.execute(wanted.with_for_update() if lock else wanted).one_or_none()


def get_set(session: Session, program_id: int, code: str, *, lock: bool = False) -> Row[Any]:
    """The set; raises `UnknownCodeSet`."""
    row = find_set(session, program_id, code, lock=lock)
    if row is None:
        raise UnknownCodeSet(code_set=code)
    return row


def list_sets(session: Session, program_id: int) -> Sequence[Row[Any]]:
    """The program's sets by code."""
    return session.execute(
        select(code_sets).where(code_sets.c.program_id == program_id).order_by(code_sets.c.code)
    ).all()


def list_unmade(session: Session) -> Sequence[Row[Any]]:
    """Sets of all programs whose codes are not all made: `program_id`, `code`."""
    unmade = select(code_sets.c.program_id, code_sets.c.code).where(code_sets.c.made < code_sets.c.count)
    return session.execute(unmade.order_by(code_sets.c.created_at)).all()


def add_set(session: Session, program_id: int, code: str, terms: Terms, *, by: str, now: datetime) -> None:
    """Begin a set; none of its codes is made yet."""
    key = {"program_id": program_id, "code": code, "created_by": by, "created_at": now}
    session.execute(insert(code_sets).values(**key, **asdict(terms)))


def add_codes(session: Session, program_id: int, code_set: str, made: Iterable[tuple[int, bytes]]) -> int:
    """Write codes `(number, digest)`; one that is a code already is left out. Returns how many were written."""
    given = list(made)
    added = session.execute(
        text(
            "WITH added AS (INSERT INTO points_codes (program_id, digest, code_set, number)"
            " SELECT :p, d, :s, n FROM unnest(CAST(:n AS int[]), CAST(:d AS bytea[])) AS k(n, d) ORDER BY d"
            " ON CONFLICT DO NOTHING RETURNING 1) SELECT count(*) FROM added"
        ),
        {
            "p": program_id,
            "s": code_set,
            "n": arrays.numbers(number for number, _ in given),
            "d": arrays.blobs(digest for _, digest in given),
        },
    )
    return int(added.scalar_one())


def mark_made(session: Session, program_id: int, code: str, *, more: int, next_number: int) -> None:
    """So many more codes of the set are made."""
    made = {"made": code_sets.c.made + more, "next_number": next_number}
    session.execute(update(code_sets).where(*_one(program_id, code)).values(made))


def mark_closed(session: Session, program_id: int, code: str, *, by: str, now: datetime) -> None:
    """No code of the set can be redeemed any more."""
    session.execute(update(code_sets).where(*_one(program_id, code)).values(closed_by=by, closed_at=now))


def list_codes(session: Session, program_id: int, code: str, *, after: int, limit: int) -> Sequence[Row[Any]]:
    """`number, uses` of the set's codes behind the number `after`, in their order."""
    mine = select(codes.c.number, codes.c.uses).where(
        codes.c.program_id == program_id, codes.c.code_set == code, codes.c.number > after
    )
    return session.execute(mine.order_by(codes.c.number).limit(limit)).all()


def count_uses(session: Session, program_id: int, code: str) -> tuple[int, int, int]:
    """Of a set: how often its codes were redeemed, how many of them, and by how many members."""
    mine = select(
        func.count(), func.count(code_uses.c.number.distinct()), func.count(code_uses.c.member_id.distinct())
    ).where(code_uses.c.program_id == program_id, code_uses.c.code_set == code)
    uses, used, members = session.execute(mine).one()
    return uses, used, members


def find_code(session: Session, program_id: int, digest: bytes) -> Row[Any] | None:
    """The code of that digest, with its set's terms; or None."""
    joined = codes.join(
        code_sets, (code_sets.c.program_id == codes.c.program_id) & (code_sets.c.code == codes.c.code_set)
    )
    wanted = select(codes.c.number, codes.c.uses, code_sets).select_from(joined)
    return session.execute(wanted.where(codes.c.program_id == program_id, codes.c.digest == digest)).one_or_none()


def lock_member(session: Session, program_id: int, member_id: int, code_set: str) -> int:
    """Let one code of the set be redeemed by the member at a time; returns how many they redeemed."""
    name = f"points_code_uses {program_id} {member_id} {code_set}"
    session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))))
    mine = select(func.count()).where(
        code_uses.c.program_id == program_id, code_uses.c.member_id == member_id, code_uses.c.code_set == code_set
    )
    return int(session.execute(mine).scalar_one())


def use_code(session: Session, program_id: int, digest: bytes, *, most: int | None) -> bool:
    """Count one more use of the code; false when it was used `most` times. A twin in flight is waited for."""
    mine = update(codes).where(codes.c.program_id == program_id, codes.c.digest == digest)
    if most is not None:
        mine = mine.where(codes.c.uses < most)
    used = mine.values(uses=codes.c.uses + 1).returning(codes.c.number)
    return session.execute(used).one_or_none() is not None


def add_use(
    session: Session, program_id: int, member_id: int, code_set: str, *, nth: int, number: int, now: datetime
) -> None:
    """Note who redeemed which code."""
    row = {"program_id": program_id, "member_id": member_id, "code_set": code_set, "nth": nth}
    session.execute(insert(code_uses).values(**row, number=number, used_at=now))


def _one(program_id: int, code: str) -> tuple[Any, ...]:
    return code_sets.c.program_id == program_id, code_sets.c.code == code
