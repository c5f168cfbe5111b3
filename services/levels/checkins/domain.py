"""The rules of check-ins: which day of the table it is, how long a streak runs, which milestones it reaches."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from common.errors import Refusal
from services.levels.reward import Reward

#: How a campaign's day table is walked. `once-from-enrolment`: the member's first days only (首周签到, P1);
#: `week-from-enrolment`: begins anew after seven days; `streak`: by the length of the streak, anew after its end.
CYCLES = ("once-from-enrolment", "week-from-enrolment", "streak")
_WEEK = 7


class UnknownCampaign(Refusal):
    """The program has no such check-in campaign."""

    code = "campaign_not_found"


class WeekNeedsSevenDays(Refusal):
    """A weekly table has seven days."""

    code = "week_needs_seven_days"


class MilestonesNotAscending(Refusal):
    """Milestones are listed by streak, each streak once."""

    code = "milestones_not_ascending"


class FallbackWithoutStock(Refusal):
    """A fallback is for a milestone with a stock, and such a milestone needs one."""

    code = "fallback_without_stock"


class StockBelowTaken(Refusal):
    """More of a milestone's reward has been given already than the new stock allows."""

    code = "stock_below_taken"


class NotMissed(Refusal):
    """On one of the days the member checked in, or it was restored before."""

    code = "day_not_missed"


class NothingToRestore(Refusal):
    """The days do not go on from a check-in: there was no streak that they broke."""

    code = "nothing_to_restore"


@dataclass(frozen=True, slots=True)
class Milestone:
    """`reward` once per member and campaign when a streak reaches `streak` days; when `stock` is gone, `fallback`."""

    streak: int
    reward: Reward
    stock: int | None = None
    fallback: Reward = ()


@dataclass(frozen=True, slots=True)
class Campaign:
    """A published version of a check-in campaign."""

    code: str
    version: int
    name_en: str
    name_zh: str
    cycle: str
    day_table: tuple[Reward, ...]
    milestones: tuple[Milestone, ...]


@dataclass(frozen=True, slots=True)
class Tap:
    """A member wants to check in to a campaign."""

    program_id: int
    member_id: int
    campaign: str


@dataclass(frozen=True, slots=True)
class CheckIn:
    """A member's check-in of one business day, as the campaign version of then rewarded it."""

    program_id: int
    member_id: int
    campaign: str
    day: date
    at: datetime
    version: int
    reward: Reward

    @property
    def tap(self) -> Tap:
        """What it answered."""
        return Tap(self.program_id, self.member_id, self.campaign)

    @property
    def grant_id(self) -> str | None:
        """The id of its grant, the same however often it is asked for; none on a day without reward."""
        return f"levels:checkin:{self.campaign}:{self.member_id}:{self.day}" if self.reward else None


@dataclass(frozen=True, slots=True)
class Reached:
    """A milestone that a member has reached and that is still to be handed out."""

    program_id: int
    member_id: int
    campaign: str
    streak: int
    version: int
    day: date
    at: datetime

    @property
    def grant_id(self) -> str:
        """Once per member and campaign."""
        return f"levels:streak:{self.campaign}:{self.member_id}:{self.streak}"


@dataclass(frozen=True, slots=True)
class Mark:
    """A milestone as the member's calendar shows it: `gift` is None while it is due, False when the stock was gone."""

    streak: int
    day: date
    gift: bool | None


def check_campaign(campaign: Campaign) -> None:
    """Raise unless table and milestones make sense."""
    if campaign.cycle == "week-from-enrolment" and len(campaign.day_table) != _WEEK:
        raise WeekNeedsSevenDays(days=len(campaign.day_table))
    streaks = [milestone.streak for milestone in campaign.milestones]
    if streaks != sorted(set(streaks)):
        raise MilestonesNotAscending()
    for milestone in campaign.milestones:
        if (milestone.stock is None) != (not milestone.fallback):
            raise FallbackWithoutStock(streak=milestone.streak)


def day_reward(campaign: Campaign, *, enrolled_on: date, day: date, streak: int) -> Reward:
    """What a check-in on `day` gives; the enrolment day is D1 (P1). Empty after the table of a first week."""
    table = campaign.day_table
    if campaign.cycle == "streak":
        return table[(streak - 1) % len(table)]
    index = (day - enrolled_on).days
    if campaign.cycle == "week-from-enrolment":
        return table[index % _WEEK]
    return table[index] if index < len(table) else ()


def streak_on(day: date, run_start: date | None, run_end: date | None) -> int:
    """The streak as it stands on `day`: the days of the last run if it ended today or yesterday, else 0 (T6)."""
    if run_start is None or run_end is None or run_end < day - timedelta(days=1):
        return 0
    return (run_end - run_start).days + 1


def reached(campaign: Campaign, streak: int) -> list[Milestone]:
    """The milestones that a streak has reached: at the number itself and above it."""
    return [milestone for milestone in campaign.milestones if streak >= milestone.streak]


def find_milestone(campaign: Campaign, streak: int) -> Milestone:
    """The campaign's milestone of that streak."""
    return next(milestone for milestone in campaign.milestones if milestone.streak == streak)


def allot(waiting: Sequence[Reached], left: int) -> list[tuple[Reached, bool]]:
    """Who gets the gift: the first `left` in the order in which they reached it; the others the fallback (P2)."""
    order = sorted(waiting, key=lambda one: (one.at, one.member_id))
    return [(one, place < left) for place, one in enumerate(order)]
