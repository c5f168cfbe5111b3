"""Asking for an adjustment, deciding about it, undoing it: one function a sentence.

Approval and posting are one transaction (traps T36); who may decide is checked here, not at the route (traps T37).
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlmodel import Session

from common.clock import business_day, day_end, day_start
from common.identity import Identity
from services.points.adjustments import domain, posting, repository
from services.points.adjustments.domain import Limit, Policy, Reason, Status, Wanted
from services.points.ledger import use_cases as ledger
from services.points.ledger.domain import Outcome
from services.points.ledger.domain import Status as Posting
from services.points.programs.use_cases import ProgramBook, read_book
from services.points.programs.validity import check_own_validity


@dataclass(frozen=True, slots=True)
class _Charge:
    """On whose day the amount counts: the agent who posts alone, or customer service who approves within limits."""

    agent: str
    day: date


def request_adjustment(session: Session, *, program_id: int, agent: Identity, wanted: Wanted, now: datetime) -> Any:
    """Post the adjustment when it lies within the agent's limits; otherwise let it wait for a second person.

    Raises `UnknownReason`, `UnknownAsset`, `BadValidity`, `DebtNotAllowed`, and what the ledger refuses:
    `InsufficientPoints` with the numbers, `BalanceTooLarge`.
    """
    book, policy = read_book(session, program_id), repository.get_policy(session, program_id)
    domain.check_reason(policy, wanted.reason_code)
    asset = book.asset(wanted.asset)
    if wanted.allow_debt and not asset.debt_allowed:
        raise domain.DebtNotAllowed(asset=wanted.asset)
    if wanted.validity is not None:
        check_own_validity(wanted.validity)
    return _ask(session, book, policy, agent, wanted, now=now)


def request_redating(session: Session, *, program_id: int, agent: Identity, wanted: Wanted, now: datetime) -> Any:
    """Let points end on another day: later within the agent's limits at once, sooner only with a second person.

    Raises `UnknownReason`, `UnknownAsset`, and what the ledger refuses, also of what waits: `LotsNotThere`,
    `DayPassed`, `NoRoomForLot`.
    """
    book, policy = read_book(session, program_id), repository.get_policy(session, program_id)
    domain.check_reason(policy, wanted.reason_code)
    row = _ask(session, book, policy, agent, wanted, now=now)
    if row.status == Status.PENDING:
        line = ledger.line_of(book, posting.command(row), now=now)
        [outcome] = ledger.rehearse(session, [line], zones={program_id: book.program.time_zone})
        _check_posted(outcome)
    return row


def request_undo(
    session: Session, *, program_id: int, adjustment_id: uuid.UUID, agent: Identity, note: str, now: datetime
) -> Any:
    """Take an adjustment back by reversal, within the same limits as the adjustment itself; else let it wait.

    A credit that is partly spent becomes debt where the asset allows it, otherwise the undoing is refused. Of a
    redating what is still there gets its days back; refused when that is nothing. Raises `NotFound`, `NotUndoable` or
    what it is in particular, `PointsSpent`, `ReversalExceeded`, `LotsNotThere`.
    """
    book, policy = read_book(session, program_id), repository.get_policy(session, program_id)
    original = repository.get_adjustment(session, program_id, adjustment_id, lock=True)
    if original.undoes is not None:
        raise domain.UndoOfAnUndo()
    if original.status != Status.POSTED:
        raise domain.NotUndoable(state=original.status)
    if repository.has_undoing(session, original):
        raise domain.UndoAskedFor()
    wanted = Wanted(
        member_id=original.member_id,
        asset=original.asset,
        amount=-original.amount,
        reason_code=original.reason_code,
        note=note,
        from_on=original.from_on,
        until_on=original.until_on,
        to_on=original.to_on,
    )
    return _ask(session, book, policy, agent, wanted, now=now, undoes=original.id)


def approve(
    session: Session, *, program_id: int, adjustment_id: uuid.UUID, approver: Identity, note: str, now: datetime
) -> Any:
    """Post what waited, in the transaction of its approval. Finance and admins approve whatever the amount,
    customer service what lies within their own limits, on whose day it then counts.

    Raises `NotFound`, `NotAwaiting`, `SamePerson`, `BeyondAuthority`, and what the ledger refuses: the request then
    still waits.
    """
    row = _awaiting(session, program_id, adjustment_id, approver, now=now)
    book = read_book(session, program_id)
    charge = None
    if not approver.roles.intersection(domain.APPROVERS):
        charge = _check_authority(session, book, row, approver, now=now)
    row = repository.change(session, row, decided_by=approver.subject, decided_at=now, decision_note=note)
    return _post(session, book, row, charge, now=now)


def reject(
    session: Session, *, program_id: int, adjustment_id: uuid.UUID, approver: Identity, note: str, now: datetime
) -> Any:
    """Turn a request down; nothing is posted. Raises `NotFound`, `NotAwaiting`, `SamePerson`."""
    row = _awaiting(session, program_id, adjustment_id, approver, now=now)
    decided = {"decided_by": approver.subject, "decided_at": now, "decision_note": note}
    return repository.change(session, row, status=Status.REJECTED.value, **decided)


def expire_requests(session: Session, *, limit: int = 500) -> int:
    """End requests that nobody decided about in time; returns how many."""
    return repository.expire(session, limit=limit)


def show_adjustment(session: Session, *, program_id: int, adjustment_id: uuid.UUID) -> Any:
    """One adjustment; raises `NotFound`."""
    return repository.get_adjustment(session, program_id, adjustment_id)


def list_adjustments(
    session: Session,
    *,
    program_id: int,
    status: str | None = None,
    agent: str | None = None,
    member_id: int | None = None,
    day: date | None = None,
    after: uuid.UUID | None = None,
    limit: int = 50,
) -> dict[str, Any]:
    """A page of adjustments, newest first, and the id to go on behind; `day` is a business day of the program."""
    between = None
    if day is not None:
        zone = read_book(session, program_id).program.time_zone
        between = (day_start(day, zone), day_end(day, zone))
    rows = repository.list_adjustments(
        session,
        program_id,
        status=status,
        agent=agent,
        member_id=member_id,
        between=between,
        after=after,
        limit=limit,
    )
    return {"adjustments": rows, "next": rows[-1].id if len(rows) == limit else None}


def show_policy(session: Session, *, program_id: int) -> Policy:
    """The limits, reasons and deadline that hold now."""
    return repository.get_policy(session, program_id)


def configure_limits(
    session: Session, *, program_id: int, limits: Sequence[Limit], pending_days: int, actor: str
) -> Policy:
    """Replace the limits. Raises `UnknownLimitAsset`."""
    book = read_book(session, program_id)
    for limit in limits:
        if limit.asset is not None and limit.asset not in book.by_code:
            raise domain.UnknownLimitAsset(asset=limit.asset)
    repository.put_limits(session, program_id, limits, pending_days, actor)
    return repository.get_policy(session, program_id)


def configure_reasons(session: Session, *, program_id: int, reasons: Sequence[Reason], actor: str) -> Policy:
    """Replace the list of reasons; what was posted keeps its code. Raises `UnknownProgram`."""
    read_book(session, program_id)
    repository.put_reasons(session, program_id, reasons, actor)
    return repository.get_policy(session, program_id)


def _ask(
    session: Session,
    book: ProgramBook,
    policy: Policy,
    agent: Identity,
    wanted: Wanted,
    *,
    now: datetime,
    undoes: uuid.UUID | None = None,
) -> Any:
    program_id, day = book.program.program_id, business_day(now, book.program.time_zone)
    used = repository.lock_day(session, program_id, agent.subject, day, wanted.asset)
    allowed = domain.allowance(policy, agent.roles, wanted.asset)
    beyond = domain.needs_second(allowed, wanted, used=used, undoing=undoes is not None)
    row = repository.add_adjustment(
        session,
        program_id,
        wanted,
        agent=agent.subject,
        now=now,
        expires_at=now + timedelta(days=policy.pending_days),
        beyond=beyond,
        undoes=undoes,
    )
    return row if beyond else _post(session, book, row, _Charge(agent.subject, day), now=now)


def _awaiting(session: Session, program_id: int, adjustment_id: uuid.UUID, approver: Identity, *, now: datetime) -> Any:
    row = repository.get_adjustment(session, program_id, adjustment_id, lock=True)
    domain.check_second_person(row.requested_by, approver.subject)
    domain.check_awaiting(row.status, row.expires_at, now=now)
    return row


def _check_authority(session: Session, book: ProgramBook, row: Any, approver: Identity, *, now: datetime) -> _Charge:
    program_id, day = book.program.program_id, business_day(now, book.program.time_zone)
    allowed = domain.allowance(repository.get_policy(session, program_id), approver.roles, row.asset)
    used = repository.lock_day(session, program_id, approver.subject, day, row.asset)
    if allowed is None or domain.beyond(allowed, row.amount, used=used):
        most, of_day = (allowed.most_per_adjustment, allowed.most_per_day) if allowed else (0, 0)
        raise domain.BeyondAuthority(amount=abs(row.amount), most=most, left=max(0, of_day - used))
    return _Charge(approver.subject, day)


def _post(session: Session, book: ProgramBook, row: Any, charge: _Charge | None, *, now: datetime) -> Any:
    command = posting.command(row) if row.undoes is None else posting.undoing(session, row)
    line = ledger.line_of(book, command, now=now)
    zones = {row.program_id: book.program.time_zone}
    [outcome] = ledger.post(session, [line], zones=zones)
    _check_posted(outcome)
    posted = {"status": Status.POSTED.value, "posted_at": now, "posting_id": uuid.UUID(bytes=outcome.posting_id)}
    if row.to_on is not None:
        undone = ledger.reversed_by(session, line.account, seq=outcome.seq)
        posted["moved"] = row.amount if undone is None else undone
    elif outcome.amount != row.amount:
        # The ledger took back what there was; an adjustment is undone wholly or not at all.
        raise domain.PointsSpent(available=-outcome.amount, short_by=outcome.amount - row.amount)
    if charge:
        repository.add_used(session, row.program_id, charge.agent, charge.day, row.asset, abs(row.amount))
        posted |= {"charged_to": charge.agent, "charged_on": charge.day}
    return repository.change(session, row, **posted)


def _check_posted(outcome: Outcome) -> None:
    if outcome.status != Posting.POSTED:
        raise ledger.refusal_of(outcome)
