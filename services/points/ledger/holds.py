"""Holds: lots that cannot be spent, either reserved for a spending or not yet available (docs/adr/0003).

A hold ends once: captured, voided or expired; a pending one is released by time, or reversed wholly.
"""

from common.clock import from_epoch_us
from services.points.ledger import lots
from services.points.ledger.domain import Account, Hold, HoldState, Kind, Line, Movement, Pending, Purpose
from services.points.ledger.movements import check_can_give, check_range, credit
from services.points.ledger.refusals import HoldExceeded, HoldIsPending, HoldNotOpen, NotPending


def hold(account: Account, line: Line, *, now_us: int) -> tuple[Movement, Hold]:
    """Reserve lots until `now + ttl`: an expiring lot cannot break the capture.

    Raises `AccountFrozen`, `InsufficientPoints`.
    """
    check_can_give(account, line.amount)
    moves = lots.take(account.lots, line.amount)
    made = Hold(
        line.posting_id,
        line.member_id,
        line.asset_id,
        line.amount,
        0,
        now_us + line.ttl_us,
        HoldState.OPEN,
        moves,
        grace_days=line.grace_days,
    )
    return Movement(Kind.HOLD, 0, held_delta=line.amount, moves=moves, hold_id=made.id), made


def capture(account: Account, line: Line, held: Hold | None, *, today: int) -> Movement:
    """Spend a hold, wholly or in part, once; the rest returns to its lots. Goes on while the account is frozen.

    Raises `HoldNotOpen`, `HoldIsPending`, `HoldExceeded`.
    """
    held = _open(held)
    amount = line.amount or held.amount
    if amount > held.amount:
        raise HoldExceeded()
    held.state, held.captured = HoldState.CAPTURED, amount
    back = _return(account, held, amount, today=today)
    return Movement(Kind.CAPTURE, -amount, held_delta=-held.amount, moves=back, hold_id=held.id)


def void(account: Account, held: Hold | None, *, today: int) -> Movement:
    """Give a hold up: everything returns to its lots and their days. Raises `HoldNotOpen`, `HoldIsPending`."""
    held = _open(held)
    held.state = HoldState.VOIDED
    return Movement(Kind.VOID, 0, -held.amount, _return(account, held, 0, today=today), hold_id=held.id)


def expire_hold(account: Account, held: Hold, *, today: int) -> Movement:
    """A hold past its deadline: as `void`, but by time. `today` is the deadline's day, whenever it is noticed."""
    held.state = HoldState.EXPIRED
    return Movement(Kind.HOLD_EXPIRED, 0, -held.amount, _return(account, held, 0, today=today), hold_id=held.id)


def earn_pending(account: Account, line: Line, pending: Pending) -> tuple[Movement, Hold]:
    """Credit what becomes available later: it counts in the balance, held until then; debt waits for it too.

    Raises `BalanceTooLarge`.
    """
    check_range(account.balance + line.amount)
    made = Hold(
        line.posting_id,
        line.member_id,
        line.asset_id,
        line.amount,
        0,
        pending.available_us,
        HoldState.OPEN,
        [line.lot_day, -line.amount],
        Purpose.PENDING,
        pending.validity,
    )
    meta = {"available_at": from_epoch_us(pending.available_us).isoformat(), "validity": pending.validity}
    return Movement(Kind.EARN, line.amount, held_delta=line.amount, hold_id=made.id, meta=meta), made


def still_pending(held: Hold | None) -> Hold:
    """The hold itself while it is a pending earning; raises `NotPending`."""
    if held is None or held.purpose != Purpose.PENDING or held.state != HoldState.OPEN:
        raise NotPending()
    return held


def defer(held: Hold, pending: Pending, *, lot_day: int) -> Movement:
    """Move the instant at which a pending earning becomes available, to later or to sooner; its lot's day follows."""
    held.expires_at_us = pending.available_us
    held.moves = [lot_day, -held.amount]
    return Movement(
        Kind.DEFER, 0, hold_id=held.id, meta={"available_at": from_epoch_us(pending.available_us).isoformat()}
    )


def release(account: Account, held: Hold) -> Movement:
    """A pending earning whose time has come: what reversals left of it pays the debt, the rest becomes its lot."""
    held.state = HoldState.RELEASED
    moves = credit(account, lots.stretch(held.moves, 0, held.left))
    return Movement(Kind.RELEASE, 0, -held.left, moves, hold_id=held.id)


def take_back(held: Hold, amount: int) -> None:
    """Let a reversal take so much of a pending earning; when nothing is left of it, it has ended."""
    held.captured += amount
    if not held.left:
        held.state = HoldState.CAPTURED


def _return(account: Account, held: Hold, start: int, *, today: int) -> list[int]:
    back = lots.stretch(held.moves, start, held.amount - start)
    return credit(account, lots.revived(back, today, held.grace_days))


def _open(held: Hold | None) -> Hold:
    if held is None or held.state != HoldState.OPEN:
        raise HoldNotOpen()
    if held.purpose == Purpose.PENDING:
        raise HoldIsPending()
    return held
