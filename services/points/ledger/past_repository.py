"""What an account was at a seq of its journal, read from the entries alone (ledger.md §6.16)."""

from datetime import datetime
from typing import Any

from sqlalchemy import Row, select, text
from sqlmodel import Session

from common.clock import epoch_us
from services.points.ledger.books import AccountKey
from services.points.ledger.domain import Account, Hold, HoldState, Kind, Purpose
from services.points.ledger.models import entries

_MINE = "e.program_id = :p AND e.member_id = :m AND e.asset_id = :s AND e.seq <= :q"

_LOTS = f"""
SELECT day, sum(moved)::bigint FROM (
  SELECT e.lots[i] AS day, e.lots[i + 1] AS moved
    FROM points_entries e, generate_series(1, cardinality(e.lots), 2) i WHERE {_MINE}) m
 GROUP BY day HAVING sum(moved) <> 0 ORDER BY day"""  # noqa: S608 - our own words only

# An open hold holds what its entries add up to. Only a pending earning's instant moves, and its entries say to when.
_HOLDS = f"""
SELECT h.id, h.amount, h.lots, h.purpose, h.validity, h.grace_days, h.expires_at, o.open, o.available_at
  FROM (SELECT e.hold_id, sum(e.held_delta)::bigint AS open,
               (array_agg(e.meta ->> 'available_at' ORDER BY e.seq DESC) FILTER (WHERE e.meta ? 'available_at'))[1]
                 AS available_at
          FROM points_entries e WHERE {_MINE} AND e.hold_id IS NOT NULL
         GROUP BY e.hold_id HAVING sum(e.held_delta) > 0) o
  JOIN points_holds h ON (h.program_id, h.member_id, h.id) = (:p, :m, o.hold_id)"""  # noqa: S608 - our own words only

# What waited is active on the day that it was due, whenever that was noticed; and only if it lives until idle itself.
_ACTIVE = f"""
SELECT max(coalesce(h.expires_at, e.at)) FROM points_entries e
  LEFT JOIN points_holds h ON (h.program_id, h.member_id, h.id) = (:p, :m, e.hold_id) AND e.kind = :release
 WHERE {_MINE}
   AND (e.kind = ANY(:kinds) OR e.kind = :release AND starts_with(h.validity, 'idle:'))"""  # noqa: S608 - our own words

_FREEZES = (Kind.FREEZE, Kind.UNFREEZE)
_ACTIVITIES = (Kind.EARN, Kind.SPEND, Kind.CAPTURE, Kind.TRANSFER_OUT, Kind.TRANSFER_IN)


def account_at(session: Session, key: AccountKey, instant: datetime) -> Account | None:
    """The account as its entries up to the instant made it, never settled since; None when there were none yet.

    It has neither chain nor idle day: see `last_active`.
    """
    mine = (entries.c.program_id == key[0], entries.c.member_id == key[1], entries.c.asset_id == key[2])
    upto = select(entries).where(*mine, entries.c.at <= instant).order_by(entries.c.seq.desc()).limit(1)
    last = session.execute(upto).one_or_none()
    if last is None:
        return None
    buckets: list[int] = []
    for day, left in session.execute(text(_LOTS), _values(key, last.seq)):
        buckets += [day, left]
    debt = sum(buckets[1::2]) + last.held_after - last.balance_after
    frozen = select(entries.c.kind).where(*mine, entries.c.seq <= last.seq, entries.c.kind.in_(_FREEZES))
    state = session.execute(frozen.order_by(entries.c.seq.desc()).limit(1)).scalar_one_or_none()
    return Account(
        *key, last.balance_after, last.held_after, debt, last.seq, 0, None, b"", buckets, frozen=state == Kind.FREEZE
    )


def holds_at(session: Session, account: Account) -> list[tuple[Hold, datetime | None]]:
    """The holds that were open at the account's seq; with pending earnings the instant that they then waited for."""
    rows = session.execute(text(_HOLDS), _values(account.key, account.seq))
    return [
        (_hold(account, row), datetime.fromisoformat(row.available_at) if row.available_at else None) for row in rows
    ]


def last_active(session: Session, key: AccountKey, *, upto: int) -> datetime | None:
    """When, up to the seq, something was last earned or spent."""
    values = {**_values(key, upto), "kinds": [int(kind) for kind in _ACTIVITIES], "release": int(Kind.RELEASE)}
    return session.execute(text(_ACTIVE), values).scalar_one_or_none()


def _hold(account: Account, row: Row[Any]) -> Hold:
    return Hold(
        row.id.bytes,
        account.member_id,
        account.asset_id,
        row.amount,
        row.amount - row.open,
        epoch_us(row.expires_at),
        HoldState.OPEN,
        list(row.lots),
        Purpose(row.purpose),
        row.validity,
        row.grace_days,
    )


def _values(key: AccountKey, seq: int) -> dict[str, Any]:
    return {"p": key[0], "m": key[1], "s": key[2], "q": seq}
