"""Publishing a check-in campaign, checking in, and handing out what streaks reach."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import groupby

from sqlmodel import Session

from common import feed as facts
from services.levels import wakeups
from services.levels.badges import use_cases as badges
from services.levels.checkins import domain, repository
from services.levels.checkins.domain import Campaign, CheckIn, Mark, Milestone, Reached, StockBelowTaken
from services.levels.database import feed
from services.levels.programs import use_cases as programs
from services.levels.reward import Grant, Reward, badges_of
from services.levels.rewards import use_cases as rewards


@dataclass(frozen=True, slots=True)
class Tapped:
    """The answer to a tap: the day's check-in, the streak it stands in, and whether it was there already."""

    checkin: CheckIn
    streak: int
    repeated: bool


@dataclass(frozen=True, slots=True)
class Calendar:
    """A member's campaign as a calendar shows it, over the days asked for."""

    campaign: Campaign
    today: date
    streak: int
    enrolled_on: date | None
    checkins: list[CheckIn]
    milestones: list[Mark]


@dataclass(frozen=True, slots=True)
class Streak:
    """How many business days in a row the member has checked in, today or until yesterday."""

    campaign: str
    streak: int
    last_day: date


def publish_campaign(session: Session, *, program_id: int, campaign: Campaign, by: str, now: datetime) -> Campaign:
    """Publish the next version of a campaign; check-ins before it keep what they gave.

    Raises `WeekNeedsSevenDays`, `MilestonesNotAscending`, `FallbackWithoutStock`, `StockBelowTaken`, `UnknownBadge`.
    """
    domain.check_campaign(campaign)
    promised = [*campaign.day_table, *(r for one in campaign.milestones for r in (one.reward, one.fallback))]
    badges.require(session, program_id=program_id, codes=badges_of(promised))
    repository.lock_campaign(session, program_id, campaign.code)
    earlier = repository.find_campaign(session, program_id, campaign.code)
    campaign = replace(campaign, version=earlier.version + 1 if earlier else 1)
    for milestone in campaign.milestones:
        _stock(session, program_id, campaign.code, milestone)
    repository.add_campaign(session, program_id, campaign, by=by, now=now)
    return campaign


def list_campaigns(session: Session, *, program_id: int) -> list[Campaign]:
    """The campaigns in force."""
    return repository.list_campaigns(session, program_id)


def check_in(session: Session, *, program_id: int, member_id: int, campaign: str, now: datetime) -> Tapped:
    """Check in for the business day of `now`; a second tap on it finds the first (P1, T4). Raises `UnknownCampaign`."""
    terms = repository.get_campaign(session, program_id, campaign)
    day = programs.today(session, program_id, now)
    earlier = repository.find_checkin(session, program_id, member_id, campaign, day)
    if earlier:
        return Tapped(earlier, _streak(session, earlier, day), repeated=True)
    enrolled_on = repository.find_enrolment(session, program_id, member_id, campaign) or day
    streak = domain.streak_on(day, *repository.find_run(session, program_id, member_id, campaign)) + 1
    reward = domain.day_reward(terms, enrolled_on=enrolled_on, day=day, streak=streak)
    checkin = CheckIn(program_id, member_id, campaign, day, now, terms.version, reward)
    if not repository.add_checkin(session, checkin):
        return check_in(session, program_id=program_id, member_id=member_id, campaign=campaign, now=now)
    _follow(session, terms, checkin, streak)
    return Tapped(checkin, streak, repeated=False)


def grant_milestones(session: Session, *, now: datetime, limit: int = 500) -> int:
    """Hand out milestones that are due, first come first served where stock is limited; returns how many (P2, T8)."""
    due = repository.lock_due_milestones(session, limit)

    def kind(one: Reached) -> tuple[int, str, int, int]:
        return one.program_id, one.campaign, one.streak, one.version

    for (program_id, code, streak, version), waiting in groupby(sorted(due, key=kind), key=kind):
        terms = repository.get_campaign(session, program_id, code, version)
        milestone = domain.find_milestone(terms, streak)
        gifted, consoled = _share_out(session, program_id, code, milestone, list(waiting))
        rewards.grant(
            session,
            [_grant(one, milestone.reward) for one in gifted] + [_grant(one, milestone.fallback) for one in consoled],
        )
        for outcome, gift in ((gifted, True), (consoled, False)):
            if outcome:
                repository.mark_granted(session, outcome, gift=gift, now=now)
    return len(due)


def calendar(
    session: Session,
    *,
    program_id: int,
    member_id: int,
    campaign: str,
    first: date | None,
    last: date | None,
    now: datetime,
) -> Calendar:
    """The member's days from `first` to `last` (this month when not named), and the streak. Writes nothing (T6)."""
    terms = repository.get_campaign(session, program_id, campaign)
    today = programs.today(session, program_id, now)
    first, last = first or today.replace(day=1), last or today
    run = repository.find_run(session, program_id, member_id, campaign)
    return Calendar(
        terms,
        today,
        domain.streak_on(today, *run),
        repository.find_enrolment(session, program_id, member_id, campaign),
        repository.list_checkins(session, program_id, member_id, campaign, first, last),
        repository.list_milestones(session, program_id, member_id, campaign),
    )


def streaks(session: Session, *, program_id: int, member_id: int, now: datetime) -> list[Streak]:
    """The member's streak in each campaign they ever checked in to."""
    today = programs.today(session, program_id, now)
    runs = repository.list_runs(session, program_id, member_id)
    return [Streak(campaign, domain.streak_on(today, first, last), last) for campaign, first, last in runs]


def _stock(session: Session, program_id: int, campaign: str, milestone: Milestone) -> None:
    if milestone.stock is None:
        return
    _, taken = repository.lock_stock(session, program_id, campaign, milestone.streak)
    if milestone.stock < taken:
        raise StockBelowTaken(streak=milestone.streak, taken=taken)
    repository.put_stock(session, program_id, campaign, milestone.streak, milestone.stock)


def _streak(session: Session, checkin: CheckIn, day: date) -> int:
    return domain.streak_on(day, *repository.find_run(session, checkin.program_id, checkin.member_id, checkin.campaign))


def _follow(session: Session, terms: Campaign, checkin: CheckIn, streak: int) -> None:
    """What follows from a new check-in: its fact, its day's reward, and the milestones it reached."""
    day = str(checkin.day)
    facts.append(
        session,
        feed,
        "checkin.recorded",
        program_id=checkin.program_id,
        member_id=checkin.member_id,
        payload={"campaign": checkin.campaign, "day": day, "streak": streak},
    )
    if checkin.grant_id:
        cause = f"checkin:{checkin.campaign}:{day}"
        rule = f"checkin:{checkin.campaign}:{checkin.version}"
        rewards.grant(
            session,
            [Grant(checkin.program_id, checkin.member_id, checkin.grant_id, checkin.reward, cause, rule, checkin.at)],
        )
    marks = [
        Reached(
            checkin.program_id, checkin.member_id, checkin.campaign, one.streak, terms.version, checkin.day, checkin.at
        )
        for one in domain.reached(terms, streak)
    ]
    if marks and repository.add_milestones(session, marks):
        wakeups.ask(session, "grant_milestones")


def _share_out(
    session: Session, program_id: int, campaign: str, milestone: Milestone, waiting: Sequence[Reached]
) -> tuple[list[Reached], list[Reached]]:
    """Who gets the reward and who the fallback; what is taken from the stock is counted."""
    if milestone.stock is None:
        return list(waiting), []
    stock, taken = repository.lock_stock(session, program_id, campaign, milestone.streak)
    shared = domain.allot(waiting, stock - taken)
    gifted = [one for one, gift in shared if gift]
    if gifted:
        repository.take_stock(session, program_id, campaign, milestone.streak, len(gifted))
    return gifted, [one for one, gift in shared if not gift]


def _grant(one: Reached, reward: Reward) -> Grant:
    cause = f"checkin:{one.campaign}:{one.day}"
    rule = f"checkin:{one.campaign}:{one.version}"
    return Grant(one.program_id, one.member_id, one.grant_id, reward, cause, rule, one.at)
