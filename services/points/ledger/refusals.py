"""What the ledger refuses, and under which status a refusal is stored."""

from common.errors import Refusal
from services.points.ledger.domain import Status


class InsufficientPoints(Refusal):
    """Less is available than the line takes; answered with the facts `available` and `short_by`."""

    code = "insufficient_points"


class HoldNotOpen(Refusal):
    """The hold was captured, voided or has expired, or never was."""

    code = "hold_not_open"


class HoldExceeded(Refusal):
    """More was to be captured than is held."""

    code = "hold_exceeded"


class HoldIsPending(Refusal):
    """It is a pending earning: nobody can capture or void it, only defer or reverse it."""

    code = "hold_is_pending"


class NotPending(Refusal):
    """There is no such earning that is still pending."""

    code = "not_pending"


class NotReversible(Refusal):
    """There is no such posting, or it is none that can be reversed: only earn, spend and capture can."""

    code = "not_reversible"


class ReversalExceeded(Refusal):
    """Together with earlier reversals more would be reversed than was posted."""

    code = "reversal_exceeded"


class BalanceTooLarge(Refusal):
    """The balance would leave the range that every reader keeps exact."""

    code = "balance_too_large"


class BalanceCapped(Refusal):
    """More than a member may have of the asset, where it cannot be given in part."""

    code = "balance_capped"


class EarningTooLarge(Refusal):
    """More than one posting may earn of the asset: the setting `limit` allows `most`."""

    code = "earning_too_large"


class EarningLimited(Refusal):
    """More than a member may earn within a period, where it cannot be given in part.

    The setting `limit` allows `most`, of which so much is `left` until `free_at`, an instant.
    """

    code = "earning_limited"


class SpendingTooLarge(Refusal):
    """More than one posting may spend of the asset: the setting `limit` allows `most`."""

    code = "spending_too_large"


class SpendingLimited(Refusal):
    """More than a member may spend within a period, open holds included; with the facts of `EarningLimited`."""

    code = "spending_limited"


class AccountFrozen(Refusal):
    """A frozen account spends, holds and gives nothing."""

    code = "account_frozen"


class AlreadyFrozen(Refusal):
    """The account is frozen already."""

    code = "already_frozen"


class NotFrozen(Refusal):
    """The account is not frozen."""

    code = "not_frozen"


class TransferForbidden(Refusal):
    """Members cannot give this asset to each other."""

    code = "transfer_forbidden"


class TransferCapped(Refusal):
    """More than may be given at once."""

    code = "transfer_capped"


class TransferDayCapped(Refusal):
    """More than may be given on one day."""

    code = "transfer_day_capped"


class TransferToSelf(Refusal):
    """Payer and receiver are the same."""

    code = "transfer_to_self"


class UnknownReceiver(Refusal):
    """Nothing was ever posted to that member, who may well be a slip of the pen; not stored, for it may change."""

    code = "receiver_unknown"


class SaleProhibited(Refusal):
    """Members may give points, never sell them (platform-rules.md, Prepaid/stored value; requirements P16)."""

    code = "prohibited"


class LotsNotThere(Refusal):
    """Fewer points than that end on those days and are free: what is held, pending or expired is none of them."""

    code = "lots_not_there"


class DayPassed(Refusal):
    """The last day that lots were to have is over."""

    code = "day_passed"


class NoRoomForLot(Refusal):
    """The account has as many lots as there can be, and none between the two days to join."""

    code = "no_room_for_lot"


class UndoneElsewhere(Refusal):
    """What made the posting keeps account of it and has a way of its own to undo it: `path`. Not stored."""

    code = "undone_elsewhere"


STATUS: dict[type[Refusal], Status] = {
    InsufficientPoints: Status.INSUFFICIENT,
    HoldNotOpen: Status.HOLD_NOT_OPEN,
    HoldExceeded: Status.HOLD_EXCEEDED,
    HoldIsPending: Status.HOLD_IS_PENDING,
    NotPending: Status.NOT_PENDING,
    NotReversible: Status.NOT_REVERSIBLE,
    ReversalExceeded: Status.REVERSAL_EXCEEDED,
    BalanceTooLarge: Status.BALANCE_TOO_LARGE,
    BalanceCapped: Status.BALANCE_CAPPED,
    EarningTooLarge: Status.EARNING_TOO_LARGE,
    EarningLimited: Status.EARNING_LIMITED,
    SpendingTooLarge: Status.SPENDING_TOO_LARGE,
    SpendingLimited: Status.SPENDING_LIMITED,
    AccountFrozen: Status.ACCOUNT_FROZEN,
    AlreadyFrozen: Status.ALREADY_FROZEN,
    NotFrozen: Status.NOT_FROZEN,
    TransferForbidden: Status.TRANSFER_FORBIDDEN,
    TransferCapped: Status.TRANSFER_CAPPED,
    TransferDayCapped: Status.TRANSFER_DAY_CAPPED,
    TransferToSelf: Status.TRANSFER_TO_SELF,
    LotsNotThere: Status.LOTS_NOT_THERE,
    DayPassed: Status.DAY_PASSED,
    NoRoomForLot: Status.NO_ROOM_FOR_LOT,
}
