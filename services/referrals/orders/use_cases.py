"""Recording what the shop says of orders: told twice counts once, and a refund may be told before its order."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

from sqlmodel import Session

from common.feed import Fact
from services.referrals.members import use_cases as members
from services.referrals.orders import repository
from services.referrals.orders.domain import PaidOrder, Refund, Unusable, covers, read_paid, read_refund

Told = TypeVar("Told", PaidOrder, Refund)


def record_paid(session: Session, facts: list[Fact]) -> list[PaidOrder]:
    """Record `order.paid` facts; answers the orders not told before, in the order of the facts.

    The first telling of an order stands, whatever event id later ones carry. An order belongs to one member.
    """
    told = _own(session, _read(session, facts, read_paid))
    first: dict[tuple[int, str], PaidOrder] = {}
    for order in told:
        first.setdefault(order.key, order)
    refunded = repository.add_paid(session, list(first.values()))
    new = [replace(order, refunded_fen=refunded[key]) for key, order in first.items() if key in refunded]
    paid: dict[tuple[int, int], datetime] = {}
    for order in new:
        member = (order.program_id, order.member_id)
        paid[member] = min(order.paid_at, paid.get(member, order.paid_at))
    members.note_first_paid(session, paid)
    return new


def record_refunds(session: Session, facts: list[Fact]) -> list[Refund]:
    """Record `order.refunded` facts; answers, for each order that is now paid back in full, the refund that did it.

    A partial refund only adds up; an order whose payment has not been told yet is judged when it is.
    """
    told = _own(session, _read(session, facts, read_refund))
    once: dict[tuple[int, str, str], Refund] = {}
    for refund in told:
        once.setdefault((refund.program_id, refund.order_id, refund.refund_id), refund)
    new = repository.add_refunds(session, list(once.values()))
    amounts: dict[tuple[int, str, int], int] = defaultdict(int)
    last: dict[tuple[int, str], Refund] = {}
    for identity, refund in once.items():
        if identity in new:
            amounts[refund.program_id, refund.order_id, refund.member_id] += refund.refunded_fen
            last[refund.key] = refund
    totals = repository.add_to_refunded(session, dict(sorted(amounts.items())))
    return [refund for key, refund in last.items() if _just_covered(totals[key], amounts[*key, refund.member_id])]


def outstanding_fen(session: Session, *, program_id: int, order_id: str, member_id: int) -> int:
    """What of a paid order has not been paid back yet."""
    totals = repository.get_totals(session, program_id, order_id, member_id)
    return max(0, (totals.paid_fen or 0) - totals.refunded_fen)


def _just_covered(totals: repository.Totals, added_fen: int) -> bool:
    paid, refunded = totals.paid_fen, totals.refunded_fen
    return paid is not None and covers(refunded, paid) and not covers(refunded - added_fen, paid)


def _read(
    session: Session, facts: list[Fact], read: Callable[[int, int | None, dict[str, Any]], Told]
) -> list[tuple[Fact, Told]]:
    usable, unusable = [], []
    for fact in facts:
        try:
            usable.append((fact, read(fact.program_id, fact.member_id, fact.payload)))
        except Unusable as error:
            unusable.append((fact, error.reason))
    repository.set_aside(session, unusable)
    return usable


def _own(session: Session, told: list[tuple[Fact, Told]]) -> list[Told]:
    """What was told by the owner of its order: the member it was first told of."""
    owners = repository.list_owners(session, {value.key for _, value in told})
    own, foreign = [], []
    for fact, value in told:
        if owners.setdefault(value.key, value.member_id) == value.member_id:
            own.append(value)
        else:
            foreign.append((fact, "the order belongs to another member"))
    repository.set_aside(session, foreign)
    return own
