"""Checking in: whoever taps at the same time is looked at, written and rewarded together."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlmodel import Session

from common import feed as facts
from common.clock import business_day
from services.levels import wakeups
from services.levels.checkins import domain, repository, taps_repository
from services.levels.checkins.domain import Campaign, CheckIn, Reached, Tap
from services.levels.checkins.taps_repository import Seen
from services.levels.database import feed
from services.levels.programs import use_cases as programs
from services.levels.reward import Grant, Reward
from services.levels.rewards import use_cases as rewards


@dataclass(frozen=True, slots=True)
class Tapped:
    """The answer to a tap: the day's check-in, the streak it stands in, and whether it was there already."""

    campaign: str
    day: date
    at: datetime
    reward: Reward
    grant_id: str | None
    streak: int
    repeated: bool


@dataclass(frozen=True, slots=True)
class _Made:
    """A check-in that is to be written, under the terms of then, and the streak it makes."""

    checkin: CheckIn
    terms: Campaign
    streak: int


def check_in(session: Session, taps: Sequence[Tap], *, now: datetime) -> list[Tapped]:
    """Check in for the business day of `now`; a second tap on it finds the first (P1, T4), also in the same list.

    Raises `UnknownCampaign`.
    """
    terms = repository.get_campaigns(session, {(tap.program_id, tap.campaign) for tap in taps})
    zones = programs.time_zones(session, [tap.program_id for tap in taps])
    days = {program_id: business_day(now, zone) for program_id, zone in zones.items()}
    seen = taps_repository.look(session, set(taps), days)
    made = {
        tap: _made(tap, terms[tap.program_id, tap.campaign], one, days[tap.program_id], now)
        for tap, one in seen.items()
        if one.checkin is None
    }
    added = taps_repository.add_checkins(session, [one.checkin for one in made.values()]) if made else set()
    _follow(session, [one for tap, one in made.items() if tap in added])
    if len(added) < len(made):
        # Twins in flight elsewhere were faster, and are there to be found by now.
        seen |= taps_repository.look(session, made.keys() - added, days)
    answers = []
    for tap in taps:
        if tap in added:
            added.remove(tap)
            answers.append(_tapped(made[tap].checkin, made[tap].streak, repeated=False))
        elif (earlier := seen[tap].checkin) is not None:
            streak = domain.streak_on(earlier.day, seen[tap].run_start, seen[tap].run_end)
            answers.append(_tapped(earlier, streak, repeated=True))
        else:
            answers.append(_tapped(made[tap].checkin, made[tap].streak, repeated=True))
    return answers


def _made(tap: Tap, terms: Campaign, seen: Seen, day: date, now: datetime) -> _Made:
    streak = domain.streak_on(day, seen.run_start, seen.run_end) + 1
    reward = domain.day_reward(terms, enrolled_on=seen.enrolled_on or day, day=day, streak=streak)
    return _Made(CheckIn(tap.program_id, tap.member_id, tap.campaign, day, now, terms.version, reward), terms, streak)


def _tapped(checkin: CheckIn, streak: int, *, repeated: bool) -> Tapped:
    return Tapped(checkin.campaign, checkin.day, checkin.at, checkin.reward, checkin.grant_id, streak, repeated)


def _follow(session: Session, made: Sequence[_Made]) -> None:
    """What follows from new check-ins: their facts, their days' rewards, and the milestones they reached."""
    facts.append_many(session, feed, "checkin.recorded", [_fact(one.checkin, one.streak) for one in made])
    rewards.grant(session, [grant for one in made if (grant := _grant(one.checkin))])
    marks = [
        Reached(it.program_id, it.member_id, it.campaign, milestone.streak, it.version, it.day, it.at)
        for it, terms, streak in ((one.checkin, one.terms, one.streak) for one in made)
        for milestone in domain.reached(terms, streak)
    ]
    if marks and taps_repository.add_milestones(session, marks):
        wakeups.ask(session, "grant_milestones")


def _fact(checkin: CheckIn, streak: int) -> tuple[int, int | None, dict[str, Any]]:
    told = {"campaign": checkin.campaign, "day": str(checkin.day), "streak": streak}
    return checkin.program_id, checkin.member_id, told


def _grant(checkin: CheckIn) -> Grant | None:
    if checkin.grant_id is None:
        return None
    cause = f"checkin:{checkin.campaign}:{checkin.day}"
    rule = f"checkin:{checkin.campaign}:{checkin.version}"
    return Grant(checkin.program_id, checkin.member_id, checkin.grant_id, checkin.reward, cause, rule, checkin.at)
