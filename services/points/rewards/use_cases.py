"""Applying the neighbours' grants and their reversals, in the transaction of the feed's cursor."""

from datetime import datetime
from typing import Any

from sqlmodel import Session

from common import feed as facts
from common.clock import now
from common.errors import Refusal
from common.feed import Fact
from services.points.database import feed
from services.points.ledger import use_cases as ledger
from services.points.ledger.domain import Kind, Line, Outcome, Status
from services.points.ledger.use_cases import Command
from services.points.programs.use_cases import ProgramBook, forget_books, program_book
from services.points.rewards import domain, repository
from services.points.rewards.domain import Grant, Part


def apply_grants(session: Session, granted: list[Fact]) -> None:
    """Post the assets of `reward.granted` facts, each grant once; what cannot be posted is noted with its reason."""
    known = repository.lock_grants(session, {_key(fact) for fact in granted})
    fresh: list[tuple[Fact, Grant, list[Line]]] = []
    zones: dict[int, str] = {}
    for fact in granted:
        if _key(fact) in known or not _assets(fact):
            continue
        grant, lines = _prepare(session, fact, zones)
        known[_key(fact)] = grant
        fresh.append((fact, grant, lines))
    _post(session, fresh, zones)
    for fact, grant, _ in fresh:
        repository.add_grant(session, fact.program_id, grant, cause=fact.payload["cause"], rule=fact.payload["rule"])
        if grant.refused:
            _tell_refused(session, fact, grant.refused)


def reverse_grants(session: Session, reversed_: list[Fact]) -> None:
    """Take back what `reward.reversed` facts say of each grant: never more than it gave, in any order of sending."""
    known = repository.lock_grants(session, {_key(fact) for fact in reversed_})
    taken: list[tuple[Fact, Part, int, Line]] = []
    zones: dict[int, str] = {}
    for fact in reversed_:
        grant = known.get(_key(fact))
        if grant is None or grant.refused:
            # A grant without assets of ours, or one that was never posted: nothing of ours to take back.
            continue
        book = _book(session, fact.program_id, [part.asset for part in grant.parts])
        zones[fact.program_id] = book.program.time_zone
        taken += _reversals(book, grant, fact)
    if not taken:
        return
    outcomes = ledger.post(session, [line for *_, line in taken], zones=zones)
    for (fact, part, amount, _), outcome in zip(taken, outcomes, strict=True):
        if outcome.status != Status.POSTED:
            part.reversed -= amount
            _tell_refused(session, fact, _reason(ledger.refusal_of(outcome)))
    for program_id, member_id, grant_id in dict.fromkeys(_key(fact) for fact, *_ in taken):
        repository.mark_reversed(session, program_id, known[program_id, member_id, grant_id])


def _prepare(session: Session, fact: Fact, zones: dict[int, str]) -> tuple[Grant, list[Line]]:
    grant = Grant(fact.payload["grant_id"], _member(fact), [])
    at = datetime.fromisoformat(fact.payload["at"])
    lines: list[Line] = []
    try:
        book = _book(session, fact.program_id, [part["asset"] for part in _assets(fact)])
        for number, part in enumerate(_assets(fact)):
            command = Command(
                scope="grant",
                key=f"{grant.member_id}/{number}/{grant.grant_id}",
                kind=Kind.EARN,
                member_id=grant.member_id,
                asset=part["asset"],
                amount=part["amount"],
                cause=fact.payload["cause"],
                reason=fact.payload["rule"],
                earned_at=at,
                available_at=domain.awaits(book.asset(part["asset"]).pending, at, time_zone=book.program.time_zone),
            )
            lines.append(ledger.line_of(book, command, now=now()))
            grant.parts.append(Part(part["asset"], part["amount"], lines[-1].posting_id.hex()))
    except Refusal as refusal:
        # All or nothing: a grant with an asset that the program does not have gives none of its assets.
        return Grant(grant.grant_id, grant.member_id, [], refused=_reason(refusal)), []
    zones[fact.program_id] = book.program.time_zone
    return grant, lines


def _post(session: Session, fresh: list[tuple[Fact, Grant, list[Line]]], zones: dict[int, str]) -> None:
    """Post all grants together; only when the ledger refuses a line of them, each by itself, wholly or not at all."""
    together = [line for *_, lines in fresh for line in lines]
    if not together:
        return
    outcomes = ledger.post_all_or_nothing(session, together, zones=zones)
    if _refused(outcomes) is None:
        _note_cuts([part for _, grant, _ in fresh for part in grant.parts], outcomes)
        return
    for _, grant, lines in fresh:
        outcomes = ledger.post_all_or_nothing(session, lines, zones=zones) if lines else []
        refused = _refused(outcomes)
        if refused is not None:
            grant.parts, grant.refused = [], _reason(ledger.refusal_of(refused))
        else:
            _note_cuts(grant.parts, outcomes)


def _note_cuts(parts: list[Part], outcomes: list[Outcome]) -> None:
    """Note what the member's cap on a balance left of each part; a reversal then takes its share of that."""
    for part, outcome in zip(parts, outcomes, strict=True):
        if outcome.wanted is not None:
            part.amount, part.wanted = outcome.amount, outcome.wanted


def _refused(outcomes: list[Outcome]) -> Outcome | None:
    return next((one for one in outcomes if one.status not in (Status.POSTED, Status.NOT_ATTEMPTED)), None)


def _reversals(book: ProgramBook, grant: Grant, fact: Fact) -> list[tuple[Fact, Part, int, Line]]:
    taken = []
    for number, part in enumerate(grant.parts):
        amount = domain.to_reverse(part, numerator=fact.payload["numerator"], denominator=fact.payload["denominator"])
        if not amount:
            continue
        part.reversed += amount
        command = Command(
            # Named by the running total, for a reversal may be told again and grow under its id.
            scope="grant reversal",
            key=f"{grant.member_id}/{number}/{part.reversed}/{grant.grant_id}",
            kind=Kind.REVERSE,
            member_id=grant.member_id,
            asset=part.asset,
            amount=amount,
            cause=fact.payload["cause"],
            reverses_posting=bytes.fromhex(part.posting_id),
            # Staff may have taken some of it back by hand before.
            up_to=True,
        )
        taken.append((fact, part, amount, ledger.line_of(book, command, now=now())))
    return taken


def _book(session: Session, program_id: int, assets: list[str]) -> ProgramBook:
    book = program_book(session, program_id)
    if not all(asset in book.by_code for asset in assets):
        # What we remember may be two seconds old, and a refusal is for ever: look again.
        forget_books()
        book = program_book(session, program_id)
    return book


def _tell_refused(session: Session, fact: Fact, reason: str) -> None:
    payload = {"grant_id": fact.payload["grant_id"], "reason": reason}
    member_id = _member(fact)
    facts.append(session, feed, "grant.refused", program_id=fact.program_id, member_id=member_id, payload=payload)


def _reason(refusal: Refusal) -> str:
    return f"{refusal.code} {refusal.facts}" if refusal.facts else refusal.code


def _assets(fact: Fact) -> list[dict[str, Any]]:
    return [part for part in fact.payload["reward"] if part["kind"] == "asset"]


def _member(fact: Fact) -> int:
    assert fact.member_id is not None, "a grant is always to a member"
    return fact.member_id


def _key(fact: Fact) -> repository.Key:
    return fact.program_id, _member(fact), fact.payload["grant_id"]
