"""Taking in outside events: each once, decided by the rules of that moment, posted, and remembered with its reasons."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlmodel import Session

from common import feed as facts
from services.points.database import feed
from services.points.intake import domain, repository
from services.points.intake.domain import Award, Event, EventReused, Order
from services.points.intake.repository import Subject
from services.points.ledger import use_cases as ledger
from services.points.ledger.domain import Kind, Line, Status
from services.points.ledger.use_cases import Command
from services.points.programs.use_cases import ProgramBook, program_book
from services.points.rules.domain import Decision, PublishedRule, context_of, decide
from services.points.rules.use_cases import live_rules

Result = dict[str, Any]


@dataclass(slots=True)
class _Work:
    """What one batch needs while it is decided."""

    book: ProgramBook
    rules: list[PublishedRule]
    known_orders: dict[tuple[int, str], Order]
    now: datetime
    lines: list[Line] = field(default_factory=list)
    awarded: list[tuple[Award, Result]] = field(default_factory=list)
    taken_back: list[tuple[bytes, Award, dict[str, Any]]] = field(default_factory=list)
    touched: dict[tuple[int, str], Order] = field(default_factory=dict)
    decided: list[tuple[Event, Result]] = field(default_factory=list)


def unknown_subjects(
    session: Session, *, program_id: int, subjects: Iterable[Subject]
) -> tuple[dict[Subject, int], list[Subject]]:
    """Who of the subjects is known here, and whom to ask levels about."""
    asked = list(dict.fromkeys(subjects))
    known = repository.known_subjects(session, program_id, asked)
    return known, [subject for subject in asked if subject not in known]


def remember_subjects(session: Session, *, program_id: int, members: dict[Subject, int]) -> None:
    """Keep what levels answered, so that it need not be asked again."""
    repository.remember_subjects(session, program_id, members)


def take_in(session: Session, *, program_id: int, events: Sequence[Event], now: datetime) -> list[Result]:
    """Take in the events in their order; one result each. An event that came before gives its first result again.

    The new ones are offered to the neighbours as facts. Raises `EventReused` (nothing is written) when
    a known source and id come with another content, and `EventFromTheFuture`.
    """
    known = repository.known_events(session, program_id, [event.key for event in events])
    work = _Work(program_book(session, program_id), live_rules(session, program_id), {}, now)
    fresh: dict[tuple[str, str], tuple[Event, Result]] = {}
    for event in events:
        domain.check_time(event, now=now)
        earlier = known[event.key].fingerprint if event.key in known else None
        if event.key in fresh:
            earlier = fresh[event.key][0].fingerprint
        if earlier is None:
            fresh[event.key] = (event, _blank(event))
        elif earlier != event.fingerprint:
            raise EventReused(event=event.cause)
    if fresh:
        _decide_all(session, work, list(fresh.values()))
        _write(session, work, program_id)
    return [_answer(event, known, fresh, seen) for event, seen in _first_seen(events)]


def show_event(session: Session, *, program_id: int, source: str, event_id: str) -> Any | None:
    """One event with what came of it and why, or None."""
    return repository.find_event(session, program_id, source, event_id)


def list_events(session: Session, *, program_id: int, member_id: int, limit: int) -> Any:
    """A member's events with what came of them, newest first."""
    return repository.list_events(session, program_id, member_id, limit=limit)


def _decide_all(session: Session, work: _Work, fresh: list[tuple[Event, Result]]) -> None:
    keys = {(event.member_id, event.data["order_id"]) for event, _ in fresh if event.type in _ORDER_EVENTS}
    if keys:
        work.known_orders = repository.lock_orders(session, work.book.program.program_id, keys)
    for event, result in fresh:
        work.decided.append((event, result))
        _ORDER_EVENTS.get(event.type, _award)(work, event, result)


def _on_paid(work: _Work, event: Event, result: Result) -> None:
    order = _order_of(work, event)
    why_not = domain.pay(order, event)
    if why_not:
        result["reason"] = why_not
        return
    order.awards = _award(work, event, result)
    _reverse_refunded(work, order, event, result)


def _on_refunded(work: _Work, event: Event, result: Result) -> None:
    order = _order_of(work, event)
    why_not = domain.refund(order, event)
    if why_not:
        result["reason"] = why_not
        return
    _reverse_refunded(work, order, event, result)


_ORDER_EVENTS = {"order.paid": _on_paid, "order.refunded": _on_refunded}


def _order_of(work: _Work, event: Event) -> Order:
    key = (event.member_id, event.data["order_id"])
    return work.touched.setdefault(key, work.known_orders.get(key) or Order(*key))


def _award(work: _Work, event: Event, result: Result) -> list[Award]:
    rules = [rule for rule in work.rules if rule.rule.trigger == event.type]
    context = context_of(event.type, event.time, event.data, work.book.program.time_zone) if rules else {}
    awards = []
    for published in rules:
        decision = decide(
            published.rule,
            context,
            event.time,
            code=published.code,
            version=published.version,
            version_id=published.version_id,
        )
        result["decisions"].append(_shown(decision))
        if decision.amount:
            awards.append(_earn(work, event, decision, result))
    return awards


def _earn(work: _Work, event: Event, decision: Decision, result: Result) -> Award:
    command = Command(
        scope=f"event:{event.source}",
        key=f"{event.id} {decision.rule}",
        kind=Kind.EARN,
        member_id=event.member_id,
        asset=decision.asset,
        amount=decision.amount,
        cause=event.cause,
        earned_at=event.time,
        validity=decision.validity,
        rule_version=decision.version_id,
    )
    line = ledger.line_of(work.book, command, now=work.now)
    work.lines.append(line)
    award = Award(
        decision.rule,
        decision.version or 0,
        decision.version_id or 0,
        decision.asset,
        decision.amount,
        line.posting_id.hex(),
    )
    work.awarded.append((award, result))
    return award


def _reverse_refunded(work: _Work, order: Order, event: Event, result: Result) -> None:
    for award in order.awards:
        amount = domain.to_reverse(order, award)
        if not amount:
            continue
        award.reversed += amount
        command = Command(
            scope=f"event:{event.source}",
            key=f"{event.id} {award.rule} reversal",
            kind=Kind.REVERSE,
            member_id=order.member_id,
            asset=award.asset,
            amount=amount,
            cause=event.cause,
            reverses_posting=bytes.fromhex(award.posting_id),
            rule_version=award.version_id,
        )
        line = ledger.line_of(work.book, command, now=work.now)
        work.lines.append(line)
        shown = {"rule": award.rule, "asset": award.asset, "amount": amount, "reason": None}
        result["reversed"].append(shown)
        work.taken_back.append((line.posting_id, award, shown))


def _write(session: Session, work: _Work, program_id: int) -> None:
    if work.lines:
        zones = {program_id: work.book.program.time_zone}
        outcomes = ledger.post(session, work.lines, zones=zones)
        refused = {outcome.posting_id: outcome.status for outcome in outcomes if outcome.status != Status.POSTED}
        if refused:
            _note_refused(work, refused)
    if work.touched:
        new = [order for key, order in work.touched.items() if key not in work.known_orders]
        known = [order for key, order in work.touched.items() if key in work.known_orders]
        repository.add_orders(session, program_id, new)
        repository.put_orders(session, program_id, known)
    repository.add_events(session, program_id, work.decided)
    for topic, decided in groupby(work.decided, key=lambda pair: pair[0].type):
        facts.append_many(session, feed, topic, [_fact(program_id, event) for event, _ in decided])


def _fact(program_id: int, event: Event) -> tuple[int, int | None, dict[str, Any]]:
    payload = {"event": event.cause, "time": event.time.isoformat(), "data": event.data}
    return program_id, event.member_id, payload


def _note_refused(work: _Work, refused: Mapping[bytes, Status]) -> None:
    """What the ledger refused was neither awarded nor taken back, and the results say so."""
    for award, result in work.awarded:
        if status := refused.get(bytes.fromhex(award.posting_id)):
            shown = next(one for one in result["decisions"] if one["rule"] == award.rule)
            shown.update(amount=0, reason=f"ledger_refused: {status.name.lower()}")
    for posting_id, award, shown in work.taken_back:
        if status := refused.get(posting_id):
            award.reversed -= shown["amount"]
            shown.update(amount=0, reason=f"ledger_refused: {status.name.lower()}")
    for order in work.touched.values():
        order.awards = [award for award in order.awards if bytes.fromhex(award.posting_id) not in refused]


def _shown(decision: Decision) -> dict[str, Any]:
    return {
        "rule": decision.rule,
        "version": decision.version,
        "asset": decision.asset,
        "amount": decision.amount,
        "reason": decision.reason,
    }


def _blank(event: Event) -> Result:
    return {"member_id": event.member_id, "decisions": [], "reversed": [], "reason": None}


def _first_seen(events: Sequence[Event]) -> Iterable[tuple[Event, bool]]:
    seen: set[tuple[str, str]] = set()
    for event in events:
        yield event, event.key in seen
        seen.add(event.key)


def _answer(event: Event, known: dict[Any, Any], fresh: dict[Any, tuple[Event, Result]], seen: bool) -> Result:
    repeated = event.key in known or seen
    result = known[event.key].result if event.key in known else fresh[event.key][1]
    return {"source": event.source, "id": event.id, "replayed": repeated, **result}
