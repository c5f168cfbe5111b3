"""Loading and writing the books of a fold, over the session's own transaction."""

from collections.abc import Iterable, Sequence
from typing import Any

from psycopg import Connection
from sqlmodel import Session

from common import feed
from common.arrays import blobs, ids, lists, numbers, texts
from common.clock import day_start, from_epoch_day
from common.database import driver_connection
from common.json_text import encoder
from services.points.ledger import posting_sql as sql
from services.points.ledger.books import AccountKey, Books, Known
from services.points.ledger.chain import opening
from services.points.ledger.domain import Account, Hold, HoldState, Kind, Line, Original, Outcome, Purpose, Status
from services.points.ledger.journal import Entry
from services.points.ledger.limits import asked_by, open_tallies
from services.points.ledger.settling import today
from services.points.ledger.tallies_repository import read_tallies

_text = encoder()
Raw = Connection[tuple[Any, ...]]


def load_books(
    session: Session, lines: Sequence[Line], *, zones: dict[int, str], touch: Iterable[AccountKey] = ()
) -> Books:
    """Lock the accounts of the lines, payers and receivers, and of `touch`, in key order; read what the fold needs.

    Keys are looked up after the locks, so a retry that raced its first sending finds the answer. Accounts that do not
    exist yet are made, in key order and before any is locked. Holds change under their account's lock only.
    """
    connection = driver_connection(session)
    transfers = [line for line in lines if line.gift]
    keys = sorted({line.account for line in lines} | {line.receiver or line.account for line in transfers} | set(touch))
    books = _lock_and_look(connection, keys, lines, zones)
    if len(books.accounts) < len(keys):
        heads = [opening(*key) for key in keys]
        connection.execute(sql.ADD_ACCOUNTS, (*_columns(keys, 3), blobs(heads)), prepare=True)
        books = _lock_and_look(connection, keys, lines, zones)
    _read_due_holds(connection, books)
    limited = asked_by([line for line in lines if line.bounds])
    if limited:
        books.tallies = open_tallies(limited, books.accounts, now_us=books.now_us, zones=zones)
        read_tallies(connection, books.tallies, books.accounts, now_us=books.now_us)
    if transfers:
        _read_given(connection, books, transfers)
    return books


def write_books(session: Session, books: Books) -> None:
    """Write what the fold changed: accounts, entries with their outbox pointers, postings and holds."""
    connection = driver_connection(session)
    with connection.pipeline():
        if books.entries or books.settled:
            _write_accounts(connection, books)
        if books.entries:
            _add_entries(connection, books.entries)
            feed.append_pointers(session, ["ledger.entry"])
        if books.outcomes:
            _add_postings(connection, books.outcomes)
        if books.new_holds:
            _add_holds(connection, books)
        changed = [(key[0], hold) for key, hold in books.changed_holds.items() if key not in books.new_holds]
        if changed:
            _change_holds(connection, changed)


def _lock_and_look(connection: Raw, keys: Sequence[AccountKey], lines: Sequence[Line], zones: dict[int, str]) -> Books:
    held = sorted({(line.program_id, line.member_id, line.hold_id) for line in lines if line.hold_id})
    reversing = [line for line in lines if line.kind == Kind.REVERSE]
    with connection.pipeline():
        accounts = connection.execute(sql.LOCK_ACCOUNTS, _columns(keys, 3), prepare=True, binary=True)
        holds = _find_holds(connection, held) if held else ()
        postings = numbers([line.program_id for line in lines]), ids([line.posting_id for line in lines])
        known = connection.execute(sql.FIND_POSTINGS, postings, prepare=True, binary=True)
        originals = _find_originals(connection, reversing) if reversing else ()
        clock = connection.execute(sql.CLOCK, prepare=True, binary=True)
    now = clock.fetchone()
    books = Books(
        now_us=now[0] if now else 0,
        zones=zones,
        accounts={row[:3]: Account(*row) for row in accounts.fetchall()},
        reversing=bool(reversing),
        known={(row[0], row[1]): _known(row) for row in known},
        holds={(row[0], row[1]): _hold(row) for row in holds},
    )
    if originals:
        _note_originals(connection, books, originals)
    return books


def _note_originals(connection: Raw, books: Books, originals: Any) -> None:
    waited = []
    for program, member, asset, seq, kind, amount, posting_id, moves, hold_id, reversed_ in originals:
        account = (program, member, asset)
        books.originals[account, seq] = Original(seq, Kind(kind), amount, reversed_, moves, hold_id)
        books.posted_seq[account, posting_id] = seq
        if kind == Kind.EARN and hold_id and (program, hold_id) not in books.holds:
            waited.append((program, member, hold_id))
    if waited:
        # What was not available at once may still be pending; the account's lock already keeps others away.
        books.holds.update({(row[0], row[1]): _hold(row) for row in _find_holds(connection, sorted(waited))})


def _find_holds(connection: Raw, held: Sequence[tuple[int, int, bytes]]) -> Any:
    columns = *_columns([row[:2] for row in held], 2), ids([row[2] for row in held])
    return connection.execute(sql.FIND_HOLDS, columns, prepare=True, binary=True)


def _find_originals(connection: Raw, reversing: Sequence[Line]) -> Any:
    rows = [(*line.account, line.reverses or 0) for line in reversing]
    columns = *_columns(rows, 4), ids([line.reverses_posting for line in reversing])
    return connection.execute(sql.FIND_ORIGINALS, columns, prepare=True, binary=True)


def _read_due_holds(connection: Raw, books: Books) -> None:
    due = [
        key
        for key, account in books.accounts.items()
        if account.held and account.due_us is not None and account.due_us <= books.now_us
    ]
    if due:
        for row in connection.execute(sql.OPEN_HOLDS, _columns(due, 3), prepare=True, binary=True):
            books.holds.setdefault((row[0], row[1]), _hold(row))


def _read_given(connection: Raw, books: Books, transfers: Sequence[Line]) -> None:
    rows = []
    for account in sorted({line.account for line in transfers}):
        zone = books.zones[account[0]]
        day = from_epoch_day(today(books.now_us, zone))
        rows.append((*account, int(day_start(day, zone).timestamp()) * 1_000_000))
    for row in connection.execute(sql.GIVEN, _columns(rows, 4), prepare=True, binary=True):
        books.given[row[0], row[1], row[2]] = row[3]


def _known(row: tuple[Any, ...]) -> Known:
    _, key, fingerprint, status, kind, *rest = row
    return Known(fingerprint, Outcome(key, Status(status), Kind(kind), *rest))


def _hold(row: tuple[Any, ...]) -> Hold:
    _, key, member, asset, amount, captured, expires_at_us, state, moves, purpose, validity, grace_days = row
    figures = (member, asset, amount, captured, expires_at_us, HoldState(state), moves)
    return Hold(key, *figures, Purpose(purpose), validity, grace_days)


def _write_accounts(connection: Raw, books: Books) -> None:
    # A settled account without a new entry has a new deadline: else the sweeper would come back to it for ever.
    changed = books.settled | {(entry.program_id, entry.member_id, entry.asset_id) for entry in books.entries}
    accounts = [account for key, account in books.accounts.items() if key in changed]
    columns = (
        numbers([a.program_id for a in accounts]),
        numbers([a.member_id for a in accounts]),
        numbers([a.asset_id for a in accounts]),
        numbers([a.balance for a in accounts]),
        numbers([a.held for a in accounts]),
        numbers([a.debt for a in accounts]),
        numbers([a.seq for a in accounts]),
        numbers([a.last_at_us for a in accounts]),
        numbers([a.due_us for a in accounts]),
        blobs([a.head for a in accounts]),
        lists([a.lots for a in accounts]),
        numbers([int(a.frozen) for a in accounts]),
        numbers([a.idle_day for a in accounts]),
    )
    connection.execute(sql.WRITE_ACCOUNTS, columns, prepare=True)


def _add_entries(connection: Raw, entries: Sequence[Entry]) -> None:
    columns = (
        numbers([e.program_id for e in entries]),
        numbers([e.member_id for e in entries]),
        numbers([e.asset_id for e in entries]),
        numbers([e.seq for e in entries]),
        numbers([int(e.kind) for e in entries]),
        numbers([e.amount for e in entries]),
        numbers([e.held_delta for e in entries]),
        numbers([e.balance_after for e in entries]),
        numbers([e.held_after for e in entries]),
        ids([e.posting_id for e in entries]),
        numbers([e.at_us for e in entries]),
        texts([e.cause for e in entries]),
        numbers([e.rule_version for e in entries]),
        numbers([e.reverses for e in entries]),
        numbers([e.reversed for e in entries]),
        ids([e.hold_id for e in entries]),
        lists([e.moves for e in entries]),
        texts([_text(e.meta) if e.meta else None for e in entries]),
        blobs([e.hash for e in entries]),
    )
    connection.execute(sql.ADD_ENTRIES, columns, prepare=True)


def _add_postings(connection: Raw, outcomes: Sequence[tuple[Line, Outcome]]) -> None:
    answers = [outcome for _, outcome in outcomes]
    columns = (
        numbers([line.program_id for line, _ in outcomes]),
        ids([o.posting_id for o in answers]),
        blobs([line.fingerprint for line, _ in outcomes]),
        numbers([int(o.status) for o in answers]),
        numbers([int(o.kind) for o in answers]),
        numbers([o.member_id for o in answers]),
        numbers([o.asset_id for o in answers]),
        numbers([o.amount for o in answers]),
        numbers([o.seq for o in answers]),
        numbers([o.balance for o in answers]),
        numbers([o.held for o in answers]),
        numbers([o.debt for o in answers]),
        numbers([o.at_us for o in answers]),
        ids([o.hold_id for o in answers]),
    )
    connection.execute(sql.ADD_POSTINGS, columns, prepare=True)
    # A second statement for the few, so that all others do not carry columns of nothing.
    noted = [(line.program_id, o.posting_id, o.wanted, _text(o.facts)) for line, o in outcomes if o.facts]
    if noted:
        programs, keys, wanted, facts = zip(*noted, strict=True)
        told = numbers(programs), ids(keys), numbers(wanted), texts(facts)
        connection.execute(sql.NOTE_FACTS, told, prepare=True)


def _add_holds(connection: Raw, books: Books) -> None:
    reasons = {line.posting_id: str((line.meta or {}).get("reason", "")) for line, _ in books.outcomes}
    holds = list(books.new_holds.values())
    columns = (
        numbers([program_id for program_id, _ in books.new_holds]),
        numbers([h.member_id for h in holds]),
        ids([h.id for h in holds]),
        numbers([h.asset_id for h in holds]),
        numbers([h.amount for h in holds]),
        numbers([h.captured for h in holds]),
        numbers([int(h.state) for h in holds]),
        numbers([h.expires_at_us for h in holds]),
        numbers([int(h.purpose) for h in holds]),
        numbers([h.grace_days for h in holds]),
        lists([h.moves for h in holds]),
        texts([reasons.get(h.id, "") for h in holds]),
        texts([h.validity for h in holds]),
    )
    connection.execute(sql.ADD_HOLDS, columns, prepare=True)


def _change_holds(connection: Raw, changed: Sequence[tuple[int, Hold]]) -> None:
    columns = (
        numbers([program_id for program_id, _ in changed]),
        numbers([h.member_id for _, h in changed]),
        ids([h.id for _, h in changed]),
        numbers([int(h.state) for _, h in changed]),
        numbers([h.captured for _, h in changed]),
        numbers([h.expires_at_us for _, h in changed]),
        lists([h.moves for _, h in changed]),
    )
    connection.execute(sql.CHANGE_HOLDS, columns, prepare=True)


def _columns(rows: Sequence[Sequence[int]], width: int) -> list[str]:
    """Rows of numbers turned into one array literal a column."""
    return [numbers(column) for column in (zip(*rows, strict=True) if rows else [()] * width)]
