"""The ledger from its entries alone: every account and hold folded again, without the code that posts."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from common import arrays
from services.points.ledger.chain import details, link, opening
from services.points.ledger.domain import HoldState, Kind, Purpose
from services.points.rebuild import Advance, Compared, Rebuild

_AT_ONCE = 10_000
_ENDINGS = {
    Kind.CAPTURE: HoldState.CAPTURED,
    Kind.VOID: HoldState.VOIDED,
    Kind.HOLD_EXPIRED: HoldState.EXPIRED,
    Kind.RELEASE: HoldState.RELEASED,
}

_ENTRIES = """
SELECT program_id, member_id, asset_id, seq, kind, amount, held_delta, balance_after, held_after,
       (extract(epoch FROM at) * 1000000)::bigint, posting_id, lots, cause, rule_version,
       reverses, reversed, hold_id, meta
  FROM points_entries ORDER BY program_id, member_id, asset_id, seq"""

_ADD_ACCOUNTS = """
INSERT INTO {0} (program_id, member_id, asset_id, balance, held, debt, seq, last_at, head, lots, frozen)
SELECT p, m, s, b, h, d, q, timestamptz 'epoch' + t * interval '1 microsecond', g, l::bigint[], f
  FROM unnest(CAST(:p AS int[]), CAST(:m AS bigint[]), CAST(:s AS smallint[]), CAST(:b AS bigint[]),
              CAST(:h AS bigint[]), CAST(:d AS bigint[]), CAST(:q AS bigint[]), CAST(:t AS bigint[]),
              CAST(:g AS bytea[]), CAST(:l AS text[]), CAST(:f AS boolean[])) AS k(p, m, s, b, h, d, q, t, g, l, f)"""

_ADD_HOLDS = """
INSERT INTO {0} (program_id, member_id, id, asset_id, amount, captured, state, purpose, lots, expires_at, validity)
SELECT p, m, i, s, a, c, z, u, l::bigint[], coalesce(x, 'epoch'), v
  FROM unnest(CAST(:p AS int[]), CAST(:m AS bigint[]), CAST(:i AS uuid[]), CAST(:s AS smallint[]),
              CAST(:a AS bigint[]), CAST(:c AS bigint[]), CAST(:z AS smallint[]), CAST(:u AS smallint[]),
              CAST(:l AS text[]), CAST(:x AS timestamptz[]), CAST(:v AS text[]))
       AS k(p, m, i, s, a, c, z, u, l, x, v)"""


@dataclass(slots=True)
class _Hold:
    amount: int
    purpose: Purpose
    moves: list[int]
    captured: int = 0
    state: HoldState = HoldState.OPEN
    waits_until: str | None = None
    validity: str | None = None


@dataclass(slots=True)
class _Account:
    """What the entries read so far make of one account; lots by day."""

    key: tuple[int, int, int]
    head: bytes
    balance: int = 0
    held: int = 0
    seq: int = 0
    last_at_us: int = 0
    frozen: bool = False
    lots: dict[int, int] = field(default_factory=dict)
    holds: dict[bytes, _Hold] = field(default_factory=dict)


def _steps(session: Session) -> int:
    return int(session.execute(text("SELECT count(*) FROM points_entries")).scalar_one())


def _build(session: Session, scratch: Mapping[str, str], advance: Advance) -> None:
    done: list[_Account] = []
    for account, entries in _accounts(session):
        done.append(account)
        if len(done) == _AT_ONCE:
            _write(session, scratch, done)
            done = []
        advance(entries)
    _write(session, scratch, done)


def _accounts(session: Session) -> Iterator[tuple[_Account, int]]:
    """Every account as its entries make it, and how many they are."""
    rows = session.execute(text(_ENTRIES), execution_options={"stream_results": True, "yield_per": _AT_ONCE})
    account, entries = None, 0
    for row in rows:
        key = (row[0], row[1], row[2])
        if account is None or account.key != key:
            if account is not None:
                yield account, entries
            account, entries = _Account(key, opening(*key)), 0
        _fold(account, row)
        entries += 1
    if account is not None:
        yield account, entries


def _fold(account: _Account, row: Any) -> None:
    _, _, _, seq, kind, amount, held_delta, balance, held, at_us, posting_id, moves, *told, hold, meta = row
    cause, rule_version, reverses, undone = told
    account.seq += 1
    account.balance += amount
    account.held += held_delta
    account.last_at_us = at_us
    account.frozen = kind == Kind.FREEZE or (account.frozen and kind != Kind.UNFREEZE)
    for day, moved in zip(moves[::2], moves[1::2], strict=True):
        account.lots[day] = account.lots.get(day, 0) + moved
    hold_id = hold.bytes if hold else None
    if hold_id:
        _fold_hold(account, hold_id, Kind(kind), amount, held_delta, moves, meta or {})
    account.head = link(
        account.head,
        program_id=account.key[0],
        member_id=account.key[1],
        asset_id=account.key[2],
        seq=seq,
        kind=kind,
        amount=amount,
        held_delta=held_delta,
        balance_after=balance,
        held_after=held,
        at_us=at_us,
        posting_id=posting_id.bytes,
        moves=moves,
        details=details(cause, rule_version, reverses, undone, hold_id, meta),
    )


def _fold_hold(
    account: _Account, hold_id: bytes, kind: Kind, amount: int, held_delta: int, moves: list[int], meta: dict[str, Any]
) -> None:
    if kind == Kind.HOLD:
        account.holds[hold_id] = _Hold(held_delta, Purpose.SPENDING, moves)
    elif kind == Kind.EARN:
        account.holds[hold_id] = _Hold(amount, Purpose.PENDING, [], validity=meta.get("validity"))
    hold = account.holds.get(hold_id)
    if hold is None:
        return  # its beginning is not there: then it is missing from what was rebuilt, and the difference says so
    hold.waits_until = meta.get("available_at", hold.waits_until)
    if kind in (Kind.CAPTURE, Kind.REVERSE):
        hold.captured -= amount
    hold.state = _ENDINGS.get(kind, hold.state)
    if kind == Kind.REVERSE and hold.captured == hold.amount:
        hold.state = HoldState.CAPTURED


def _write(session: Session, scratch: Mapping[str, str], done: list[_Account]) -> None:
    if not done:
        return
    lots = [[(day, left) for day, left in sorted(account.lots.items()) if left] for account in done]
    columns = {
        "p": arrays.numbers(account.key[0] for account in done),
        "m": arrays.numbers(account.key[1] for account in done),
        "s": arrays.numbers(account.key[2] for account in done),
        "b": arrays.numbers(account.balance for account in done),
        "h": arrays.numbers(account.held for account in done),
        "d": arrays.numbers(
            sum(left for _, left in mine) + account.held - account.balance
            for account, mine in zip(done, lots, strict=True)
        ),
        "q": arrays.numbers(account.seq for account in done),
        "t": arrays.numbers(account.last_at_us for account in done),
        "g": arrays.blobs(account.head for account in done),
        "l": arrays.lists([number for lot in mine for number in lot] for mine in lots),
        "f": arrays.texts(str(account.frozen) for account in done),
    }
    session.execute(text(_ADD_ACCOUNTS.format(scratch["points_accounts"])), columns)
    holds = [(account.key, hold_id, hold) for account in done for hold_id, hold in account.holds.items()]
    if holds:
        _write_holds(session, scratch, holds)


def _write_holds(
    session: Session, scratch: Mapping[str, str], holds: list[tuple[tuple[int, int, int], bytes, _Hold]]
) -> None:
    columns = {
        "p": arrays.numbers(key[0] for key, _, _ in holds),
        "m": arrays.numbers(key[1] for key, _, _ in holds),
        "s": arrays.numbers(key[2] for key, _, _ in holds),
        "i": arrays.ids(hold_id for _, hold_id, _ in holds),
        "a": arrays.numbers(hold.amount for _, _, hold in holds),
        "c": arrays.numbers(hold.captured for _, _, hold in holds),
        "z": arrays.numbers(int(hold.state) for _, _, hold in holds),
        "u": arrays.numbers(int(hold.purpose) for _, _, hold in holds),
        "l": arrays.lists(hold.moves for _, _, hold in holds),
        "x": arrays.texts(hold.waits_until for _, _, hold in holds),
        "v": arrays.texts(hold.validity for _, _, hold in holds),
    }
    session.execute(text(_ADD_HOLDS.format(scratch["points_holds"])), columns)


_ACCOUNT = Compared(
    "points_accounts",
    ("program_id", "member_id", "asset_id"),
    ("balance", "held", "debt", "seq", "last_at", "head", "lots", "frozen"),
    # An account that was only ever refused something has a row and no entry.
    where="(seq, balance, held, debt) <> (0, 0, 0, 0)",
)
_HOLD = Compared(
    "points_holds",
    ("program_id", "member_id", "id"),
    # A spending's deadline and a pending earning's lot are told by no entry: they lapse with the hold.
    (
        *("asset_id", "amount", "captured", "state", "purpose", "validity"),
        *("CASE purpose WHEN 0 THEN lots END", "CASE purpose WHEN 1 THEN expires_at END"),
    ),
)

REBUILD = Rebuild(name="ledger", tables=(_ACCOUNT, _HOLD), steps=_steps, build=_build)
