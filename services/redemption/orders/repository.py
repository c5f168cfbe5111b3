"""Every SQL statement over orders. States move by guarded updates only: who comes second finds nothing to move."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import Connection
from sqlalchemy import Row, and_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session

from common.arrays import blobs, numbers, texts
from common.errors import NotFound, Refusal
from services.redemption.catalog.domain import Price
from services.redemption.database import keys
from services.redemption.orders.domain import UNPAID, Asked, Order, Refused, State
from services.redemption.orders.models import orders, taken

_ADD_REFUSED = f"""
INSERT INTO redemption_orders (program_id, member_id, item, quantity, key, fingerprint, item_version, asset, price,
       refusal_code, refusal_facts, state, wanted_until, created_at)
SELECT p, m, i, q, k, f, v, a, n, c, j::jsonb, '{State.REFUSED.value}', t, t
  FROM unnest(%s::int[], %s::bigint[], %s::text[], %s::int[], %s::text[], %s::bytea[], %s::int[], %s::text[],
              %s::bigint[], %s::text[], %s::text[], %s::timestamptz[]) AS r(p, m, i, q, k, f, v, a, n, c, j, t)
 ORDER BY p, m, k
    ON CONFLICT ON CONSTRAINT orders_once_per_key DO NOTHING RETURNING program_id, member_id, key"""  # noqa: S608 - our own words only

#: What an order leaves behind when it is in doubt no more.
_DECIDED: dict[str, None] = {"in_doubt_since": None, "due_at": None, "last_error": None}


def find_by_key(session: Session, program_id: int, member_id: int, key: str) -> Order | None:
    """The order that a member's idempotency key made, or None."""
    mine = and_(orders.c.program_id == program_id, orders.c.member_id == member_id, orders.c.key == key)
    return _order(session.execute(select(orders).where(mine)).one_or_none())


def find_order(session: Session, program_id: int, order_id: UUID, *, member_id: int | None) -> Order | None:
    """The order, or None; with `member_id` only if it is theirs."""
    wanted = select(orders).where(orders.c.program_id == program_id, orders.c.order_id == order_id)
    if member_id is not None:
        wanted = wanted.where(orders.c.member_id == member_id)
    return _order(session.execute(wanted).one_or_none())


def get_order(session: Session, program_id: int, order_id: UUID, *, member_id: int | None) -> Order:
    """The order; raises `NotFound`."""
    order = find_order(session, program_id, order_id, member_id=member_id)
    if order is None:
        raise NotFound()
    return order


def list_orders(
    session: Session, program_id: int, member_id: int, *, after: UUID | None, limit: int, state: str | None
) -> list[Order]:
    """At most `limit` of a member's orders older than `after`, newest first (ids grow with time)."""
    mine = select(orders).where(orders.c.program_id == program_id, orders.c.member_id == member_id)
    if after is not None:
        mine = mine.where(orders.c.order_id < after)
    if state is not None:
        mine = mine.where(orders.c.state == state)
    rows = session.execute(mine.order_by(orders.c.order_id.desc()).limit(limit))
    return [_known(row) for row in rows]


def add_order(
    session: Session,
    asked: Asked,
    *,
    item_version: int,
    price: Price,
    wanted_until: datetime,
    due_at: datetime,
) -> Order | None:
    """Add an order in `reserving`; None when its key has made one. A twin in flight is waited for."""
    values = {
        "program_id": asked.program_id,
        "member_id": asked.member_id,
        "key": asked.key,
        "fingerprint": asked.fingerprint,
        "item": asked.item,
        "quantity": asked.quantity,
        "item_version": item_version,
        "asset": price.asset,
        "price": price.amount,
        "state": State.RESERVING.value,
        "in_doubt_since": asked.at,
        "wanted_until": wanted_until,
        "due_at": due_at,
        "created_at": asked.at,
    }
    added = insert(orders).values(values).on_conflict_do_nothing(constraint="orders_once_per_key")
    return _order(session.execute(added.returning(orders)).one_or_none())


def add_refused(connection: Connection[Any], refused: Sequence[Refused]) -> set[tuple[int, int, str]]:
    """Add orders that were refused before they reserved anything, each of a key of its own.

    Returns the keys that had made none before, as `Asked.once` has them.
    """
    asked = [one.asked for one in refused]
    columns = (
        numbers([one.program_id for one in asked]),
        numbers([one.member_id for one in asked]),
        texts([one.item for one in asked]),
        numbers([one.quantity for one in asked]),
        texts([one.key for one in asked]),
        blobs([one.fingerprint for one in asked]),
        numbers([one.item_version for one in refused]),
        texts([one.price.asset for one in refused]),
        numbers([one.price.amount for one in refused]),
        texts([one.refusal.code for one in refused]),
        texts([json.dumps(one.refusal.facts) for one in refused]),
        texts([one.at.isoformat() for one in asked]),
    )
    return {(row[0], row[1], row[2]) for row in connection.execute(_ADD_REFUSED, columns, prepare=True, binary=True)}


def claim_key(session: Session, program_id: int, caller: str, route: str, key: str, fingerprint: bytes) -> bytes | None:
    """Note that a key is used for a change of an order; the earlier fingerprint when it was used before, else None."""
    scope = {"program_id": program_id, "caller": caller, "route": route, "key": key}
    claim = insert(keys).values(**scope, fingerprint=fingerprint).on_conflict_do_nothing().returning(keys.c.key)
    if session.execute(claim).first() is not None:
        return None
    mine = and_(*(keys.c[name] == value for name, value in scope.items()))
    return bytes(session.execute(select(keys.c.fingerprint).where(mine)).scalar_one())


def add_taken(session: Session, order: Order, *, limit: int | None) -> bool:
    """Count the order's pieces as the member's unless that exceeds `limit`: one statement decides and does it (T8).

    False when it would. The caller has checked that the order alone is within the limit.
    """
    values = {"program_id": order.program_id, "member_id": order.member_id, "item": order.item}
    row = insert(taken).values(**values, quantity=order.quantity)
    within = None if limit is None else taken.c.quantity + order.quantity <= limit
    counted = row.on_conflict_do_update(
        index_elements=list(values), set_={"quantity": taken.c.quantity + order.quantity}, where=within
    )
    return session.execute(counted.returning(taken.c.quantity)).first() is not None


def give_taken_back(session: Session, order: Order) -> None:
    """The order's pieces are the member's no more."""
    mine = [taken.c[name] == getattr(order, name) for name in ("program_id", "member_id", "item")]
    session.execute(update(taken).where(*mine).values(quantity=taken.c.quantity - order.quantity))


def mark_held(session: Session, order: Order, *, hold_id: UUID) -> Order | None:
    """Note the hold: a reserving order is held; one that is being given up now knows what to void."""
    held = _move(session, order, [State.RESERVING], state=State.HELD, hold_id=hold_id)
    return held or _move(session, order, [State.GIVING_UP], hold_id=hold_id)


def mark_completed(session: Session, order: Order, *, posting_id: UUID, now: datetime) -> Order | None:
    """The points are taken; also of an order that was being given up when it turned out that they were."""
    taking = {"posting_id": posting_id, "completed_at": now}
    return _move(session, order, [State.HELD, State.GIVING_UP], state=State.COMPLETED, **taking, **_DECIDED)


def mark_giving_up(session: Session, order: Order) -> Order | None:
    """From now on the order only goes back."""
    return _move(session, order, [State.RESERVING, State.HELD], state=State.GIVING_UP)


def mark_refused(session: Session, order: Order, refusal: Refusal) -> Order | None:
    """The order has ended without being paid."""
    why = {"refusal_code": refusal.code, "refusal_facts": refusal.facts}
    return _move(session, order, UNPAID, state=State.REFUSED, **why, **_DECIDED)


def mark_cancelling(
    session: Session, order: Order, *, by: str, reason: str | None, due_at: datetime, now: datetime
) -> Order | None:
    """A completed order's points are to be given back."""
    why = {"cancelled_by": by, "cancel_reason": reason}
    doubt = {"in_doubt_since": now, "due_at": due_at, "attempts": 0}
    return _move(session, order, [State.COMPLETED], state=State.CANCELLING, **why, **doubt)


def mark_cancelled(session: Session, order: Order, *, reversal_id: UUID, now: datetime) -> Order | None:
    """The points are given back."""
    giving = {"reversal_id": reversal_id, "cancelled_at": now}
    return _move(session, order, [State.CANCELLING], state=State.CANCELLED, **giving, **_DECIDED)


def mark_fulfilled(
    session: Session, order: Order, *, by: str, tracking_no: str | None, note: str | None, now: datetime
) -> Order | None:
    """The member has, or will get, what was ordered."""
    what = {"fulfilled_by": by, "tracking_no": tracking_no, "note": note, "fulfilled_at": now}
    return _move(session, order, [State.COMPLETED], state=State.FULFILLED, **what)


def renew_wish(session: Session, order: Order, *, wanted_until: datetime, due_at: datetime) -> Order | None:
    """The member has asked again for an order in doubt."""
    return _move(session, order, [State.RESERVING, State.HELD], wanted_until=wanted_until, due_at=due_at)


def postpone(session: Session, order: Order, *, attempts: int, due_at: datetime, error: str) -> None:
    """Points did not decide: an order still in doubt is taken on again at `due_at`."""
    _move(session, order, [order.state], attempts=attempts, due_at=due_at, last_error=error)


def lease_due(session: Session, *, now: datetime, until: datetime) -> Order | None:
    """One order in doubt that is due, left alone by others `until` then; None when there is none."""
    due = select(orders.c.program_id, orders.c.member_id, orders.c.order_id).where(orders.c.due_at <= now)
    first = due.order_by(orders.c.due_at).limit(1).with_for_update(skip_locked=True).cte("due")
    mine = [orders.c[name] == first.c[name] for name in ("program_id", "member_id", "order_id")]
    return _order(session.execute(update(orders).where(*mine).values(due_at=until).returning(orders)).one_or_none())


def _move(session: Session, order: Order, when: Iterable[State], **values: Any) -> Order | None:
    """Change the order if it is in one of the states `when`; None when it has gone on meanwhile."""
    mine = [orders.c[name] == getattr(order, name) for name in ("program_id", "member_id", "order_id")]
    moved = update(orders).where(*mine, orders.c.state.in_([state.value for state in when]))
    return _order(session.execute(moved.values(**values).returning(orders)).one_or_none())


def _order(row: Row[Any] | None) -> Order | None:
    return None if row is None else _known(row)


def _known(row: Row[Any]) -> Order:
    values = dict(row._mapping)
    values["price"] = Price(values.pop("asset"), values["price"])
    values["state"] = State(values["state"])
    return Order(**values)
