"""Describing badges, earning them, and taking them back."""

from collections.abc import Iterable
from datetime import datetime

import structlog
from sqlmodel import Session

from common import feed as facts
from services.levels.badges import repository
from services.levels.badges.domain import (
    Award,
    Badge,
    BadgeGrant,
    BadgeNotHeld,
    HeldBadge,
    TakenBack,
    UnknownBadge,
    period_of,
)
from services.levels.database import feed
from services.levels.programs import use_cases as programs

log = structlog.get_logger()


def describe(session: Session, *, program_id: int, badge: Badge, by: str, now: datetime) -> Badge:
    """Put a badge into the catalogue or change it; badges already earned keep their period."""
    repository.put_badge(session, program_id, badge, by=by, now=now)
    return badge


def list_catalogue(session: Session, *, program_id: int) -> list[Badge]:
    """Every badge of the program."""
    return repository.list_badges(session, program_id)


def require(session: Session, *, program_id: int, codes: Iterable[str]) -> None:
    """Raise `UnknownBadge` for the first code that the catalogue has not: nobody may promise it."""
    wanted = sorted(set(codes))
    known = repository.find_periods(session, [(program_id, code) for code in wanted]) if wanted else {}
    for code in wanted:
        if (program_id, code) not in known:
            raise UnknownBadge(badge=code)


def award(session: Session, awards: list[Award]) -> None:
    """Apply the badge parts of grants, each once per grant id; a badge is held once per member and period.

    A badge that the catalogue does not describe (a neighbour granted it) is earned all the same, once for ever.
    """
    if not awards:
        return
    dated = _dated(session, awards)
    new = repository.add_grants(session, dated)
    earned: dict[repository.Key, Award] = {}
    for one, period in sorted(dated, key=lambda pair: pair[0].at):
        if (one.program_id, one.member_id, one.grant_id, one.badge) in new:
            earned.setdefault((one.program_id, one.member_id, one.badge, period), one)
    if not earned:
        return
    held_now = repository.hold(session, {key: one.at for key, one in earned.items()})
    facts.append_many(
        session,
        feed,
        "badge.earned",
        [
            (one.program_id, one.member_id, {"badge": one.badge, "grant_id": one.grant_id, "at": one.at.isoformat()})
            for key, one in earned.items()
            if key in held_now
        ],
    )


def take_back(session: Session, reversed_: list[TakenBack], *, now: datetime) -> None:
    """Revoke the badges of grants that were reversed as a whole; a badge stays while another grant supports it."""
    touched = repository.revoke_grants(session, reversed_, now)
    repository.let_go(session, touched, now)


def revoke(
    session: Session, *, program_id: int, member_id: int, badge: str, reason: str, by: str, now: datetime
) -> list[BadgeGrant]:
    """Take a badge from a member, by staff, with a reason; returns its history. Raises `BadgeNotHeld`."""
    touched = repository.revoke_badge(session, program_id, member_id, badge, by=by, reason=reason, now=now)
    if not touched:
        raise BadgeNotHeld(badge=badge)
    repository.let_go(session, touched, now)
    return [line for line in history(session, program_id=program_id, member_id=member_id) if line.badge == badge]


def held(session: Session, *, program_id: int, member_id: int) -> list[HeldBadge]:
    """What the member holds now."""
    return repository.list_held(session, program_id, member_id)


def history(session: Session, *, program_id: int, member_id: int) -> list[BadgeGrant]:
    """Everything the member was given, and what was revoked, by whom and why."""
    return repository.list_history(session, program_id, member_id)


def _dated(session: Session, awards: list[Award]) -> list[tuple[Award, str]]:
    known = repository.find_periods(session, [(one.program_id, one.badge) for one in awards])
    zones = programs.time_zones(session, [one.program_id for one in awards])
    for program_id, badge in sorted({(one.program_id, one.badge) for one in awards} - known.keys()):
        log.warning("badge_not_in_catalogue", program_id=program_id, badge=badge)
    return [
        (one, period_of(known.get((one.program_id, one.badge), "ever"), one.at, zones[one.program_id]))
        for one in awards
    ]
