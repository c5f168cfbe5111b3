"""Accounts as they stand, each question by one statement: two would tell of two moments.

What is asked most often of all. Psycopg itself is given the statement: around one that finds a row by its key,
SQLAlchemy's session would take several times the time of the whole answer.
"""

import uuid
from collections.abc import Sequence
from typing import Any

from psycopg import Connection

from common.arrays import numbers
from services.points.ledger.books import AccountKey
from services.points.ledger.domain import Account, Hold, HoldState, Kind, Purpose

_US = "(extract(epoch FROM {0}) * 1000000)::bigint"
_ACCOUNT = f"""
SELECT a.program_id, a.member_id, a.asset_id, a.balance, a.held, a.debt, a.seq, {_US.format("a.last_at")},
       {_US.format("a.due_at")}, a.head, a.lots, a.frozen, a.idle_day,
       CASE WHEN a.held > 0 THEN (
         SELECT jsonb_agg(jsonb_build_array(
                  h.id, h.amount, h.captured, {_US.format("h.expires_at")}, h.lots, h.purpose, h.validity,
                  h.grace_days))
           FROM points_holds h
          WHERE (h.program_id, h.member_id, h.asset_id) = (a.program_id, a.member_id, a.asset_id) AND h.state = 0)
       END"""  # noqa: S608 - our own words only
_LIST = f"""{_ACCOUNT}
  FROM (SELECT DISTINCT p, m FROM unnest(%s::int[], %s::bigint[]) AS k(p, m)) k
 CROSS JOIN LATERAL (
       SELECT * FROM points_accounts WHERE (program_id, member_id) = (k.p, k.m) OFFSET 0) a
 ORDER BY a.asset_id"""  # noqa: S608 - our own words only
_FIND = f"""{_ACCOUNT},
       (SELECT jsonb_object_agg(kind, amount) FROM (
         SELECT e.kind, sum(e.amount)::bigint AS amount FROM points_entries e
          WHERE (e.program_id, e.member_id, e.asset_id) = (a.program_id, a.member_id, a.asset_id)
          GROUP BY e.kind) s)
  FROM unnest(%s::int[], %s::bigint[], %s::smallint[]) AS k(p, m, s)
 CROSS JOIN LATERAL (
       SELECT * FROM points_accounts WHERE (program_id, member_id, asset_id) = (k.p, k.m, k.s) LIMIT 1) a"""  # noqa: S608 - our own words only

#: Program and member.
Owner = tuple[int, int]
#: An account and its open holds.
Held = tuple[Account, list[Hold]]
#: An account, its open holds and Σ amount of its entries by kind.
Found = tuple[Account, list[Hold], dict[Kind, int]]


def list_accounts(connection: Connection[Any], owners: Sequence[Owner]) -> list[list[Held]]:
    """Every account of each of these, in the order of their program's assets; each list a copy of its own."""
    rows: dict[Owner, list[tuple[Any, ...]]] = {owner: [] for owner in owners}
    columns = [numbers(column) for column in zip(*owners, strict=True)]
    for row in connection.execute(_LIST, columns, prepare=True, binary=True):
        rows[row[:2]].append(row)
    return [[(Account(*row[:13]), _holds(row)) for row in rows[owner]] for owner in owners]


def find_accounts(connection: Connection[Any], keys: Sequence[AccountKey]) -> list[Found | None]:
    """The accounts of these keys, each a copy of its own; None where nothing was ever posted."""
    columns = [numbers(column) for column in zip(*keys, strict=True)]
    rows = {row[:3]: row for row in connection.execute(_FIND, columns, prepare=True, binary=True)}
    return [_found(rows[key]) if key in rows else None for key in keys]


def _found(row: tuple[Any, ...]) -> Found:
    return Account(*row[:13]), _holds(row), {Kind(int(kind)): amount for kind, amount in (row[14] or {}).items()}


def _holds(row: tuple[Any, ...]) -> list[Hold]:
    _, member_id, asset_id, *_ = row
    return [
        Hold(
            uuid.UUID(id_).bytes,
            member_id,
            asset_id,
            amount,
            captured,
            expires_at_us,
            HoldState.OPEN,
            moves,
            Purpose(purpose),
            validity,
            grace_days,
        )
        for id_, amount, captured, expires_at_us, moves, purpose, validity, grace_days in row[13] or ()
    ]
