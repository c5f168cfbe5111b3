"""A replay under way, as values: two sets of rules, what each came to so far, and what is remembered for later events.

What is remembered from event to event is small: open cap windows, budgets, and orders that were refunded. Pure.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

from services.points.backtests.verdicts import Bench
from services.points.rules.domain import RuleSet

_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


class Recorded(NamedTuple):
    """One event as intake recorded it.

    `counted` is false for a payment or confirmation that its order was not awarded for (it is paid once, traps T35),
    `refunded` is whether any refund of the order ever came.
    """

    time: datetime
    source: str
    id: str
    type: str
    member_id: int
    data: dict[str, Any]
    counted: bool = True
    refunded: bool = True


@dataclass(slots=True)
class Granted:
    """One award of an order that was refunded, and how much of it was taken back so far."""

    rule: str
    asset: str
    at: datetime
    amount: int
    reversed: int = 0
    variant: str | None = None


@dataclass(slots=True)
class RefundedOrder:
    """What a run remembers of an order with refunds; `awards` are those of the live set, and of the candidate."""

    refunded_fen: int = 0
    refunds: list[str] = field(default_factory=list)
    paid_fen: int | None = None
    awards: tuple[list[Granted], list[Granted]] = field(default_factory=lambda: ([], []))


@dataclass(slots=True)
class RuleFigures:
    """What one rule came to: awards, what they gave, what refunds took back, and how often which limit cut it.

    `variants` of its experiment: awards, and what they gave net of refunds.
    """

    asset: str
    awards: int = 0
    awarded: int = 0
    taken_back: int = 0
    cut: dict[str, int] = field(default_factory=dict)
    withheld: int = 0
    budget_spent_at: str | None = None
    variants: dict[str, list[int]] = field(default_factory=dict)

    def count(self, variant: str | None, *, awards: int, amount: int) -> None:
        """Count what members of a variant were awarded, or had taken back."""
        if variant is not None:
            counted = self.variants.setdefault(variant, [0, 0])
            counted[0] += awards
            counted[1] += amount


@dataclass(slots=True)
class Side:
    """One set of rules on its way through the events. `used` is by cap window, then by rule and member (or `*`)."""

    rules: RuleSet
    groups: Mapping[str, str]
    used: dict[str, dict[str, int]] = field(default_factory=dict)
    figures: dict[str, RuleFigures] = field(default_factory=dict)
    days: dict[str, dict[str, int]] = field(default_factory=dict)


@dataclass(slots=True)
class Replay:
    """Both sets on their way, at the business day `today`, and what was really awarded meanwhile.

    `members` is what members got since the replay was last packed: `(member, asset) -> [now, candidate]`. `recorded` is
    awards and net amount by business day, rule and asset: `"2026-05-03 order points" -> [3, 300]`.
    """

    program_id: int
    time_zone: str
    since: datetime
    live: Side
    candidate: Side
    benches: dict[str, Bench]
    orders: dict[str, RefundedOrder] = field(default_factory=dict)
    members: dict[tuple[int, str], list[int]] = field(default_factory=dict)
    recorded: dict[str, list[int]] = field(default_factory=dict)
    today: str = ""
    tomorrow: datetime = _LONG_AGO

    @property
    def sides(self) -> tuple[Side, Side]:
        """The live set, and the candidate."""
        return self.live, self.candidate

    def note_recorded(self, day: str, rule: str, asset: str, awards: int, amount: int) -> None:
        """What a rule really awarded on a day; `amount` is less than nothing for what refunds took back."""
        figures = self.recorded.setdefault(f"{day} {rule} {asset}", [0, 0])
        figures[0] += awards
        figures[1] += amount
