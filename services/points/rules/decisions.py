"""What rules are asked, and what they answer: values. Pure."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from services.points.audiences.domain import NOBODY, Membership
from services.points.rules.rule import HOWEVER_OFTEN, Cap, Frequency, Rule


@dataclass(frozen=True, slots=True)
class PublishedRule:
    """One immutable version of a rule; `version_id` is what entries carry. A draft on trial has neither."""

    code: str
    version: int | None
    version_id: int | None
    rule: Rule


# Facts and decisions are made for every event; a frozen dataclass takes five times as long to make.
class Facts(NamedTuple):
    """What rules are asked about: an event, and who its member was at that instant."""

    type: str
    time: datetime
    data: dict[str, Any]
    member: Membership = NOBODY


class Decision(NamedTuple):
    """What one rule decided for one event, and why: the answer to "why" and "why not".

    `base` is what the rule itself gives, `factor` (decimal text) what the `campaign` multiplied it by, `wanted` the
    floor of their product when its group lets it stand; `amount` is what is awarded in the end, after caps and budget.
    `variant` is the member's of the rule's experiment, where its formula was asked.
    """

    rule: str
    version: int | None
    version_id: int | None
    asset: str
    wanted: int
    amount: int
    reason: str
    validity: str | None = None
    pending: str | None = None
    base: int = 0
    factor: str | None = None
    campaign: str | None = None
    caps: tuple[Cap, ...] = ()
    budget: int | None = None
    frequency: Frequency = HOWEVER_OFTEN
    variant: str | None = None
