"""Loading and writing the books of a fold, over the session's own transaction."""

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from psycopg import Connection
from sqlmodel import Session

from common import arrays, feed
from services.points.ledger import posting_sql as sql
from services.points.ledger.chain import opening
from services.points.ledger.domain import Account, Hold, HoldState, Kind, Line, Original, Outcome, Status
from services.points.ledger.fold import AccountKey, Books, Known

Raw = Connection[tuple[Any, ...]]


def load_books(
    session: Session, lines: Sequence[Line], *, zones: dict[int, str], touch: Iterable[AccountKey] = ()
) -> Books:
    """Lock the accounts of the lines (and of `touch`) in key order and read what the fold needs to know.

    Keys are looked up after the locks, so a retry that raced its first sending finds the answer. Accounts that do not
    exist yet are made, in key order and before any is locked. Lock order: accounts, then holds, then keys.
    """
    connection = _raw(session)
    keys = sorted({line.account for line in lines} | set(touch))
    books = _lock_and_look(connection, keys, lines, zones)
    if len(books.accounts) < len(keys):
        heads = [opening(*key) for key in keys]
        connection.execute(sql.ADD_ACCOUNTS, (*_columns(keys, 3), arrays.blobs(heads)), prepare=True)
        books = _lock_and_look(connection, keys, lines, zones)
    _read_due_holds(connection, books)
    return books


def write_books(session: Session, books: Books) -> None:
    """Write what the fold changed: accounts, entries with their outbox pointers, postings and holds."""
    connection = _raw(session)
    with connection.pipeline():
        if books.entries or books.settled:
            _write_accounts(connection, books)
        if books.entries:
            _add_entries(connection, books)
            feed.append_pointers(session)
        if books.outcomes:
            _add_postings(connection, books.outcomes)
        if books.new_holds:
            _add_holds(connection, books)
        ended = [(key, hold) for key, hold in books.ended_holds.items() if key not in books.new_holds]
        if ended:
            _end_holds(connection, ended)


def _raw(session: Session) -> Raw:
    return session.connection().connection.driver_connection  # type: ignore[return-value]


def _lock_and_look(connection: Raw, keys: Sequence[AccountKey], lines: Sequence[Line], zones: dict[int, str]) -> Books:
    held = sorted({(line.program_id, line.member_id, line.hold_id) for line in lines if line.hold_id})
    reversing = [line for line in lines if line.kind == Kind.REVERSE]
    with connection.pipeline():
        accounts = connection.execute(sql.LOCK_ACCOUNTS, _columns(keys, 3), prepare=True, binary=True)
        holds = _lock_holds(connection, held) if held else ()
        postings = [(line.program_id, line.posting_id) for line in lines]
        known = connection.execute(sql.FIND_POSTINGS, _columns(postings, 2, ids=(1,)), prepare=True, binary=True)
        originals = _find_originals(connection, reversing) if reversing else ()
        clock = connection.execute(sql.CLOCK, prepare=True, binary=True)
    now = clock.fetchone()
    books = Books(
        now_us=now[0] if now else 0,
        zones=zones,
        accounts={row[:3]: Account(*row) for row in accounts},
        reversing=bool(reversing),
        known={(row[0], row[1]): _known(row) for row in known},
        holds={(row[0], row[1]): _hold(row) for row in holds},
    )
    for program, member, asset, seq, kind, amount, posting_id, moves, reversed_ in originals:
        account = (program, member, asset)
        books.originals[account, seq] = Original(seq, Kind(kind), amount, reversed_, moves)
        books.posted_seq[account, posting_id] = seq
    return books


def _lock_holds(connection: Raw, held: Sequence[tuple[int, int, bytes]]) -> Any:
    return connection.execute(sql.LOCK_HOLDS, _columns(held, 3, ids=(2,)), prepare=True, binary=True)


def _find_originals(connection: Raw, reversing: Sequence[Line]) -> Any:
    rows = [(*line.account, line.reverses or 0, line.reverses_posting) for line in reversing]
    return connection.execute(sql.FIND_ORIGINALS, _columns(rows, 5, ids=(4,)), prepare=True, binary=True)


def _read_due_holds(connection: Raw, books: Books) -> None:
    due = [
        key
        for key, account in books.accounts.items()
        if account.held and account.due_us is not None and account.due_us <= books.now_us
    ]
    if due:
        for row in connection.execute(sql.OPEN_HOLDS, _columns(due, 3), prepare=True, binary=True):
            books.holds.setdefault((row[0], row[1]), _hold(row))


def _known(row: tuple[Any, ...]) -> Known:
    _, key, fingerprint, status, kind, *rest = row
    return Known(fingerprint, Outcome(key, Status(status), Kind(kind), *rest))


def _hold(row: tuple[Any, ...]) -> Hold:
    _, key, member, asset, amount, captured, expires_at_us, state, moves = row
    return Hold(key, member, asset, amount, captured, expires_at_us, HoldState(state), moves)


def _write_accounts(connection: Raw, books: Books) -> None:
    # A settled account without a new entry has a new deadline: else the sweeper would come back to it for ever.
    changed = books.settled | {(entry.program_id, entry.member_id, entry.asset_id) for entry in books.entries}
    rows = [
        (*key, a.balance, a.held, a.debt, a.seq, a.last_at_us, a.due_us, a.head, _array(a.lots))
        for key, a in books.accounts.items()
        if key in changed
    ]
    connection.execute(sql.WRITE_ACCOUNTS, _columns(rows, 11, texts=(10,), blobs=(9,)), prepare=True)


def _add_entries(connection: Raw, books: Books) -> None:
    rows = [
        (
            *(e.program_id, e.member_id, e.asset_id, e.seq, int(e.kind), e.amount, e.held_delta, e.balance_after),
            *(e.held_after, e.posting_id, e.at_us, e.cause, e.rule_version, e.reverses, e.reversed, e.hold_id),
            *(_array(e.moves), json.dumps(e.meta, ensure_ascii=False) if e.meta else None, e.hash),
        )
        for e in books.entries
    ]
    connection.execute(sql.ADD_ENTRIES, _columns(rows, 19, ids=(9, 15), texts=(11, 16, 17), blobs=(18,)), prepare=True)


def _add_postings(connection: Raw, outcomes: Sequence[tuple[Line, Outcome]]) -> None:
    rows = [
        (
            *(line.program_id, o.posting_id, line.fingerprint, int(o.status), int(o.kind), o.member_id, o.asset_id),
            *(o.amount, o.seq, o.balance, o.held, o.debt, o.at_us, o.hold_id),
        )
        for line, o in outcomes
    ]
    connection.execute(sql.ADD_POSTINGS, _columns(rows, 14, ids=(1, 13), blobs=(2,)), prepare=True)


def _add_holds(connection: Raw, books: Books) -> None:
    reasons = {line.posting_id: str((line.meta or {}).get("reason", "")) for line, _ in books.outcomes}
    rows = [
        (
            *(program_id, h.member_id, h.id, h.asset_id, h.amount, h.captured, int(h.state), h.expires_at_us),
            *(_array(h.moves), reasons.get(h.id, "")),
        )
        for (program_id, _), h in books.new_holds.items()
    ]
    connection.execute(sql.ADD_HOLDS, _columns(rows, 10, ids=(2,), texts=(8, 9)), prepare=True)


def _end_holds(connection: Raw, ended: Sequence[tuple[tuple[int, bytes], Hold]]) -> None:
    rows = [(program_id, h.member_id, h.id, int(h.state), h.captured) for (program_id, _), h in ended]
    connection.execute(sql.END_HOLDS, _columns(rows, 5, ids=(2,)), prepare=True)


def _array(numbers: Iterable[int]) -> str:
    return "{" + ",".join(map(str, numbers)) + "}"


def _columns(
    rows: Sequence[Sequence[Any]],
    width: int,
    *,
    ids: Sequence[int] = (),
    texts: Sequence[int] = (),
    blobs: Sequence[int] = (),
) -> list[str]:
    """The rows turned into one array literal a column: of numbers, unless its position is named otherwise."""
    made: list[Callable[[Any], str]] = [arrays.numbers] * width
    for positions, make in ((ids, arrays.ids), (texts, arrays.texts), (blobs, arrays.blobs)):
        for position in positions:
            made[position] = make
    columns = zip(*rows, strict=True) if rows else [()] * width
    return [make(column) for make, column in zip(made, columns, strict=True)]
