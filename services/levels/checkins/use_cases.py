"""Publishing a check-in campaign, checking in, and handing out what streaks reach."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import groupby

from sqlmodel import Session

from services.levels.badges import use_cases as badges
from services.levels.checkins import domain, repository, taps_repository
from services.levels.checkins.domain import (
    Campaign,
    CheckIn,
    Mark,
    Milestone,
    NothingToRestore,
    NotMissed,
    Reached,
    StockBelowTaken,
)
from services.levels.checkins.tapping import Tapped as Tapped
from services.levels.checkins.tapping import check_in as check_in
from services.levels.programs import use_cases as programs
from services.levels.reward import Grant, Reward, badges_of
from services.levels.rewards import use_cases as rewards


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


def give_back(
    session: Session, *, program_id: int, member_id: int, campaign: str, days: Sequence[date], now: datetime
) -> int:
    """Let missed days in a row stand as check-ins that reward nothing and are told to nobody; returns the streak now.

    The caller lets this happen once at a time for a member. A milestone that is reached by it comes with the next tap.
    Raises `UnknownCampaign`, `NothingToRestore`, `NotMissed`.
    """
    terms, mine = repository.get_campaign(session, program_id, campaign), (program_id, member_id, campaign)
    before = days[0] - timedelta(days=1)
    if not repository.list_checkins(session, *mine, before, before):
        raise NothingToRestore(day=str(before))
    if there := repository.list_checkins(session, *mine, days[0], days[-1]):
        raise NotMissed(day=str(there[0].day))
    taps_repository.add_checkins(session, [CheckIn(*mine, day, now, terms.version, ()) for day in days])
    today = programs.today(session, program_id, now)
    return domain.streak_on(today, *repository.find_run(session, *mine))


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
