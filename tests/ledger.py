"""The ledger without a database: builders of accounts and lines, and a shelf that keeps what folds write."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from typing import Any

from common.clock import epoch_day
from services.points.ledger.books import AccountKey, Books, Known, Tally
from services.points.ledger.chain import opening
from services.points.ledger.domain import Account, Hold, HoldState, Kind, Line, Original, Outcome, Status
from services.points.ledger.fold import fold
from services.points.ledger.journal import Entry
from services.points.ledger.limits import asked_by, open_tallies
from services.points.ledger.settling import today

ZONE = "Asia/Shanghai"
#: Noon of 3 May 2026 in Shanghai.
NOON = datetime(2026, 5, 3, 4, 0, tzinfo=UTC)
TODAY = epoch_day(date(2026, 5, 3))
SECOND, HOUR, DAY = 1_000_000, 3_600_000_000, 86_400_000_000


def us(instant: datetime) -> int:
    """Microseconds since 1970."""
    return (instant - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


NOW = us(NOON)


def digest(name: str) -> bytes:
    """A posting id."""
    return sha256(name.encode()).digest()[:16]


def account(*buckets: int, **given: Any) -> Account:
    """An account whose figures fit its buckets, held and debt."""
    held, debt = given.get("held", 0), given.get("debt", 0)
    defaults: dict[str, Any] = {
        "program_id": 1,
        "member_id": 7,
        "asset_id": 1,
        "balance": sum(buckets[1::2]) + held - debt,
        "held": 0,
        "debt": 0,
        "seq": 0,
        "last_at_us": 0,
        "due_us": None,
        "head": opening(1, 7, 1),
        "lots": list(buckets),
    }
    return Account(**{**defaults, **given})


def line(kind: Kind, amount: int = 0, key: str = "key", **given: Any) -> Line:
    """A line under `key`; its fingerprint is everything that was given."""
    defaults: dict[str, Any] = {
        "posting_id": digest(key),
        "fingerprint": digest(repr((kind, amount, sorted(given.items())))),
        "program_id": 1,
        "member_id": 7,
        "asset_id": 1,
        "kind": kind,
        "amount": amount,
        "cause": f"test {key}",
    }
    if kind == Kind.EARN:
        defaults["lot_day"] = TODAY + 30
    if kind == Kind.HOLD:
        defaults["ttl_us"] = HOUR
    return Line(**{**defaults, **given})


def open_hold(*moves: int, key: str = "hold", **given: Any) -> Hold:
    """An open hold of what `moves` took."""
    amount = -sum(moves[1::2])
    made = Hold(digest(key), 7, 1, amount, 0, NOW + HOUR, HoldState.OPEN, list(moves))
    return replace(made, **given)


class Shelf:
    """Hands out books as `books_repository.load_books` does, and keeps what a fold changed as `write_books` does."""

    def __init__(self, zone: str = ZONE) -> None:
        self.zone = zone
        self.accounts: dict[AccountKey, Account] = {}
        self.known: dict[tuple[int, bytes], Known] = {}
        self.holds: dict[tuple[int, bytes], Hold] = {}
        self.entries: list[Entry] = []

    def post(self, *lines: Line, at: int = NOW, touch: Iterable[AccountKey] = ()) -> list[Outcome]:
        """Fold the lines and keep the result."""
        books = self.books(lines, at=at, touch=touch)
        answers = fold(books, lines)
        self._keep(books)
        return answers

    def books(self, lines: Iterable[Line], *, at: int = NOW, touch: Iterable[AccountKey] = ()) -> Books:
        """What the database would say about these lines; copies, as a read is."""
        lines = list(lines)
        keys = sorted({key for line in lines for key in (line.account, line.receiver) if key} | set(touch))
        named = {(line.program_id, line.hold_id) for line in lines}
        books = Books(
            now_us=at,
            zones={key[0]: self.zone for key in keys},
            accounts={key: self._account(key) for key in keys},
            reversing=any(line.kind == Kind.REVERSE for line in lines),
            known={key: self.known[key] for line in lines if (key := (line.program_id, line.posting_id)) in self.known},
        )
        for (program_id, hold_id), hold in self.holds.items():
            owner = (program_id, hold.member_id, hold.asset_id)
            due = owner in books.accounts and (books.accounts[owner].due_us or at + 1) <= at
            if (program_id, hold_id) in named or (due and hold.state == HoldState.OPEN):
                books.holds[program_id, hold_id] = replace(hold, moves=list(hold.moves))
        for line in lines:
            if line.kind == Kind.REVERSE:
                self._find_original(books, line)
            if line.gift:
                books.given[line.account] = self._given(line.account, today(at, self.zone))
        books.tallies = open_tallies(asked_by(lines), books.accounts, now_us=at, zones=books.zones)
        for key, tallies in books.tallies.items():
            for tally in tallies:
                self._count(tally, [it for it in self.entries if _key(it) == key], at)
        return books

    def _account(self, key: AccountKey) -> Account:
        names = dict(zip(("program_id", "member_id", "asset_id"), key, strict=True))
        kept = self.accounts.setdefault(key, account(**names, head=opening(*key)))
        return replace(kept, lots=list(kept.lots))

    def _find_original(self, books: Books, line: Line) -> None:
        known = self.known.get((line.program_id, line.reverses_posting or b""))
        seq = line.reverses or (known.outcome.seq if known and known.outcome.status == Status.POSTED else 0)
        for entry in self.entries:
            key = (entry.program_id, entry.member_id, entry.asset_id)
            if (key, entry.seq) == (line.account, seq):
                done = sum(e.reversed or 0 for e in self.entries if e.reverses == seq and _key(e) == key)
                moves = entry.moves
                if entry.kind == Kind.CAPTURE:
                    moves = self.holds[entry.program_id, entry.hold_id or b""].moves
                books.originals[key, seq] = Original(seq, entry.kind, entry.amount, done, moves, entry.hold_id)
                self._hand_out(books, entry)
                books.posted_seq[key, entry.posting_id] = seq

    def _hand_out(self, books: Books, entry: Entry) -> None:
        held = self.holds.get((entry.program_id, entry.hold_id or b""))
        if entry.kind == Kind.EARN and held is not None:
            books.holds.setdefault((entry.program_id, held.id), replace(held, moves=list(held.moves)))

    def _given(self, key: AccountKey, day: int) -> int:
        given = (it for it in self.entries if _key(it) == key and it.kind == Kind.TRANSFER_OUT)
        return -sum(it.amount for it in given if today(it.at_us, self.zone) == day)

    def _count(self, tally: Tally, entries: list[Entry], at: int) -> None:
        """What the entries of the period come to: those of the tally's side, less what was reversed of them since."""
        made = [it for it in entries if it.at_us >= tally.start_us]
        tally.first_seq = made[0].seq if made else len(entries) + 1
        held = [self.holds[it.program_id, it.hold_id or b""] for it in made if it.kind == Kind.HOLD]
        tally.holds = {it.id for it in held}
        counted = [it for it in made if it.kind == tally.side]
        tally.used = sum(abs(it.amount) for it in counted)
        seqs = {it.seq for it in counted}
        if tally.side == Kind.SPEND:
            open_ = [it for it in held if it.state == HoldState.OPEN and it.expires_at_us > at]
            tally.used += sum(it.amount for it in open_) + sum(it.captured for it in held)
            seqs |= {it.seq for it in entries if it.kind == Kind.CAPTURE and it.hold_id in tally.holds}
        tally.used -= sum(it.reversed or 0 for it in entries if it.reverses in seqs)

    def _keep(self, books: Books) -> None:
        changed = books.settled | {_key(entry) for entry in books.entries}
        self.accounts.update({key: it for key, it in books.accounts.items() if key in changed})
        self.entries += books.entries
        self.holds.update({**books.changed_holds, **books.new_holds})
        for line, outcome in books.outcomes:
            self.known[line.program_id, line.posting_id] = Known(line.fingerprint, outcome)


def _key(entry: Entry) -> AccountKey:
    return entry.program_id, entry.member_id, entry.asset_id
