"""Every SQL statement over orders: each is one for a whole page of facts."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import BigInteger, DateTime, Integer, Text, and_, select
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session

from common.arrays import values_of
from common.feed import Fact
from services.referrals.orders.domain import PaidOrder, Refund
from services.referrals.orders.models import order_refunds, orders, set_aside_facts

_KEY = ["program_id", "order_id", "member_id"]


@dataclass(frozen=True, slots=True)
class Totals:
    """What is known of an order's money."""

    paid_fen: int | None
    refunded_fen: int


def list_owners(session: Session, keys: Iterable[tuple[int, str]]) -> dict[tuple[int, str], int]:
    """Which member each known order belongs to, by `(program_id, order_id)`."""
    wanted = list(keys)
    key = values_of(program_id=(Integer, [k[0] for k in wanted]), order_id=(Text, [k[1] for k in wanted]))
    mine = and_(orders.c.program_id == key.c.program_id, orders.c.order_id == key.c.order_id)
    statement = select(orders.c.program_id, orders.c.order_id, orders.c.member_id).join(key, mine)
    return {(row.program_id, row.order_id): row.member_id for row in session.execute(statement)}


def add_paid(session: Session, paid: Sequence[PaidOrder]) -> dict[tuple[int, str], int]:
    """Record payments; answers those not recorded before with what of them was refunded already."""
    if not paid:
        return {}
    told = values_of(
        program_id=(Integer, [order.program_id for order in paid]),
        order_id=(Text, [order.order_id for order in paid]),
        member_id=(BigInteger, [order.member_id for order in paid]),
        paid_fen=(BigInteger, [order.paid_fen for order in paid]),
        paid_at=(DateTime(timezone=True), [order.paid_at for order in paid]),
    )
    row = insert(orders).from_select([column.name for column in told.c], select(told))
    new = row.on_conflict_do_update(
        index_elements=_KEY,
        set_={"paid_fen": row.excluded.paid_fen, "paid_at": row.excluded.paid_at},
        where=orders.c.paid_fen.is_(None),
    ).returning(orders.c.program_id, orders.c.order_id, orders.c.refunded_fen)
    return {(found.program_id, found.order_id): found.refunded_fen for found in session.execute(new)}


def add_refunds(session: Session, refunds: Sequence[Refund]) -> set[tuple[int, str, str]]:
    """Record refunds; answers `(program_id, order_id, refund_id)` of those not recorded before."""
    if not refunds:
        return set()
    table = order_refunds
    new = insert(table).on_conflict_do_nothing().returning(table.c.program_id, table.c.order_id, table.c.refund_id)
    rows = [
        {
            "program_id": refund.program_id,
            "order_id": refund.order_id,
            "member_id": refund.member_id,
            "refund_id": refund.refund_id,
            "refunded_fen": refund.refunded_fen,
            "refunded_at": refund.refunded_at,
        }
        for refund in refunds
    ]
    return {(found.program_id, found.order_id, found.refund_id) for found in session.execute(new, rows)}


def add_to_refunded(session: Session, amounts: dict[tuple[int, str, int], int]) -> dict[tuple[int, str], Totals]:
    """Add to what was refunded, by `(program_id, order_id, member_id)`; answers the new totals by order."""
    if not amounts:
        return {}
    row = insert(orders)
    added = row.on_conflict_do_update(
        index_elements=_KEY, set_={"refunded_fen": orders.c.refunded_fen + row.excluded.refunded_fen}
    ).returning(orders.c.program_id, orders.c.order_id, orders.c.paid_fen, orders.c.refunded_fen)
    rows = [
        {"program_id": program_id, "order_id": order_id, "member_id": member_id, "refunded_fen": fen}
        for (program_id, order_id, member_id), fen in amounts.items()
    ]
    return {
        (found.program_id, found.order_id): Totals(found.paid_fen, found.refunded_fen)
        for found in session.execute(added, rows)
    }


def get_totals(session: Session, program_id: int, order_id: str, member_id: int) -> Totals:
    """What is known of the money of an order that was told."""
    mine = select(orders.c.paid_fen, orders.c.refunded_fen).where(
        orders.c.program_id == program_id, orders.c.order_id == order_id, orders.c.member_id == member_id
    )
    row = session.execute(mine).one()
    return Totals(row.paid_fen, row.refunded_fen)


def set_aside(session: Session, unusable: Sequence[tuple[Fact, str]]) -> None:
    """Record facts that could not be used, each with its reason."""
    if not unusable:
        return
    rows = [
        {
            "program_id": fact.program_id,
            "source": fact.source,
            "fact_id": fact.id,
            "topic": fact.topic,
            "reason": reason,
            "at": fact.at,
        }
        for fact, reason in unusable
    ]
    session.execute(insert(set_aside_facts).on_conflict_do_nothing(), rows)
