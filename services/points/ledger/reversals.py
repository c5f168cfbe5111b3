"""Reversals: undoing what an entry really did, wholly or in part; Σ reversals ≤ the original (traps T14, T27, T28)."""

from services.points.ledger import lots
from services.points.ledger.domain import Account, Hold, HoldState, Kind, Line, Movement, Original
from services.points.ledger.holds import take_back
from services.points.ledger.movements import check_range, credit
from services.points.ledger.redatings import restore
from services.points.ledger.refusals import NotPending, NotReversible, ReversalExceeded


def reverse(
    account: Account, line: Line, original: Original | None, pending: Hold | None = None, *, today: int
) -> Movement:
    """Undo an entry; `pending` is the hold of an earning that was not available at once.

    What is still pending of an earning is taken back there. Else its own day's lot comes first, then soonest expiry
    first, then debt where the asset allows it; where not, what is not there stays uncollected, and the entry says how
    much. A spending gives its own lots back with their own days, the latest-taken first; a redating gives them their
    days back. Raises `NotReversible`, `ReversalExceeded`, `BalanceTooLarge`, `LotsNotThere`.
    """
    if original is not None and original.kind == Kind.REDATE:
        return restore(account, line, original, today=today)
    if original is None or original.kind not in (Kind.EARN, Kind.SPEND, Kind.CAPTURE):
        raise NotReversible()
    left = abs(original.amount) - original.reversed
    amount = min(line.amount, left) if line.up_to else line.amount
    amount = amount or left
    if not 0 < amount <= left:
        raise ReversalExceeded()
    if original.kind == Kind.EARN:
        if pending is not None and pending.state == HoldState.OPEN:
            return _take_back_pending(original, pending, amount)
        if line.pending_only:
            raise NotPending()
        return _claw_back(account, line, original, pending, amount)
    check_range(account.balance + amount)
    back = lots.stretch(original.moves, left - amount, amount)
    owed = amount - lots.total(back)
    given = lots.revived(back, today, line.grace_days)
    # What the spending owed pays the debt that is left of it; where that was paid meanwhile, it is a lot of today.
    moves = credit(account, [line.lot_day, owed, *given] if owed else given)
    return Movement(Kind.REVERSE, amount, moves=moves, reverses=original.seq, reversed=amount)


def _take_back_pending(original: Original, pending: Hold, amount: int) -> Movement:
    # While it is pending nothing of it was spent, so all that is left of it is here.
    take_back(pending, amount)
    return Movement(Kind.REVERSE, -amount, -amount, hold_id=pending.id, reverses=original.seq, reversed=amount)


def _claw_back(account: Account, line: Line, original: Original, pending: Hold | None, amount: int) -> Movement:
    if line.debt_allowed:
        check_range(account.balance - amount)
    added = pending.moves if pending else original.moves
    own_day = added[-2:-1]  # what stands before it is the merging that made room
    moves = lots.take_from(account.lots, own_day, amount)
    taken = -sum(moves[1::2])
    effect = amount if line.debt_allowed else taken
    meta = {"uncollected": amount - effect} if effect < amount else None
    return Movement(Kind.REVERSE, -effect, moves=moves, reverses=original.seq, reversed=amount, meta=meta)
