"""Exchanging points with partners: setting a partner up, exchanging, reversing, looking; one function a sentence.

The partner's order names an exchange for ever, on the partner's side and on ours, so neither side can count it twice.
Order of locks: the exchange, the windows of its caps, the account.
"""

import uuid
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlmodel import Session

from common.clock import business_day
from services.points.exchanges import domain, repository
from services.points.exchanges.domain import Direction, Exchange, Partner
from services.points.ledger import use_cases as ledger
from services.points.ledger.domain import Kind, Outcome, Status
from services.points.ledger.use_cases import Command
from services.points.programs.use_cases import program_book, read_book

_KINDS = {Direction.OUT: Kind.SPEND, Direction.IN: Kind.EARN}


def configure_partner(session: Session, *, program_id: int, actor: str, partner: Partner) -> Partner:
    """Make a partner or change it; what was exchanged before keeps its rate. Raises `UnknownAsset`, `AssetIsFixed`."""
    read_book(session, program_id).asset(partner.asset)
    asset = repository.put_partner(session, program_id, partner, actor)
    if asset != partner.asset:
        raise domain.AssetIsFixed(asset=asset)
    return partner


def show_partner(session: Session, *, program_id: int, code: str, key_id: str | None) -> Partner:
    """One partner; with `key_id` only if that key acts for it. Raises `UnknownPartner`."""
    return repository.get_partner(session, program_id, code, key_id=key_id)


def list_partners(session: Session, *, program_id: int, key_id: str | None) -> list[Partner]:
    """The partners, all or those for which the key acts."""
    return repository.list_partners(session, program_id, key_id=key_id)


def exchange(
    session: Session,
    *,
    program_id: int,
    actor: str,
    key_id: str,
    partner: str,
    partner_order_id: str,
    direction: Direction,
    member_id: int,
    amount: int,
    now: datetime,
) -> Exchange:
    """Take a member's points for the partner's units (out), or give points for units (in), once per partner's order.

    `amount` is what the member gives: points out, units in. Sent again it is the exchange of the first time, whatever
    the terms are by now. Raises `UnknownPartner`, `OrderReused`, `PartnerDisabled`, `DirectionClosed`, `NotWhole`,
    `ExchangeCapped`, and what the ledger refuses: `InsufficientPoints`, `AccountFrozen`, `BalanceTooLarge`,
    `BalanceCapped`.
    """
    acting = repository.get_partner(session, program_id, partner, key_id=key_id)
    asked: dict[str, Any] = {"member_id": member_id, "direction": direction, "amount": amount}
    earlier = repository.find_order(session, program_id, partner, partner_order_id)
    if earlier is not None:
        return _same(earlier, **asked)
    terms = acting.open_terms(direction)
    swap = domain.swap(terms, direction, amount)
    scope, key = f"exchange {partner}", partner_order_id
    made = repository.add_exchange(
        session,
        program_id=program_id,
        partner=partner,
        partner_order_id=partner_order_id,
        member_id=member_id,
        direction=direction.value,
        asset=acting.asset,
        points=swap.points,
        units=swap.units,
        rate_points=terms.points,
        rate_units=terms.units,
        posting_id=uuid.UUID(bytes=ledger.posting_id(program_id, scope, key)),
        day=business_day(now, program_book(session, program_id).program.time_zone),
        made_by=actor,
        made_at=now,
    )
    if made is None:
        twin = repository.find_order(session, program_id, partner, partner_order_id)
        assert twin is not None, "an exchange is never deleted"
        return _same(twin, **asked)
    domain.check_caps(terms, repository.lock_windows(session, made), swap.points)
    repository.add_used(session, made, swap.points)
    _post(session, made, scope, key, _KINDS[direction], actor, now=now)
    return made


def reverse(
    session: Session,
    *,
    program_id: int,
    actor: str,
    exchange_id: uuid.UUID,
    key_id: str | None,
    reason: str,
    now: datetime,
) -> Exchange:
    """Undo an exchange wholly by its original entry, and free the caps of its day; reversed before, the same answer.

    Points that went out return to their lots; what came in is taken back, as debt where it was spent and the asset
    allows that. Raises `NotFound` (also for another key's), `PointsSpent`, `ReversalExceeded`.
    """
    made = repository.get_exchange(session, program_id, exchange_id, key_id=key_id, lock=True)
    if made.reversed_at is not None:
        return made
    repository.lock_windows(session, made)
    repository.add_used(session, made, -made.points)
    more = {"reverses_posting": made.posting_id.bytes, "reason": reason}
    outcome = _post(session, made, "reversed exchange", str(made.id), Kind.REVERSE, actor, now=now, **more)
    if abs(outcome.amount) != made.points:
        # The ledger took back what there was; an exchange is reversed wholly or not at all.
        raise domain.PointsSpent(available=abs(outcome.amount), short_by=made.points - abs(outcome.amount))
    return repository.mark_reversed(session, made, actor, now)


def show(
    session: Session, *, program_id: int, exchange_id: uuid.UUID, member_id: int | None, key_id: str | None
) -> Exchange:
    """An exchange: a member's own, or one of the key's partners. Raises `NotFound`."""
    return repository.get_exchange(session, program_id, exchange_id, member_id=member_id, key_id=key_id)


def list_exchanges(
    session: Session,
    *,
    program_id: int,
    member_id: int | None,
    key_id: str | None,
    partner: str | None = None,
    after: uuid.UUID | None = None,
    limit: int = 50,
) -> dict[str, Any]:
    """A page of exchanges, newest first, and the id to go on behind."""
    rows = repository.list_exchanges(
        session, program_id, member_id=member_id, key_id=key_id, partner=partner, after=after, limit=limit
    )
    return {"exchanges": rows, "next": rows[-1].id if len(rows) == limit else None}


def _same(earlier: Exchange, **asked: Any) -> Exchange:
    if not earlier.was_asked(**asked):
        raise domain.OrderReused(order=earlier.partner_order_id)
    return replace(earlier, replayed=True)


def _post(
    session: Session, made: Exchange, scope: str, key: str, kind: Kind, actor: str, *, now: datetime, **more: Any
) -> Outcome:
    book = program_book(session, made.program_id)
    command = Command(
        scope=scope,
        key=key,
        kind=kind,
        member_id=made.member_id,
        asset=made.asset,
        amount=made.points,
        whole=True,
        cause=f"exchange {made.partner}/{made.partner_order_id}",
        meta={"exchange": str(made.id), "by": actor},
        **more,
    )
    line = ledger.line_of(book, command, now=now)
    [outcome] = ledger.post(session, [line], zones={made.program_id: book.program.time_zone})
    if outcome.status != Status.POSTED:
        raise ledger.refusal_of(outcome)
    return outcome
