"""Giving days back."""

from datetime import date, datetime, timedelta

from sqlmodel import Session

from services.levels.checkins import use_cases as checkins
from services.levels.programs import use_cases as programs
from services.levels.restorations import domain, repository
from services.levels.restorations.domain import Restoration


def restore(
    session: Session,
    *,
    program_id: int,
    member_id: int,
    campaign: str,
    first: date,
    last: date,
    reason: str,
    by: str,
    now: datetime,
) -> Restoration:
    """Give missed days back to a member, by staff, with a reason: the streak goes on, the days reward nothing (H5).

    Raises `RestorationTooLarge`, `UnknownCampaign`, `NothingToRestore`, `NotMissed`.
    """
    days = [first + timedelta(days=passed) for passed in range((last - first).days + 1)]
    today, mine = programs.today(session, program_id, now), (program_id, member_id, campaign)
    repository.lock_restoring(session, *mine)
    domain.check(days, today=today, restored=repository.count_restored(session, *mine, domain.earliest(today)))
    streak = checkins.give_back(
        session, program_id=program_id, member_id=member_id, campaign=campaign, days=days, now=now
    )
    repository.add_restored_days(session, *mine, days, at=now, by=by, reason=reason)
    return Restoration(campaign, days, now, by, reason, streak)
