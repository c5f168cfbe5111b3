"""Returns tried out: the refund is taken in as any event, looked at, and rolled back by whoever opened the session."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session

from common.database import driver_connection
from services.points.intake.domain import Event
from services.points.intake.use_cases import take_in
from services.points.ledger.account_use_cases import show_accounts
from services.points.ledger.balances import Balance
from services.points.programs.use_cases import program_book


@dataclass(frozen=True, slots=True)
class Effect:
    """What an account would be after the return, and by how much its balance would change, signed."""

    change: int
    account: Balance


@dataclass(frozen=True, slots=True)
class Trial:
    """What would come of a refund: the result that its event would have, and the accounts that would change."""

    result: dict[str, Any]
    effects: list[Effect]


def try_return(session: Session, *, program_id: int, event: Event, now: datetime) -> Trial:
    """What the refund would take back, exactly: it is taken in. The caller's unit of work is one that rolls back.

    Raises `EventFromTheFuture`.
    """
    before = _accounts(session, program_id, event.member_id, now)
    [taken] = take_in(session, program_id=program_id, events=[event], now=now)
    after = _accounts(session, program_id, event.member_id, now)
    effects = [
        Effect(then.balance - first.balance, then)
        for first, then in zip(before, after, strict=True)
        if _figures(first) != _figures(then)
    ]
    return Trial(json.loads(taken.result), effects)


def _accounts(session: Session, program_id: int, member_id: int, now: datetime) -> Sequence[Balance]:
    book = program_book(session, program_id)
    return show_accounts(driver_connection(session), book, member_id=member_id, now=now)


def _figures(account: Balance) -> tuple[int, ...]:
    return account.balance, account.available, account.pending, account.held, account.debt
