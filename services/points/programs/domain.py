"""Programs and assets as values. What their settings may say is in `validity` and `pending`."""

from dataclasses import dataclass

from common.errors import Refusal


class UnknownProgram(Refusal):
    """Nobody has configured this program yet."""

    code = "program_not_configured"


class UnknownAsset(Refusal):
    """The program has no such asset."""

    code = "asset_not_found"


@dataclass(frozen=True, slots=True)
class Program:
    """One brand's program: business days are cut in `time_zone`, money counts minor units of `currency`."""

    program_id: int
    name: str
    time_zone: str
    currency: str


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that one posting may be, and all of a member within a calendar period of the program; None: no bound."""

    posting: int | None = None
    day: int | None = None
    week: int | None = None
    month: int | None = None
    year: int | None = None

    @property
    def periods(self) -> tuple[tuple[str, int], ...]:
        """The periods that have a bound, the shortest first."""
        each = ("day", self.day), ("week", self.week), ("month", self.month), ("year", self.year)
        return tuple((period, most) for period, most in each if most is not None)


@dataclass(frozen=True, slots=True)
class Asset:
    """Something countable that members own.

    `debt_allowed`: clawback beyond what is there becomes debt. `scale`: how many of its digits stand behind the point
    when it is shown (2 for money in 分). `grace_days`: lots that come back dead are good for so many days more.
    `transfer_most` bounds one gift, `transfer_most_per_day` a member's gifts of one business day, `most_per_member`
    what a member may have by earning and gifts, held and pending included; None is no bound. `returns` says what an
    order's refund takes back of what its order earned: what is `available` too, or only what is still `pending`.
    `earning_limits` and `spending_limits` bound what is earned and spent at once and within a period.
    """

    program_id: int
    id: int
    code: str
    name_en: str
    name_zh: str
    debt_allowed: bool
    validity: str
    unit_en: str = ""
    unit_zh: str = ""
    scale: int = 0
    pending: str = "none"
    grace_days: int = 0
    transferable: bool = False
    transfer_most: int | None = None
    transfer_most_per_day: int | None = None
    most_per_member: int | None = None
    returns: str = "available"
    earning_limits: Limits | None = None
    spending_limits: Limits | None = None

    @property
    def bounds_earnings(self) -> bool:
        """Whether there is a bound of what a member may have or earn of it."""
        return self.most_per_member is not None or self.earning_limits is not None
