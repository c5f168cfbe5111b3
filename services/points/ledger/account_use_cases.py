"""What can be asked of an account: what it holds, held or will hold, and why; one function a sentence.

Reading writes nothing. What is read by several statements is bounded by the account's seq, below which nothing changes.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlmodel import Session

from common.clock import business_day, epoch_us
from common.database import DriverConnection, driver_connection
from services.points.ledger import balances, limits, past_repository, present_repository, repository, tallies_repository
from services.points.ledger.balances import Balance, Month, Statement
from services.points.ledger.domain import LARGEST, Account, Hold, Kind, Purpose
from services.points.ledger.present_repository import Found, Held
from services.points.programs.use_cases import ProgramBook, program_book
from services.points.programs.validity import idle_until, is_idle, last_day


def show_accounts(connection: DriverConnection, book: ProgramBook, *, member_id: int, now: datetime) -> list[Balance]:
    """What a member owns of each asset, as the connection's transaction sees it."""
    [held] = present_repository.list_accounts(connection, [(book.program.program_id, member_id)])
    return show_all_present(book, held, now=now)


def show_all_present(book: ProgramBook, held: Sequence[Held], *, now: datetime) -> list[Balance]:
    """What was found of each asset, with what is due already subtracted; lifetimes are left out."""
    zone = book.program.time_zone
    found = {account.asset_id: (account, holds) for account, holds in held}
    return [
        balances.present(asset.code, *found[asset.id], {}, at=now, zone=zone)
        if asset.id in found
        else balances.nothing(asset.code, at=now)
        for asset in book.by_code.values()
    ]


def show_present(book: ProgramBook, asset: str, found: Found | None, *, at: datetime) -> Balance:
    """What was found of an asset as it stands now, or at a future instant: what time alone will do.

    Until then lots and holds end, and pending earnings become available.
    """
    if found is None:
        return balances.nothing(asset, at=at)
    return balances.present(asset, *found, at=at, zone=book.program.time_zone)


def show_account(
    session: Session, *, program_id: int, member_id: int, asset: str, as_of: datetime | None = None, now: datetime
) -> Balance:
    """What a member owns of one asset now, owned at a past instant, or will own at a future one.

    The past is folded from the entries, and is what a reader saw then (ledger.md §6.16); one committed within the last
    seconds may still be missing from it. Raises `UnknownAsset`.
    """
    book = program_book(session, program_id)
    instant = as_of or now
    key = (program_id, member_id, book.asset(asset).id)
    [found] = present_repository.find_accounts(driver_connection(session), [key])
    if instant >= now:
        return show_present(book, asset, found, at=instant)
    then = _as_it_was(session, book, found[0], instant) if found else None
    if then is None:
        return balances.nothing(asset, at=instant)
    sums = repository.sums(session, key, upto=then[0].seq)
    return balances.present(asset, *then, sums, at=instant, zone=book.program.time_zone)


def spendable(session: Session, *, program_id: int, member_id: int, asset: str, now: datetime) -> int | None:
    """The most that one posting may spend by the asset's limits, whatever there is; None when they bind nothing.

    Nothing is locked: what is posted meanwhile may leave less. Raises `UnknownAsset`.
    """
    book = program_book(session, program_id)
    owned = book.asset(asset)
    if owned.spending_limits is None:
        return None
    key, connection = (program_id, member_id, owned.id), driver_connection(session)
    [found] = present_repository.find_accounts(connection, [key])
    if found is None:
        return limits.spendable(owned.spending_limits, ())
    asked = [(key, Kind.SPEND, period) for period, _ in owned.spending_limits.periods]
    accounts, now_us = {key: found[0]}, epoch_us(now)
    tallies = limits.open_tallies(asked, accounts, now_us=now_us, zones={program_id: book.program.time_zone})
    tallies_repository.read_tallies(connection, tallies, accounts, now_us=now_us)
    return limits.spendable(owned.spending_limits, tallies.get(key, ()))


def list_entries(
    session: Session, *, program_id: int, member_id: int, asset: str, before: int | None, limit: int
) -> dict[str, Any]:
    """A page of the account's journal, newest first, and the seq to go on below (None at the end)."""
    asset_id = program_book(session, program_id).asset(asset).id
    rows = repository.list_entries(session, program_id, member_id, asset_id, before=before, limit=limit)
    return {"entries": rows, "next": rows[-1].seq if len(rows) == limit else None}


def list_news(
    session: Session, *, program_id: int, member_id: int, asset: str, after_seq: int, limit: int
) -> dict[str, Any]:
    """A page of the account's journal behind a seq, oldest first, and the seq to go on behind."""
    key = (program_id, member_id, program_book(session, program_id).asset(asset).id)
    rows = repository.entries_from(session, key, first=after_seq + 1, last=LARGEST, limit=limit)
    return {"entries": rows, "next": rows[-1].seq if rows else after_seq}


def month_of(
    session: Session, *, program_id: int, member_id: int, asset: str, month: str | None, now: datetime
) -> Month:
    """A member's month, the present one when none is named: its balances and which lines are in it.

    Raises `UnknownAsset`, `BadMonth`.
    """
    book = program_book(session, program_id)
    key = (program_id, member_id, book.asset(asset).id)
    month = month or business_day(now, book.program.time_zone).strftime("%Y-%m")
    start, end = balances.month_bounds(month, book.program.time_zone)
    (before, opening), (last, closing) = (repository.last_before(session, key, instant) for instant in (start, end))
    return Month(asset, month, opening, closing, before + 1, last)


def statement(
    session: Session, *, program_id: int, member_id: int, month: Month, after: int | None, limit: int
) -> Statement:
    """A page of the month's lines with their causes, those behind seq `after`; opening + Σ lines = closing."""
    key = (program_id, member_id, program_book(session, program_id).asset(month.asset).id)
    first = max(month.first, (after or 0) + 1)
    rows = repository.entries_from(session, key, first=first, last=month.last, limit=limit)
    if not rows:
        return Statement(month, month.closing, rows, month.closing, None)
    brought, carried = rows[0].balance_after - rows[0].amount, rows[-1].balance_after
    return Statement(month, brought, rows, carried, rows[-1].seq if rows[-1].seq < month.last else None)


def asset_totals(session: Session, *, program_id: int, asset: str, now: datetime) -> dict[str, Any]:
    """What was issued, redeemed, expired and is outstanding of an asset, over its whole life; ask in one snapshot."""
    asset_id = program_book(session, program_id).asset(asset).id
    members, outstanding, debt = repository.outstanding(session, program_id, asset_id)
    return {
        "asset": asset,
        "members": members,
        "outstanding": outstanding,
        "debt": debt,
        "as_of": now,
        **balances.flows(repository.totals(session, program_id, asset_id)),
    }


def _as_it_was(
    session: Session, book: ProgramBook, present: Account, instant: datetime
) -> tuple[Account, list[Hold]] | None:
    account = past_repository.account_at(session, present.key, instant)
    if account is None:
        return None
    zone = book.program.time_zone
    holds = [_hold_then(held, waited, zone) for held, waited in past_repository.holds_at(session, account)]
    account.idle_day = _idle_day_then(session, book, present, account)
    return account, holds


def _hold_then(held: Hold, awaited_at: datetime | None, zone: str) -> Hold:
    """The hold with the instant that it then waited for, if that was moved since; its lot's day was counted from it."""
    if held.purpose == Purpose.PENDING and awaited_at and epoch_us(awaited_at) != held.expires_at_us:
        held.expires_at_us = epoch_us(awaited_at)
        held.moves = [last_day(held.validity or "", awaited_at, zone), -held.amount]
    return held


def _idle_day_then(session: Session, book: ProgramBook, present: Account, account: Account) -> int | None:
    """Until when what lives until the account is idle then lived: counted from the last earning or spending before."""
    key, validity = account.key, book.by_id[account.asset_id].validity
    active = past_repository.last_active(session, key, upto=account.seq)
    if present.idle_day is None or active == past_repository.last_active(session, key, upto=present.seq):
        return present.idle_day
    if active is None or not is_idle(validity):
        return present.idle_day
    return min(present.idle_day, idle_until(validity, business_day(active, book.program.time_zone)))
