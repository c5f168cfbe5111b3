"""What points are worth at the till, how many of them an order takes, and what a refund gives back. Pure.

Requirements P6, M9 (points come last, after every other discount), field.md B26. Money in 分. A point's worth is an
exact rate; whatever is computed from it is rounded down, so that a deduction never exceeds what its points are worth.
"""

from dataclasses import dataclass
from enum import StrEnum

from common.errors import Refusal
from services.points.ledger.refusals import InsufficientPoints


class NoPolicy(Refusal):
    """The program takes no points at the till: nobody has set a policy."""

    code = "no_deduction_policy"


class NotDeductible(Refusal):
    """The policy does not let exactly these points be deducted: `most` could be, because of the cap `because`."""

    code = "not_deductible"


class TooFewPoints(InsufficientPoints):
    """The member has not so many points available."""


class OtherDeduction(Refusal):
    """The order has a deduction already, of another amount: `points`, `state`."""

    code = "order_already_deducted"


class DeductionEnded(Refusal):
    """The deduction is not open any more: `state`."""

    code = "deduction_ended"


class AlreadyCaptured(Refusal):
    """The deduction was captured: it can be refunded, not given up."""

    code = "deduction_captured"


class NotCaptured(Refusal):
    """Only what was captured can be refunded: `state`."""

    code = "deduction_not_captured"


class OrderChanged(Refusal):
    """The order's amount is not the one that the deduction was made for: `order_fen`."""

    code = "order_amount_changed"


class RefundTooLarge(Refusal):
    """Together with earlier refunds more than the order: `left_fen`."""

    code = "refund_too_large"


class RefundReused(Refusal):
    """This refund was recorded before, of another amount: `refunded_fen`."""

    code = "refund_reused"


class Limit(StrEnum):
    """What can keep a deduction small."""

    BALANCE = "balance"
    WANTED = "wanted"
    PERCENT = "most_percent"
    POINTS = "most_points"
    SPENDING = "spending_limits"
    LEAST_CASH = "least_cash_fen"
    STEP = "step"
    LEAST_POINTS = "least_points"


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A program's policy: `points` points are `fen` 分, exactly.

    At most `most_percent` of the order and `most_points` an order; `least_cash_fen` is left to be paid in money;
    points go by the `step`, and nobody deducts fewer than `least_points`.
    """

    asset: str
    points: int
    fen: int
    most_percent: int = 100
    most_points: int | None = None
    least_cash_fen: int = 1
    step: int = 1
    least_points: int = 1

    def worth(self, points: int) -> int:
        """In 分, rounded down."""
        return points * self.fen // self.points


@dataclass(frozen=True, slots=True)
class Cap:
    """One limit: so many points at most by it alone; `bites` when none is lower."""

    limit: Limit
    most_points: int
    bites: bool


@dataclass(frozen=True, slots=True)
class Quote:
    """The most points that an order takes, what they deduct, and what is left to pay: deducted + cash = order."""

    points: int
    deducted_fen: int
    cash_fen: int
    caps: list[Cap]

    @property
    def because(self) -> Limit:
        """The first limit that bites."""
        return next(cap.limit for cap in self.caps if cap.bites)


@dataclass(frozen=True, slots=True)
class Back:
    """What one refund gives back: points, and the 分 that they had deducted; `cash_fen` is the rest of the refund."""

    points: int
    deducted_fen: int
    cash_fen: int


def quote(
    policy: Policy,
    *,
    order_fen: int,
    available: int | None = None,
    spendable: int | None = None,
    wanted: int | None = None,
) -> Quote:
    """The most that may be deducted from the order, by every cap at once; each cap says how much it alone would allow.

    `available` None leaves the member's balance out, `spendable` the limits of the asset. Points that would deduct
    nothing more are not taken: at 100 points a 分, 250 points deduct 2 分, and 200 do the same.
    """
    given = {
        Limit.POINTS: policy.most_points,
        Limit.BALANCE: available,
        Limit.SPENDING: spendable,
        Limit.WANTED: wanted,
    }
    tops = _tops(policy, order_fen) | {limit: most for limit, most in given.items() if most is not None}
    lowest = min(tops.values())
    stepped = lowest - lowest % policy.step
    points = _least_for(policy, stepped) if stepped >= policy.least_points else 0
    caps = [Cap(limit, top, top == lowest) for limit, top in tops.items()]
    if not points:
        caps.append(Cap(Limit.LEAST_POINTS, 0, True))
    elif points < lowest:
        caps.append(Cap(Limit.STEP, points, False))
    deducted = policy.worth(points)
    return Quote(points, deducted, order_fen - deducted, caps)


def check_deductible(policy: Policy, *, order_fen: int, points: int) -> Quote:
    """The quote of exactly these points, the member's balance aside. Raises `NotDeductible`."""
    found = quote(policy, order_fen=order_fen, wanted=points)
    if found.points != points:
        because = found.because
        if because == Limit.WANTED:
            because = Limit.STEP if found.points else Limit.LEAST_POINTS
        raise NotDeductible(most=found.points, because=because.value)
    return found


def give_back(*, points: int, deducted_fen: int, order_fen: int, refunded_before: int, refunded_fen: int) -> Back:
    """What this refund gives back of a deduction, in proportion to the order, so that the last part takes the rest.

    After any refunds together `points × refunded / order`, rounded down, is back; at the whole order, all of it. The
    same holds for the 分. Raises `RefundTooLarge`.
    """
    after = refunded_before + refunded_fen
    if after > order_fen:
        raise RefundTooLarge(left_fen=order_fen - refunded_before)
    back_points = points * after // order_fen - points * refunded_before // order_fen
    back_fen = deducted_fen * after // order_fen - deducted_fen * refunded_before // order_fen
    return Back(back_points, back_fen, refunded_fen - back_fen)


def _tops(policy: Policy, order_fen: int) -> dict[Limit, int]:
    return {
        Limit.PERCENT: _points_worth(policy, order_fen * policy.most_percent // 100),
        Limit.LEAST_CASH: _points_worth(policy, max(0, order_fen - policy.least_cash_fen)),
    }


def _points_worth(policy: Policy, fen: int) -> int:
    """The most points whose exact worth is not above so many 分."""
    return fen * policy.points // policy.fen


def _least_for(policy: Policy, points: int) -> int:
    """The fewest points, by the step and not below the least, that deduct as much as these do; none for nothing."""
    deducted = policy.worth(points)
    if not deducted:
        return 0
    fewest = -(-deducted * policy.points // policy.fen)
    return max(_up(fewest, policy.step), _up(policy.least_points, policy.step))


def _up(points: int, step: int) -> int:
    return -(-points // step) * step
