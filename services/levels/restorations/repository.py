"""Every SQL statement over restored days."""

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import func, insert, select
from sqlmodel import Session

from services.levels.restorations.models import restored_days


def lock_restoring(session: Session, program_id: int, member_id: int, campaign: str) -> None:
    """Let one restoration of a member's days happen at a time."""
    key = func.hashtextextended(f"levels restorations {program_id} {member_id} {campaign}", 0)
    session.execute(select(func.pg_advisory_xact_lock(key)))


def count_restored(session: Session, program_id: int, member_id: int, campaign: str, since: date) -> int:
    """How many of the member's days since then were given back."""
    c = restored_days.c
    mine = (c.program_id == program_id, c.member_id == member_id, c.campaign == campaign, c.day >= since)
    return int(session.execute(select(func.count()).where(*mine)).scalar_one())


def add_restored_days(
    session: Session,
    program_id: int,
    member_id: int,
    campaign: str,
    days: Sequence[date],
    *,
    at: datetime,
    by: str,
    reason: str,
) -> None:
    """Keep which days were given back, by whom and why."""
    key = {"program_id": program_id, "member_id": member_id, "campaign": campaign}
    said = {"restored_at": at, "restored_by": by, "reason": reason}
    session.execute(insert(restored_days), [{**key, "day": day, **said} for day in days])
