"""Transfers: a member gives to another, one posting with an entry on either side, Σ = 0 (field.md B18, trap T26)."""

from services.points.ledger import lots
from services.points.ledger.domain import Account, Gift, Kind, Line, Movement
from services.points.ledger.movements import check_can_give, check_range, credit, keep_alive, room
from services.points.ledger.refusals import TransferCapped, TransferDayCapped, TransferForbidden, TransferToSelf
from services.points.programs.validity import IDLE


def transfer(
    payer: Account, receiver: Account, line: Line, gift: Gift, *, given_today: int
) -> tuple[Movement, Movement]:
    """Give, soonest expiry first; lots keep their days, and pay the receiver's debt first.

    Raises `TransferToSelf`, `TransferForbidden`, `TransferCapped`, `TransferDayCapped`, `AccountFrozen` (of the payer;
    a frozen receiver receives), `InsufficientPoints`, `BalanceTooLarge`, `BalanceCapped` (of the receiver).
    """
    if payer.member_id == receiver.member_id:
        raise TransferToSelf()
    if not gift.allowed:
        raise TransferForbidden()
    if gift.most is not None and line.amount > gift.most:
        raise TransferCapped()
    if gift.most_per_day is not None and given_today + line.amount > gift.most_per_day:
        raise TransferDayCapped()
    check_can_give(payer, line.amount)
    check_range(receiver.balance + line.amount)
    if line.bounds is not None:
        room(receiver, line.amount, line.bounds)
    taken = lots.take(payer.lots, line.amount)
    out = Movement(Kind.TRANSFER_OUT, -line.amount, moves=taken, meta={"to_member_id": receiver.member_id})
    if payer.idle_day is not None and IDLE in taken[::2]:
        keep_alive(receiver, payer.idle_day)
    given = credit(receiver, lots.stretch(taken, 0, line.amount))
    return out, Movement(Kind.TRANSFER_IN, line.amount, moves=given, meta={"from_member_id": payer.member_id})
