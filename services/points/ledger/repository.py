"""Reads over the ledger: accounts, entries, holds, totals. Postings are written by `books_repository`."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, RowMapping, func, select, text
from sqlmodel import Session

from services.points.ledger.domain import Kind
from services.points.ledger.models import accounts, entries, holds
from services.points.programs.models import assets


@dataclass(frozen=True, slots=True)
class AccountView:
    """An account as stored, with its asset's code."""

    asset: str
    asset_id: int
    balance: int
    held: int
    debt: int
    seq: int
    lots: list[int]


def list_accounts(session: Session, program_id: int, member_id: int) -> list[AccountView]:
    """Every account of a member, in the order of the program's assets."""
    mine = _account_columns().where(accounts.c.program_id == program_id, accounts.c.member_id == member_id)
    return [AccountView(*row) for row in session.execute(mine.order_by(accounts.c.asset_id))]


def find_account(session: Session, program_id: int, member_id: int, asset_id: int) -> AccountView | None:
    """One account, or None when nothing was ever posted to it."""
    mine = (accounts.c.program_id == program_id, accounts.c.member_id == member_id, accounts.c.asset_id == asset_id)
    row = session.execute(_account_columns().where(*mine)).one_or_none()
    return AccountView(*row) if row else None


def open_holds(
    session: Session, program_id: int, member_id: int, asset_id: int
) -> list[tuple[datetime, int, list[int]]]:
    """Deadline, amount and lots of the account's open holds, in the order in which they end."""
    columns = (holds.c.expires_at, holds.c.amount, holds.c.lots)
    mine = select(*columns).where(
        holds.c.program_id == program_id,
        holds.c.member_id == member_id,
        holds.c.asset_id == asset_id,
        holds.c.state == 0,
    )
    ordered = mine.order_by(holds.c.expires_at, holds.c.id)
    return [(row[0], row[1], row[2]) for row in session.execute(ordered)]


def find_hold(session: Session, program_id: int, hold_id: uuid.UUID, member_id: int) -> Row[Any] | None:
    """One hold of a member with its asset's code, or None."""
    wanted = (
        select(holds, assets.c.code.label("asset"))
        .join(assets, (assets.c.program_id == holds.c.program_id) & (assets.c.id == holds.c.asset_id))
        .where(holds.c.program_id == program_id, holds.c.member_id == member_id, holds.c.id == hold_id)
    )
    return session.execute(wanted).one_or_none()


def list_entries(
    session: Session, program_id: int, member_id: int, asset_id: int, *, before: int | None, limit: int
) -> Sequence[Row[Any]]:
    """The account's entries, newest first, below `before`."""
    mine = select(entries).where(
        entries.c.program_id == program_id, entries.c.member_id == member_id, entries.c.asset_id == asset_id
    )
    if before is not None:
        mine = mine.where(entries.c.seq < before)
    return session.execute(mine.order_by(entries.c.seq.desc()).limit(limit)).all()


def entries_between(
    session: Session, program_id: int, member_id: int, asset_id: int, start: datetime, end: datetime
) -> Sequence[Row[Any]]:
    """The account's entries with start <= at < end, oldest first."""
    mine = select(entries).where(
        entries.c.program_id == program_id,
        entries.c.member_id == member_id,
        entries.c.asset_id == asset_id,
        entries.c.at >= start,
        entries.c.at < end,
    )
    return session.execute(mine.order_by(entries.c.seq)).all()


def balance_before(session: Session, program_id: int, member_id: int, asset_id: int, instant: datetime) -> int:
    """What the account's balance was right before an instant."""
    last = (
        select(entries.c.balance_after)
        .where(
            entries.c.program_id == program_id,
            entries.c.member_id == member_id,
            entries.c.asset_id == asset_id,
            entries.c.at < instant,
        )
        .order_by(entries.c.seq.desc())
        .limit(1)
    )
    return int(session.execute(last).scalar_one_or_none() or 0)


def totals(session: Session, program_id: int, asset_id: int) -> dict[Kind, int]:
    """Σ amount of all entries of an asset, by kind."""
    mine = (
        select(entries.c.kind, func.sum(entries.c.amount).label("amount"))
        .where(entries.c.program_id == program_id, entries.c.asset_id == asset_id)
        .group_by(entries.c.kind)
    )
    return {Kind(row.kind): int(row.amount) for row in session.execute(mine)}


def outstanding(session: Session, program_id: int, asset_id: int) -> tuple[int, int, int]:
    """Members to whom something was ever posted, Σ balance and Σ debt of an asset."""
    posted_to = func.count().filter(accounts.c.seq > 0)
    mine = select(
        posted_to, func.coalesce(func.sum(accounts.c.balance), 0), func.coalesce(func.sum(accounts.c.debt), 0)
    )
    row = session.execute(mine.where(accounts.c.program_id == program_id, accounts.c.asset_id == asset_id)).one()
    return int(row[0]), int(row[1]), int(row[2])


def due_accounts(session: Session, *, after: tuple[int, int, int], limit: int) -> list[tuple[int, int, int]]:
    """Keys behind `after` of accounts on which something is due by now, in key order: the sweeper's next chunk."""
    due = text(
        "SELECT program_id, member_id, asset_id FROM points_accounts"
        " WHERE due_at <= clock_timestamp() AND (program_id, member_id, asset_id) > (:p, :m, :s)"
        " ORDER BY program_id, member_id, asset_id LIMIT :limit"
    )
    values = {"p": after[0], "m": after[1], "s": after[2], "limit": limit}
    return [(row[0], row[1], row[2]) for row in session.execute(due, values)]


def expand_entries(session: Session, rows: Sequence[RowMapping]) -> list[dict[str, Any]]:
    """The payloads of `ledger.entry` facts, for which the outbox only holds pointers."""
    found = session.execute(
        text(
            "SELECT a.code, e.seq, e.kind, e.amount, e.held_delta, e.balance_after, e.held_after, e.at, e.cause"
            " FROM unnest(CAST(:p AS int[]), CAST(:m AS bigint[]), CAST(:s AS smallint[]), CAST(:q AS bigint[]))"
            " WITH ORDINALITY AS k(p, m, s, q, o)"
            " JOIN points_entries e ON (e.program_id, e.member_id, e.asset_id, e.seq) = (k.p, k.m, k.s, k.q)"
            " JOIN points_assets a ON (a.program_id, a.id) = (e.program_id, e.asset_id) ORDER BY k.o"
        ),
        {
            "p": [row["program_id"] for row in rows],
            "m": [row["member_id"] for row in rows],
            "s": [row["pointer"][0] for row in rows],
            "q": [row["pointer"][1] for row in rows],
        },
    )
    return [
        {
            "asset": code,
            "seq": seq,
            "kind": Kind(kind).name.lower(),
            "amount": amount,
            "held_delta": held_delta,
            "balance_after": balance,
            "held_after": held,
            "at": at.isoformat(),
            "cause": cause,
        }
        for code, seq, kind, amount, held_delta, balance, held, at, cause in found
    ]


def _account_columns() -> Any:
    return select(
        assets.c.code,
        accounts.c.asset_id,
        accounts.c.balance,
        accounts.c.held,
        accounts.c.debt,
        accounts.c.seq,
        accounts.c.lots,
    ).join(assets, (assets.c.program_id == accounts.c.program_id) & (assets.c.id == accounts.c.asset_id))
