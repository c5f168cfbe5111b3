"""Settling: what is due on an account happens before anything else touches it, whoever comes first."""

from datetime import UTC, datetime
from functools import lru_cache

from common.clock import business_day, day_end, epoch_day, from_epoch_day
from services.points.ledger import holds, journal, lots
from services.points.ledger.books import Books
from services.points.ledger.domain import Account, Hold, HoldState, Purpose
from services.points.ledger.movements import expire_lots, keep_alive
from services.points.programs.validity import NEVER, idle_until, is_idle


def settle(books: Books, account: Account) -> None:
    """Let what is due on the account happen: dead holds and due earnings return lots, then dead lots expire."""
    if account.due_us is None or account.due_us > books.now_us:
        return
    zone = books.zones[account.program_id]
    mine = sorted(books.open_holds(account), key=lambda held: (held.expires_at_us, held.id))
    for held in mine:
        if held.expires_at_us <= books.now_us:
            _end(books, account, held, zone)
    _expire(books, account, today(books.now_us, zone))
    still_open = [held for held in mine if held.state == HoldState.OPEN]
    deadlines = [held.expires_at_us for held in still_open]
    if account.held > sum(held.left for held in still_open):
        # Something became due within this fold, for which not every hold was read: the next touch looks again.
        deadlines.append(books.now_us)
    account.due_us = min(deadlines, default=None)
    due_with_lots(account, zone)
    books.settled.add(account.key)


def due_at(account: Account, instant_us: int) -> None:
    """Bring `due` forward; it may be early (then settling finds nothing), never late."""
    if account.due_us is None or instant_us < account.due_us:
        account.due_us = instant_us


def due_with_lots(account: Account, zone: str) -> None:
    """Bring `due` forward to the end of the account's first lot, if that ever ends."""
    day = lots.earliest(account.lots, account.idle_day)
    if day != NEVER:
        due_at(account, lot_end_us(day, zone))


def today(now_us: int, zone: str) -> int:
    """The epoch day that `now` falls on in the zone."""
    return _day_of_quarter(now_us // 900_000_000, zone)


@lru_cache(maxsize=4096)
def _day_of_quarter(quarter: int, zone: str) -> int:
    # Every zone's midnight falls on a quarter of an hour, so the day is looked up once a quarter.
    return epoch_day(business_day(datetime.fromtimestamp(quarter * 900, UTC), zone))


@lru_cache(maxsize=16_384)
def lot_end_us(day: int, zone: str) -> int:
    """The instant after the last at which a lot of that day can be used, in microseconds."""
    return int(day_end(from_epoch_day(day), zone).timestamp()) * 1_000_000


def _end(books: Books, account: Account, held: Hold, zone: str) -> None:
    day = today(held.expires_at_us, zone)
    if held.purpose == Purpose.SPENDING:
        ended = holds.expire_hold(account, held, today=day)
    else:
        if held.validity and is_idle(held.validity):
            _expire(books, account, day)  # what had fallen idle before that day does not come back to life with it
            keep_alive(account, idle_until(held.validity, from_epoch_day(day)))
        ended = holds.release(account, held)
    books.entries.append(journal.write(account, ended, books.now_us))
    books.note_changed(account.program_id, held)


def _expire(books: Books, account: Account, day: int) -> None:
    dead = expire_lots(account, last_dead_day=day - 1)
    if dead:
        books.entries.append(journal.write(account, dead, books.now_us))
