"""Paying part of an order with points: quoting, holding, capturing, giving up, refunding; one function a sentence.

The policy decides how much, the ledger keeps the points: a deduction is a hold of the ledger, in the same database, so
that both are one transaction. An order has one deduction at a time; one that ended unused makes room for the next.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session

from services.points.deductions import domain, repository
from services.points.deductions.domain import Policy, Quote
from services.points.ledger import account_use_cases as accounts
from services.points.ledger import use_cases as ledger
from services.points.ledger.domain import HoldState, Kind, Outcome, Status
from services.points.ledger.use_cases import Command
from services.points.programs.use_cases import program_book, read_book

#: Each kind of posting names its keys in a scope of its own, so that no order's name can be mistaken for another key.
_SCOPE = "deduction"


@dataclass(frozen=True, slots=True)
class Shown:
    """A deduction with where its hold stands, and what refunds gave back of it."""

    row: Any
    state: HoldState
    expires_at: datetime
    refunds: list[Any]


def configure_policy(session: Session, *, program_id: int, actor: str, policy: Policy) -> Any:
    """Put the policy in force as a new version; the same as the one in force stays that one. Raises `UnknownAsset`.

    Deductions made before keep the version that decided them.
    """
    read_book(session, program_id).asset(policy.asset)
    while True:
        row = repository.find_policy(session, program_id)
        if row is not None and repository.policy_of(row) == policy:
            return row
        made = repository.add_policy(session, program_id, row.version + 1 if row else 1, policy, actor)
        if made is not None:
            return made


def show_policy(session: Session, *, program_id: int) -> Any:
    """The policy in force; raises `NoPolicy`."""
    row = repository.find_policy(session, program_id)
    if row is None:
        raise domain.NoPolicy()
    return row


def quote(
    session: Session, *, program_id: int, member_id: int, order_fen: int, wanted: int | None, now: datetime
) -> tuple[Policy, Quote]:
    """The most points that the member may put into the order, and which caps bite; nothing is written.

    Raises `NoPolicy`.
    """
    policy, _ = repository.get_policy(session, program_id)
    mine: dict[str, Any] = {"program_id": program_id, "member_id": member_id, "asset": policy.asset, "now": now}
    account, spendable = accounts.show_account(session, **mine), accounts.spendable(session, **mine)
    available = 0 if account.frozen else account.available
    return policy, domain.quote(policy, order_fen=order_fen, available=available, spendable=spendable, wanted=wanted)


def deduct(
    session: Session,
    *,
    program_id: int,
    actor: str,
    member_id: int,
    order_id: str,
    order_fen: int,
    points: int,
    ttl_seconds: int,
    now: datetime,
) -> Shown:
    """Hold points for an order; asked again for the same order and points, it is the same deduction.

    Raises `NoPolicy`, `NotDeductible`, `TooFewPoints`, `AccountFrozen`, `SpendingTooLarge`, `SpendingLimited`, and
    `OtherDeduction` while the order has another one, open or captured.
    """
    policy, version = repository.get_policy(session, program_id)
    found = domain.check_deductible(policy, order_fen=order_fen, points=points)
    while True:
        before = repository.lock_newest(session, program_id, member_id, order_id)
        standing = _standing(session, before, order_fen, points, now=now)
        if standing is not None:
            return standing
        attempt = before.attempt + 1 if before else 1
        key = f"{member_id}/{attempt}/{order_id}"
        row = repository.add_deduction(
            session,
            program_id=program_id,
            member_id=member_id,
            id=uuid.UUID(bytes=ledger.posting_id(program_id, f"{_SCOPE} hold", key)),
            order_id=order_id,
            attempt=attempt,
            policy_version=version,
            asset=policy.asset,
            order_fen=order_fen,
            points=points,
            deducted_fen=found.deducted_fen,
            made_by=actor,
        )
        if row is not None:
            break
    outcome = _post(session, row, Kind.HOLD, key, actor, amount=points, ttl_seconds=ttl_seconds, now=now)
    if outcome.status == Status.INSUFFICIENT:
        raise domain.TooFewPoints(available=outcome.available, short_by=points - outcome.available)
    if outcome.status != Status.POSTED:
        raise ledger.refusal_of(outcome)
    return _shown(session, row, now=now)


def show(session: Session, *, program_id: int, member_id: int, deduction_id: uuid.UUID, now: datetime) -> Shown:
    """A deduction of a member; raises `NotFound`."""
    return _shown(session, repository.get_deduction(session, program_id, member_id, deduction_id), now=now)


def capture(
    session: Session,
    *,
    program_id: int,
    actor: str,
    member_id: int,
    deduction_id: uuid.UUID,
    order_fen: int,
    now: datetime,
) -> Shown:
    """The order was paid: spend what was held. Captured before, it is the same answer.

    The order's amount is said again, for a member may have asked with another one. Raises `NotFound`, `OrderChanged`,
    `DeductionEnded`.
    """
    row = repository.get_deduction(session, program_id, member_id, deduction_id, lock=True)
    if row.order_fen != order_fen:
        raise domain.OrderChanged(order_fen=row.order_fen)
    return _end(session, row, Kind.CAPTURE, actor, now=now)


def void(
    session: Session, *, program_id: int, actor: str, member_id: int, deduction_id: uuid.UUID, now: datetime
) -> Shown:
    """The order was given up: what was held returns to its lots and their days. Ended unused before, the same answer.

    Raises `NotFound`, `AlreadyCaptured`.
    """
    row = repository.get_deduction(session, program_id, member_id, deduction_id, lock=True)
    shown = _end(session, row, Kind.VOID, actor, now=now)
    if shown.state == HoldState.CAPTURED:
        raise domain.AlreadyCaptured()
    return shown


def refund(
    session: Session,
    *,
    program_id: int,
    actor: str,
    member_id: int,
    deduction_id: uuid.UUID,
    refund_id: str,
    refunded_fen: int,
    now: datetime,
) -> Any:
    """So much of the order's amount was refunded: points go back in proportion, to the lots that they came from.

    The refund's id names it for ever: sent again, it gives what it gave. Raises `NotFound`, `NotCaptured`,
    `RefundTooLarge`, `RefundReused`.
    """
    row = repository.get_deduction(session, program_id, member_id, deduction_id, lock=True)
    earlier = repository.find_refund(session, row, refund_id)
    if earlier is not None:
        if earlier.refunded_fen != refunded_fen:
            raise domain.RefundReused(refunded_fen=earlier.refunded_fen)
        return earlier
    _, state = _hold(session, row, now=now)
    if state != HoldState.CAPTURED:
        raise domain.NotCaptured(state=state.name.lower())
    back = domain.give_back(
        points=row.points,
        deducted_fen=row.deducted_fen,
        order_fen=row.order_fen,
        refunded_before=row.refunded_fen,
        refunded_fen=refunded_fen,
    )
    if back.points:
        _return(session, row, refund_id, back.points, actor, now=now)
    return repository.add_refund(session, row, refund_id, refunded_fen, back, actor)


def _standing(session: Session, row: Any | None, order_fen: int, points: int, *, now: datetime) -> Shown | None:
    """The order's deduction if it stands and is the one asked for; None when there is room for a new one."""
    if row is None:
        return None
    shown = _shown(session, row, now=now)
    if shown.state not in (HoldState.OPEN, HoldState.CAPTURED):
        return None
    if (row.order_fen, row.points) != (order_fen, points):
        raise domain.OtherDeduction(points=row.points, state=shown.state.name.lower())
    return shown


def _end(session: Session, row: Any, kind: Kind, actor: str, *, now: datetime) -> Shown:
    """Capture or void the hold if it is open; however it ended, that is where it stands."""
    outcome = _post(session, row, kind, str(row.id), actor, hold_id=row.id.bytes, now=now)
    assert outcome.status in (Status.POSTED, Status.HOLD_NOT_OPEN), f"nothing else stops a hold's end: {outcome.status}"
    shown = _shown(session, row, now=now)
    if kind == Kind.CAPTURE and shown.state != HoldState.CAPTURED:
        raise domain.DeductionEnded(state=shown.state.name.lower())
    return shown


def _return(session: Session, row: Any, refund_id: str, points: int, actor: str, *, now: datetime) -> None:
    captured = ledger.posting_id(row.program_id, f"{_SCOPE} {Kind.CAPTURE.name.lower()}", str(row.id))
    key = f"{row.id}/{refund_id}"
    outcome = _post(session, row, Kind.REVERSE, key, actor, amount=points, reverses_posting=captured, now=now)
    if outcome.status != Status.POSTED:
        raise ledger.refusal_of(outcome)


def _post(session: Session, row: Any, kind: Kind, key: str, actor: str, *, now: datetime, **more: Any) -> Outcome:
    book = program_book(session, row.program_id)
    given = {"amount": 0, "cause": f"order {row.order_id}", "meta": {"deduction": str(row.id), "by": actor}, **more}
    scope = f"{_SCOPE} {kind.name.lower()}"
    command = Command(scope=scope, key=key, kind=kind, member_id=row.member_id, asset=row.asset, **given)
    line = ledger.line_of(book, command, now=now)
    return ledger.post(session, [line], zones={row.program_id: book.program.time_zone})[0]


def _shown(session: Session, row: Any, *, now: datetime) -> Shown:
    hold, state = _hold(session, row, now=now)
    return Shown(row, state, hold.expires_at, repository.list_refunds(session, row))


def _hold(session: Session, row: Any, *, now: datetime) -> tuple[Any, HoldState]:
    return ledger.show_hold(session, program_id=row.program_id, hold_id=row.id, member_id=row.member_id, now=now)
