"""How much of a streak may be given back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from common.errors import Refusal

#: So many days of a campaign may a member be given back within so many days.
MOST_DAYS, WITHIN_DAYS = 7, 31


class RestorationTooLarge(Refusal):
    """The days are not over, too long ago, or more than a member may be given."""

    code = "restoration_too_large"


@dataclass(frozen=True, slots=True)
class Restoration:
    """Days that were given back to a member, by whom and why; `streak` is as it stood after it."""

    campaign: str
    days: list[date]
    restored_at: datetime
    restored_by: str
    reason: str
    streak: int


def earliest(today: date) -> date:
    """The first day that can be given back, and since which they are counted."""
    return today - timedelta(days=WITHIN_DAYS)


def check(days: Sequence[date], *, today: date, restored: int) -> None:
    """Raise `RestorationTooLarge` unless all days are over and recent; `restored` are those given since `earliest`.

    It repairs an accident: at most a week of days in any month, so that no streak is made of them.
    """
    if days[-1] >= today or days[0] < earliest(today) or restored + len(days) > MOST_DAYS:
        raise RestorationTooLarge(most=MOST_DAYS, within=WITHIN_DAYS, left=MOST_DAYS - restored)
