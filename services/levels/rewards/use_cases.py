"""Handing out."""

from sqlmodel import Session

from common import feed as facts
from services.levels.badges import use_cases as badges
from services.levels.badges.domain import Award
from services.levels.database import feed
from services.levels.reward import BadgePart, Grant, to_json
from services.levels.rewards import repository


def grant(session: Session, grants: list[Grant]) -> int:
    """Hand out each grant once for ever; returns how many were new.

    Our own badges are put on at once, the owners of the other parts learn of them by the fact `reward.granted`.
    """
    added = repository.add_grants(session, grants) if grants else []
    facts.append_many(session, feed, "reward.granted", [(g.program_id, g.member_id, _payload(g)) for g in added])
    badges.award(
        session,
        [
            Award(g.program_id, g.member_id, part.badge, g.grant_id, g.cause, g.at)
            for g in added
            for part in g.reward
            if isinstance(part, BadgePart)
        ],
    )
    return len(added)


def _payload(granted: Grant) -> dict[str, object]:
    return {
        "grant_id": granted.grant_id,
        "reward": to_json(granted.reward),
        "cause": granted.cause,
        "rule": granted.rule,
        "at": granted.at.isoformat(),
    }
