"""Applying the neighbours' grants and their reversals, in the transaction of the feed's cursor."""

from typing import Any

from sqlmodel import Session

from common import feed as facts
from common.clock import now
from common.errors import Refusal
from common.feed import Fact
from services.points.database import feed
from services.points.ledger import use_cases as ledger
from services.points.ledger.domain import Kind, Line
from services.points.ledger.use_cases import Command
from services.points.programs.use_cases import ProgramBook, program_book
from services.points.rewards import domain, repository
from services.points.rewards.domain import Grant, Part


def apply_grants(session: Session, granted: list[Fact]) -> None:
    """Post the assets of `reward.granted` facts, each grant once; what cannot be posted is noted with its reason."""
    known = repository.lock_grants(session, {_key(fact) for fact in granted})
    lines: list[Line] = []
    zones: dict[int, str] = {}
    for fact in granted:
        if _key(fact) in known or not _assets(fact):
            continue
        grant = _grant(session, fact, lines, zones)
        known[_key(fact)] = grant
        repository.add_grant(session, fact.program_id, grant, cause=fact.payload["cause"], rule=fact.payload["rule"])
        if grant.refused:
            payload = {"grant_id": grant.grant_id, "reason": grant.refused}
            facts.append(
                session, feed, "grant.refused", program_id=fact.program_id, member_id=grant.member_id, payload=payload
            )
    if lines:
        ledger.post(session, lines, zones=zones)


def reverse_grants(session: Session, reversed_: list[Fact]) -> None:
    """Take back what `reward.reversed` facts say of each grant: never more than it gave, in any order of sending."""
    known = repository.lock_grants(session, {_key(fact) for fact in reversed_})
    lines: list[Line] = []
    zones: dict[int, str] = {}
    for fact in reversed_:
        grant = known.get(_key(fact))
        if grant is None or grant.refused:
            # A grant without assets of ours, or one that was never posted: nothing of ours to take back.
            continue
        book = program_book(session, fact.program_id)
        zones[fact.program_id] = book.program.time_zone
        lines += _reversals(book, grant, fact)
        repository.mark_reversed(session, fact.program_id, grant)
    if lines:
        ledger.post(session, lines, zones=zones)


def _grant(session: Session, fact: Fact, lines: list[Line], zones: dict[int, str]) -> Grant:
    grant = Grant(fact.payload["grant_id"], _member(fact), [])
    posted: list[Line] = []
    try:
        book = program_book(session, fact.program_id)
        for number, part in enumerate(_assets(fact)):
            command = Command(
                scope="grant",
                key=f"{grant.grant_id}/{number}",
                kind=Kind.EARN,
                member_id=grant.member_id,
                asset=part["asset"],
                amount=part["amount"],
                cause=fact.payload["cause"],
                reason=fact.payload["rule"],
            )
            posted.append(ledger.line_of(book, command, now=now()))
            grant.parts.append(Part(part["asset"], part["amount"], posted[-1].posting_id.hex()))
    except Refusal as refusal:
        # All or nothing: a grant with an asset that the program does not have gives none of its assets.
        return Grant(grant.grant_id, grant.member_id, [], refused=f"{refusal.code} {refusal.facts}")
    zones[fact.program_id] = book.program.time_zone
    lines += posted
    return grant


def _reversals(book: ProgramBook, grant: Grant, fact: Fact) -> list[Line]:
    lines = []
    for number, part in enumerate(grant.parts):
        amount = domain.to_reverse(part, numerator=fact.payload["numerator"], denominator=fact.payload["denominator"])
        if not amount:
            continue
        part.reversed += amount
        command = Command(
            scope="grant",
            key=f"{grant.grant_id}/{number}/reversal/{fact.payload['reversal_id']}",
            kind=Kind.REVERSE,
            member_id=grant.member_id,
            asset=part.asset,
            amount=amount,
            cause=fact.payload["cause"],
            reverses_posting=bytes.fromhex(part.posting_id),
        )
        lines.append(ledger.line_of(book, command, now=now()))
    return lines


def _assets(fact: Fact) -> list[dict[str, Any]]:
    return [part for part in fact.payload["reward"] if part["kind"] == "asset"]


def _member(fact: Fact) -> int:
    assert fact.member_id is not None, "a grant is always to a member"
    return fact.member_id


def _key(fact: Fact) -> repository.Key:
    return fact.program_id, _member(fact), fact.payload["grant_id"]
