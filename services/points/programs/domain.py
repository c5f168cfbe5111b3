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
class Asset:
    """Something countable that members own.

    `debt_allowed`: clawback beyond what is there becomes debt. `scale`: how many of its digits stand behind the point
    when it is shown (2 for money in 分). `grace_days`: lots that come back dead are good for so many days more.
    `transfer_most` bounds one gift, `transfer_most_per_day` a member's gifts of one business day, `most_per_member`
    what a member may have by earning and gifts, held and pending included; None is no bound. `returns` says what an
    order's refund takes back of what its order earned: what is `available` too, or only what is still `pending`.
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
