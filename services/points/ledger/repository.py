"""Reads over the ledger: accounts, entries, holds, totals. What was before is read by `past_repository`."""

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, RowMapping, func, select, text
from sqlmodel import Session

from services.points.ledger.books import AccountKey
from services.points.ledger.domain import Kind
from services.points.ledger.models import accounts, entries, holds, postings
from services.points.programs.models import assets


def has_account(session: Session, program_id: int, member_id: int) -> bool:
    """Whether anything was ever posted to the member."""
    mine = (accounts.c.program_id == program_id, accounts.c.member_id == member_id, accounts.c.seq > 0)
    return session.execute(select(accounts.c.seq).where(*mine).limit(1)).first() is not None


def sums(session: Session, account: AccountKey, *, upto: int) -> dict[Kind, int]:
    """Σ amount of the account's entries up to the seq, by kind."""
    mine = _of(account, entries.c.seq <= upto)
    found = select(entries.c.kind, func.sum(entries.c.amount)).where(*mine).group_by(entries.c.kind)
    return {Kind(kind): int(amount) for kind, amount in session.execute(found)}


def find_hold(session: Session, program_id: int, hold_id: uuid.UUID, member_id: int) -> Row[Any] | None:
    """One hold of a member with its asset's code, or None."""
    wanted = (
        select(holds, assets.c.code.label("asset"))
        .join(assets, (assets.c.program_id == holds.c.program_id) & (assets.c.id == holds.c.asset_id))
        .where(holds.c.program_id == program_id, holds.c.member_id == member_id, holds.c.id == hold_id)
    )
    return session.execute(wanted).one_or_none()


def find_posted(session: Session, program_id: int, posting_id: uuid.UUID) -> Row[Any] | None:
    """The entry of a posting, the payer's of a transfer; None when there is none."""
    wanted = (
        select(entries)
        .join(
            postings,
            (postings.c.program_id == entries.c.program_id)
            & (postings.c.member_id == entries.c.member_id)
            & (postings.c.asset_id == entries.c.asset_id)
            & (postings.c.seq == entries.c.seq),
        )
        .where(postings.c.program_id == program_id, postings.c.id == posting_id)
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


def entries_from(session: Session, account: AccountKey, *, first: int, last: int, limit: int) -> Sequence[Row[Any]]:
    """The account's entries with first <= seq <= last, oldest first, at most `limit`."""
    mine = _of(account, entries.c.seq >= first, entries.c.seq <= last)
    return session.execute(select(entries).where(*mine).order_by(entries.c.seq).limit(limit)).all()


def last_before(session: Session, account: AccountKey, instant: datetime) -> tuple[int, int]:
    """The seq of the account's last entry before an instant and the balance after it; zeros when there is none."""
    last = select(entries.c.seq, entries.c.balance_after).where(*_of(account, entries.c.at < instant))
    row = session.execute(last.order_by(entries.c.seq.desc()).limit(1)).one_or_none()
    return (row.seq, row.balance_after) if row else (0, 0)


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
            "SELECT a.code, e.seq, e.kind, e.amount, e.held_delta, e.balance_after, e.held_after, e.at, e.cause,"
            " e.posting_id, e.rule_version, e.reverses, e.reversed, e.hold_id, e.lots"
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
            "available_delta": sum(moves[1::2]),
            "posting_id": str(posting_id),
            "rule_version": rule_version,
            "reverses": reverses,
            "reversed": reversed_,
            "hold_id": str(hold_id) if hold_id else None,
        }
        for code, seq, kind, amount, held_delta, balance, held, at, cause, *more in found
        for posting_id, rule_version, reverses, reversed_, hold_id, moves in (more,)
    ]


def _of(account: AccountKey, *more: ColumnElement[bool]) -> tuple[ColumnElement[bool], ...]:
    program_id, member_id, asset_id = account
    return (
        entries.c.program_id == program_id,
        entries.c.member_id == member_id,
        entries.c.asset_id == asset_id,
        *more,
    )
