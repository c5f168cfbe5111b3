"""The fold: a list of lines over locked accounts, giving the answers and everything there is to write. Pure.

A single posting is a list of one. Every touched account is settled first (what is due expires), then keys seen before
replay, then the line moves the account. One refused line refuses nothing but itself.
"""

from collections.abc import Iterable
from dataclasses import replace

from common.clock import from_epoch_us
from common.errors import Refusal
from services.points.ledger import holds, journal, limits, movements
from services.points.ledger.books import Books, Known
from services.points.ledger.domain import Account, Kind, Line, Movement, Original, Outcome, Status
from services.points.ledger.journal import Entry
from services.points.ledger.redatings import redate
from services.points.ledger.refusals import STATUS
from services.points.ledger.reversals import reverse
from services.points.ledger.settling import due_at, due_with_lots, lot_end_us, settle, today
from services.points.ledger.transfers import transfer
from services.points.programs.validity import IDLE, last_day

_REVERSIBLE = (Kind.EARN, Kind.SPEND, Kind.CAPTURE, Kind.REDATE)


def fold(books: Books, lines: Iterable[Line]) -> list[Outcome]:
    """Post the lines in order; the books then hold all that is to be written. Returns one outcome a line."""
    for account in books.accounts.values():
        settle(books, account)
    answers = [_answer(books, line) for line in lines]
    for account in books.accounts.values():
        settle(books, account)
    return answers


def _answer(books: Books, line: Line) -> Outcome:
    key = line.program_id, line.posting_id
    earlier = books.known.get(key)
    if earlier:
        return _replayed(books, line, earlier)
    account = books.accounts[line.account]
    settle(books, account)  # what an earlier line of this list brought back may be dead already
    try:
        movement = _move(books, account, line)
    except Refusal as refusal:
        outcome = _refused(books, line, STATUS[type(refusal)], refusal.facts)
    else:
        if line.idle_day is not None:
            movements.keep_alive(account, line.idle_day)
        entry = _write(books, account, movement, line)
        amount = entry.amount or entry.held_delta
        outcome = _outcome(account, line, Status.POSTED, amount, account.seq, movement.hold_id, entry.at_us)
        if line.bounds is not None and line.kind == Kind.EARN and amount < line.amount:
            outcome.wanted, outcome.facts = line.amount, {"capped": (entry.meta or {})["capped"]}
    books.outcomes.append((line, outcome))
    books.known[key] = Known(line.fingerprint, outcome)
    return outcome


def _move(books: Books, account: Account, line: Line) -> Movement:
    kind = line.kind
    if kind == Kind.EARN:
        return _earn(books, account, line)
    if line.bounds is not None and kind in (Kind.SPEND, Kind.HOLD):
        limits.check_spending(line, line.bounds, books.tallies.get(account.key, ()))
    if kind == Kind.SPEND:
        return movements.spend(account, line)
    if kind == Kind.HOLD:
        movement, made = holds.hold(account, line, now_us=books.now_us)
        books.add_hold(line.program_id, made)
        due_at(account, made.expires_at_us)
        return movement
    if kind in (Kind.CAPTURE, Kind.VOID):
        return _end_hold(books, account, line)
    if kind == Kind.DEFER:
        return _defer(books, account, line)
    if kind == Kind.TRANSFER_OUT:
        return _transfer(books, account, line)
    if kind == Kind.FREEZE:
        return movements.freeze(account)
    if kind == Kind.UNFREEZE:
        return movements.unfreeze(account)
    if kind == Kind.REDATE:
        return _redate(books, account, line)
    return _reverse(books, account, line)


def _earn(books: Books, account: Account, line: Line) -> Movement:
    if line.bounds is not None:
        there, capped = limits.earnable(account, line, line.bounds, books.tallies.get(account.key, ()))
        if there < line.amount:
            return _earn_in_part(books, account, line, there, capped)
    if line.pending is not None and line.pending.available_us > books.now_us:
        movement, made = holds.earn_pending(account, line, line.pending)
        books.add_hold(line.program_id, made)
        due_at(account, made.expires_at_us)
        return movement
    movement = movements.earn(account, line)
    if line.idle_day is not None:
        due_at(account, lot_end_us(line.idle_day, books.zones[line.program_id]))
    if line.lot_day < IDLE:
        due_at(account, lot_end_us(line.lot_day, books.zones[line.program_id]))
    return movement


def _earn_in_part(books: Books, account: Account, line: Line, there: int, capped: str) -> Movement:
    """What there is room for, may it be nothing; the entry says what was wanted and why it is less."""
    movement = _earn(books, account, replace(line, amount=there, bounds=None)) if there else Movement(Kind.EARN, 0)
    movement.meta = {**(movement.meta or {}), "wanted": line.amount, "capped": capped}
    return movement


def _end_hold(books: Books, account: Account, line: Line) -> Movement:
    held = books.hold_of(account, line.hold_id)
    zone = books.zones[line.program_id]
    day = today(books.now_us, zone)
    if line.kind == Kind.CAPTURE:
        movement = holds.capture(account, line, held, today=day)
    else:
        movement = holds.void(account, held, today=day)
    assert held is not None  # else it was refused
    books.note_changed(line.program_id, held)
    due_with_lots(account, zone)
    return movement


def _defer(books: Books, account: Account, line: Line) -> Movement:
    assert line.pending is not None, "a deferral says until when"
    held = holds.still_pending(books.hold_of(account, line.hold_id))
    available_at = from_epoch_us(line.pending.available_us)
    lot_day = last_day(held.validity or "", available_at, books.zones[line.program_id])
    movement = holds.defer(held, line.pending, lot_day=lot_day)
    books.note_changed(line.program_id, held)
    due_at(account, held.expires_at_us)
    return movement


def _transfer(books: Books, payer: Account, line: Line) -> Movement:
    assert line.gift is not None, "a transfer says to whom"
    receiver = books.accounts[line.receiver or payer.key]
    settle(books, receiver)
    out, into = transfer(payer, receiver, line, line.gift, given_today=books.given.get(payer.key, 0))
    books.given[payer.key] = books.given.get(payer.key, 0) + line.amount
    if line.idle_day is not None:
        movements.keep_alive(receiver, line.idle_day)
    _write(books, receiver, into, line)
    due_with_lots(receiver, books.zones[line.program_id])
    return out


def _redate(books: Books, account: Account, line: Line) -> Movement:
    assert line.redating is not None, "a redating says to when"
    zone = books.zones[line.program_id]
    movement = redate(account, line, line.redating, today=today(books.now_us, zone))
    due_with_lots(account, zone)
    return movement


def _reverse(books: Books, account: Account, line: Line) -> Movement:
    seq = line.reverses
    if seq is None:
        seq = books.posted_seq.get((line.account, line.reverses_posting or b""), 0)
    original = books.originals.get((line.account, seq))
    pending = books.hold_of(account, original.hold_id) if original and original.kind == Kind.EARN else None
    zone = books.zones[line.program_id]
    movement = reverse(account, line, original, pending, today=today(books.now_us, zone))
    assert original is not None  # else the reversal was refused
    if pending is not None and movement.hold_id:
        books.note_changed(line.program_id, pending)
    done = original.reversed + (movement.reversed or 0)
    books.originals[line.account, seq] = Original(
        seq, original.kind, original.amount, done, original.moves, original.hold_id
    )
    due_with_lots(account, zone)
    return movement


def _write(books: Books, account: Account, movement: Movement, line: Line) -> Entry:
    entry = journal.write(account, movement, books.now_us, line.posting_id, line.cause, line.rule_version, line.meta)
    books.entries.append(entry)
    if books.tallies:
        original = books.originals.get((account.key, entry.reverses)) if entry.reverses else None
        limits.count(entry, original, books.tallies.get(account.key, ()))
    if books.reversing and movement.kind in _REVERSIBLE:
        _remember_original(books, account, entry)
    return entry


def _remember_original(books: Books, account: Account, entry: Entry) -> None:
    """A line of the same list may reverse what was posted a moment ago."""
    key, moves = account.key, entry.moves
    if entry.kind == Kind.CAPTURE and entry.hold_id:
        moves = books.holds[entry.program_id, entry.hold_id].moves
    books.originals[key, entry.seq] = Original(entry.seq, entry.kind, entry.amount, 0, moves, entry.hold_id)
    books.posted_seq[key, entry.posting_id] = entry.seq


def _replayed(books: Books, line: Line, earlier: Known) -> Outcome:
    if earlier.fingerprint != line.fingerprint:
        return _refused(books, line, Status.KEY_REUSED)
    known = earlier.outcome
    return Outcome(
        known.posting_id,
        known.status,
        known.kind,
        known.member_id,
        known.asset_id,
        known.amount,
        known.seq,
        known.balance,
        known.held,
        known.debt,
        known.at_us,
        known.hold_id,
        known.wanted,
        known.facts,
        replayed=True,
    )


def _refused(books: Books, line: Line, status: Status, facts: dict[str, int | str] | None = None) -> Outcome:
    account = books.accounts[line.account]
    outcome = _outcome(account, line, status, line.amount, 0, line.hold_id, books.now_us)
    outcome.facts = facts or None
    return outcome


def _outcome(
    account: Account, line: Line, status: Status, amount: int, seq: int, hold_id: bytes | None, at_us: int
) -> Outcome:
    return Outcome(
        line.posting_id,
        status,
        line.kind,
        line.member_id,
        line.asset_id,
        amount,
        seq,
        account.balance,
        account.held,
        account.debt,
        at_us,
        hold_id,
    )
