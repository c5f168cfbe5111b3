"""What earning, spending, expiry and freezing do to an account; what every other movement builds on.

The account is a working copy and changes in place; a refusal leaves it as it was.
"""

from services.points.ledger import lots
from services.points.ledger.domain import LARGEST, Account, Bounds, Kind, Line, Movement
from services.points.ledger.refusals import (
    AccountFrozen,
    AlreadyFrozen,
    BalanceCapped,
    BalanceTooLarge,
    InsufficientPoints,
    NotFrozen,
)


def earn(account: Account, line: Line) -> Movement:
    """Credit: debt is paid first, the rest becomes a lot of `line.lot_day`. Raises `BalanceTooLarge`."""
    check_range(account.balance + line.amount)
    return Movement(Kind.EARN, line.amount, 0, credit(account, [line.lot_day, line.amount]))


def spend(account: Account, line: Line) -> Movement:
    """Debit, soonest expiry first; `into_debt` owes what is not there. Raises `AccountFrozen`, `InsufficientPoints`."""
    if line.into_debt:
        check_range(account.balance - line.amount)
    there = min(line.amount, account.available) if line.into_debt else line.amount
    check_can_give(account, there)
    return Movement(Kind.SPEND, -line.amount, 0, lots.take(account.lots, there))


def expire_lots(account: Account, *, last_dead_day: int) -> Movement | None:
    """Take out the lots whose last day has passed; None when there are none."""
    moves = lots.take_dead(account.lots, last_dead_day, account.idle_day)
    return Movement(Kind.EXPIRE, sum(moves[1::2]), moves=moves) if moves else None


def freeze(account: Account) -> Movement:
    """From now on nothing is spent, held or given; what comes in and what was held before goes on.

    Raises `AlreadyFrozen`.
    """
    if account.frozen:
        raise AlreadyFrozen()
    account.frozen = True
    return Movement(Kind.FREEZE, 0)


def unfreeze(account: Account) -> Movement:
    """The end of a freeze. Raises `NotFrozen`."""
    if not account.frozen:
        raise NotFrozen()
    account.frozen = False
    return Movement(Kind.UNFREEZE, 0)


def apply(account: Account, movement: Movement) -> None:
    """Bring the account's figures to where the movement's lots already are."""
    account.balance += movement.amount
    account.held += movement.held_delta
    account.debt = lots.total(account.lots) + account.held - account.balance
    account.seq += 1


def credit(account: Account, moves: list[int]) -> list[int]:
    """Let incoming lots pay the debt first; the rest goes into the buckets. Returns what was done to the buckets."""
    if account.debt:
        paid = min(account.debt, lots.total(moves))
        account.debt -= paid
        lots.take(moves, paid)
    return lots.add(account.lots, moves)


def keep_alive(account: Account, idle_day: int) -> None:
    """Something was earned or spent: what lives until the account is idle lives until `idle_day`, never shorter."""
    account.idle_day = max(idle_day, account.idle_day or idle_day)


def check_can_give(account: Account, amount: int) -> None:
    """Raise `AccountFrozen` or `InsufficientPoints` unless so much can be spent."""
    if account.frozen:
        raise AccountFrozen()
    if amount > account.available:
        raise InsufficientPoints()


def room(account: Account, amount: int, bounds: Bounds) -> int:
    """How much of the amount the member may still have; raises `BalanceCapped` where that may not be cut."""
    there = amount if bounds.most is None else max(0, min(amount, bounds.most - account.balance))
    if there < amount and not bounds.cuts:
        raise BalanceCapped()
    return there


def check_range(balance: int) -> None:
    """Raise `BalanceTooLarge` for a balance that not every reader keeps exact."""
    if abs(balance) > LARGEST:
        raise BalanceTooLarge()
