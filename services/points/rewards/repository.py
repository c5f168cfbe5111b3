"""Every SQL statement over grants."""

from collections.abc import Iterable
from dataclasses import asdict

from sqlalchemy import func, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session

from services.points.rewards.domain import Grant, Part
from services.points.rewards.models import grants

Key = tuple[int, int, str]


def lock_grants(session: Session, keys: Iterable[Key]) -> dict[Key, Grant]:
    """Those of the grants `(program_id, member_id, grant_id)` that were applied, locked in key order."""
    columns = (grants.c.program_id, grants.c.member_id, grants.c.grant_id)
    wanted = select(grants).where(tuple_(*columns).in_(sorted(keys))).order_by(*columns).with_for_update()
    return {
        (row.program_id, row.member_id, row.grant_id): Grant(
            row.grant_id, row.member_id, [Part(**part) for part in row.parts], row.refused
        )
        for row in session.execute(wanted)
    }


def add_grant(session: Session, program_id: int, grant: Grant, *, cause: str, rule: str) -> None:
    """Note that a grant was applied, or why it was not."""
    row = {
        "program_id": program_id,
        "member_id": grant.member_id,
        "grant_id": grant.grant_id,
        "parts": [asdict(part) for part in grant.parts],
        "refused": grant.refused,
        "cause": cause,
        "rule": rule,
        # When the transaction began: before the entries that it caused.
        "applied_at": func.now(),
    }
    session.execute(insert(grants).values(row))


def mark_reversed(session: Session, program_id: int, grant: Grant) -> None:
    """Note how much of each part is taken back by now."""
    mine = (
        grants.c.program_id == program_id,
        grants.c.member_id == grant.member_id,
        grants.c.grant_id == grant.grant_id,
    )
    session.execute(update(grants).where(*mine).values(parts=[asdict(part) for part in grant.parts]))
