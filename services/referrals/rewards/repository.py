"""Every SQL statement over grants."""

from dataclasses import asdict
from datetime import datetime

from sqlalchemy import insert, update
from sqlmodel import Session

from services.referrals.rewards.domain import Grant
from services.referrals.rewards.models import grants


def add_grant(session: Session, grant: Grant) -> None:
    """Insert a grant; its id may not have been used before."""
    session.execute(insert(grants).values(asdict(grant)))


def mark_reversed(
    session: Session, *, program_id: int, member_id: int, grant_id: str, cause: str, at: datetime
) -> bool:
    """Mark a standing grant reversed; false when there is none such."""
    standing = update(grants).where(
        grants.c.program_id == program_id,
        grants.c.member_id == member_id,
        grants.c.grant_id == grant_id,
        grants.c.reversed_at.is_(None),
    )
    marked = standing.values(reversed_at=at, reversal_cause=cause)
    return session.connection().execute(marked).rowcount > 0
