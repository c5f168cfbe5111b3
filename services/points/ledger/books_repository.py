"""Loading and writing the books of a fold, over the session's own transaction."""

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from psycopg import Connection
from sqlmodel import Session

from common import arrays, feed
from common.clock import day_start, from_epoch_day
from services.points.ledger import posting_sql as sql
from services.points.ledger.books import AccountKey, Books, Known
from services.points.ledger.chain import opening
from services.points.ledger.domain import Account, Hold, HoldState, Kind, Line, Original, Outcome, Purpose, Status
from services.points.ledger.settling import today

Raw = Connection[tuple[Any, ...]]


def load_books(
    session: Session, lines: Sequence[Line], *, zones: dict[int, str], touch: Iterable[AccountKey] = ()
) -> Books:
    """Lock the accounts of the lines, payers and receivers, and of `touch`, in key order; read what the fold needs.

    Keys are looked up after the locks, so a retry that raced its first sending finds the answer. Accounts that do not
    exist yet are made, in key order and before any is locked. Holds change under their account's lock only.
    """
    connection = _raw(session)
    transfers = [line for line in lines if line.gift]
    keys = sorted({line.account for line in lines} | {line.receiver or line.account for line in transfers} | set(touch))
    books = _lock_and_look(connection, keys, lines, zones)
    if len(books.accounts) < len(keys):
        heads = [opening(*key) for key in keys]
        connection.execute(sql.ADD_ACCOUNTS, (*_columns(keys, 3), arrays.blobs(heads)), prepare=True)
        books = _lock_and_look(connection, keys, lines, zones)
    _read_due_holds(connection, books)
    if transfers:
        _read_given(connection, books, transfers)
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
        changed = [(key, hold) for key, hold in books.changed_holds.items() if key not in books.new_holds]
        if changed:
            _change_holds(connection, changed)


def _raw(session: Session) -> Raw:
    return session.connection().connection.driver_connection  # type: ignore[return-value]


def _lock_and_look(connection: Raw, keys: Sequence[AccountKey], lines: Sequence[Line], zones: dict[int, str]) -> Books:
    held = sorted({(line.program_id, line.member_id, line.hold_id) for line in lines if line.hold_id})
    reversing = [line for line in lines if line.kind == Kind.REVERSE]
    with connection.pipeline():
        accounts = connection.execute(sql.LOCK_ACCOUNTS, _columns(keys, 3), prepare=True, binary=True)
        holds = _find_holds(connection, held) if held else ()
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
    return connection.execute(sql.FIND_HOLDS, _columns(held, 3, ids=(2,)), prepare=True, binary=True)


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
    rows = [
        (
            *(*key, a.balance, a.held, a.debt, a.seq, a.last_at_us, a.due_us, a.head, _array(a.lots)),
            *(int(a.frozen), a.idle_day),
        )
        for key, a in books.accounts.items()
        if key in changed
    ]
    connection.execute(sql.WRITE_ACCOUNTS, _columns(rows, 13, texts=(10,), blobs=(9,)), prepare=True)


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
            *(int(h.purpose), h.grace_days, _array(h.moves), reasons.get(h.id, ""), h.validity),
        )
        for (program_id, _), h in books.new_holds.items()
    ]
    connection.execute(sql.ADD_HOLDS, _columns(rows, 13, ids=(2,), texts=(10, 11, 12)), prepare=True)


def _change_holds(connection: Raw, changed: Sequence[tuple[tuple[int, bytes], Hold]]) -> None:
    rows = [
        (program_id, h.member_id, h.id, int(h.state), h.captured, h.expires_at_us, _array(h.moves))
        for (program_id, _), h in changed
    ]
    connection.execute(sql.CHANGE_HOLDS, _columns(rows, 7, ids=(2,), texts=(6,)), prepare=True)


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
