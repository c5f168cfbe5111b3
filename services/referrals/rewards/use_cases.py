"""Granting and reversing, each a fact for the owners of what is handed out."""

from datetime import datetime

from sqlmodel import Session

from common import feed as facts
from services.referrals.database import feed
from services.referrals.rewards import repository
from services.referrals.rewards.domain import Grant


def grant(session: Session, what: Grant) -> None:
    """Hand out once: a grant id used before is a defect of the caller and breaks the transaction."""
    repository.add_grant(session, what)
    payload = {
        "grant_id": what.grant_id,
        "reward": what.reward,
        "cause": what.cause,
        "rule": what.rule,
        "at": what.at.isoformat(),
    }
    facts.append(session, feed, "reward.granted", program_id=what.program_id, member_id=what.member_id, payload=payload)


def reverse(session: Session, *, program_id: int, member_id: int, grant_id: str, cause: str, at: datetime) -> None:
    """Take back the whole of a grant, once; what was never granted, or is reversed already, needs nothing."""
    key = {"program_id": program_id, "member_id": member_id}
    if not repository.mark_reversed(session, **key, grant_id=grant_id, cause=cause, at=at):
        return
    payload = {
        "grant_id": grant_id,
        "reversal_id": f"{grant_id}:reversal",
        "numerator": 1,
        "denominator": 1,
        "cause": cause,
        "at": at.isoformat(),
    }
    facts.append(session, feed, "reward.reversed", **key, payload=payload)
