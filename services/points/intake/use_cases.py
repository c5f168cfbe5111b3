"""Taking in outside events: each once, decided by the rules of that moment, posted, and remembered with its reasons."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from sqlmodel import Session

from services.points.audiences import use_cases as audiences
from services.points.audiences.domain import NOBODY
from services.points.budgets import use_cases as budgets
from services.points.budgets.domain import SlotSpent
from services.points.intake import (
    awarding,
    claims_repository,
    deciding,
    domain,
    needs,
    orders_repository,
    repository,
    results,
)
from services.points.intake.batch import Batch, CutAndReversed, Cuts, Kept, Step, note_outcomes
from services.points.intake.domain import Event, EventKey, EventReused, Order
from services.points.intake.repository import Subject
from services.points.ledger import use_cases as ledger
from services.points.programs.use_cases import program_book
from services.points.rules.domain import Facts, decide_all
from services.points.rules.use_cases import LiveRules, live_set, versions_by_id


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


@dataclass(frozen=True, slots=True)
class Taken:
    """An event that was taken in, now or before (`replayed`), and what came of it, as JSON."""

    event: Event
    result: str
    replayed: bool


def take_in(session: Session, *, program_id: int, events: Sequence[Event], now: datetime) -> list[Taken]:
    """Take in the events in their order; one result each. An event that came before gives its first result again.

    The new ones are offered to the neighbours as facts. Raises `EventReused` (nothing is written) when
    a known source and id come with another content, and `EventFromTheFuture`.
    """
    domain.check_times(events, now=now)
    keys = [event.key for event in events]
    known = repository.known_events(session, program_id, keys)
    fresh: dict[EventKey, Event] = {}
    for key, event in zip(keys, events, strict=True):
        earlier = known.get(key) or fresh.get(key)
        if earlier is None:
            fresh[key] = event
        elif earlier.fingerprint != event.fingerprint:
            raise EventReused(event=event.cause)
    answers: dict[EventKey, str] = {}
    if known:
        told = in_full(session, program_id=program_id, kept=[row.result for row in known.values()])
        answers = {key: results.as_json(result) for key, result in zip(known, told, strict=True)}
    if fresh:
        answers |= zip(fresh, _take_in_fresh(session, program_id, list(fresh.values()), now), strict=True)
    # What comes twice in one request was taken in by its first.
    return [
        Taken(event, answers[key], replayed=fresh.pop(key, None) is None)
        for key, event in zip(keys, events, strict=True)
    ]


def take_in_ours(session: Session, *, program_id: int, events: Sequence[Event], now: datetime) -> None:
    """Take in what our own services say; what was taken in before stays as it was, whatever is said of it now."""
    known = repository.known_events(session, program_id, [event.key for event in events])
    fresh: dict[EventKey, Event] = {}
    for event in events:
        if event.key not in known:
            fresh.setdefault(event.key, event)
    if fresh:
        _take_in_fresh(session, program_id, list(fresh.values()), now)


def show_event(session: Session, *, program_id: int, source: str, event_id: str) -> dict[str, Any] | None:
    """One event with what came of it and why, or None."""
    row = repository.find_event(session, program_id, source, event_id)
    return _shown(session, program_id, [row])[0] if row else None


def list_events(session: Session, *, program_id: int, member_id: int, limit: int) -> list[dict[str, Any]]:
    """A member's events with what came of them, newest first."""
    return _shown(session, program_id, repository.list_events(session, program_id, member_id, limit=limit))


def list_events_of_order(
    session: Session, *, program_id: int, order_id: str, member_id: int | None, limit: int
) -> list[dict[str, Any]]:
    """Every event that named an order, oldest first: what was paid, confirmed and refunded, and what came of it."""
    rows = repository.list_events_of_order(session, program_id, order_id, member_id=member_id, limit=limit)
    return _shown(session, program_id, rows)


def in_full(session: Session, *, program_id: int, kept: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Results as they were answered, from those that are kept: with the words of every rule that was asked."""
    versions = versions_by_id(session, program_id=program_id, ids=results.versions_asked(kept))
    return [results.in_full(one, versions) for one in kept]


def _shown(session: Session, program_id: int, rows: Sequence[Any]) -> list[dict[str, Any]]:
    told = in_full(session, program_id=program_id, kept=[row.result for row in rows])
    return [{**row._mapping, "result": result} for row, result in zip(rows, told, strict=True)]


def _take_in_fresh(session: Session, program_id: int, fresh: list[Event], now: datetime) -> list[str]:
    """Take in new events, anew when the ledger knows better what a refund may take its share of.

    Returns what came of each, as it is answered.
    """
    book, cuts, kept = program_book(session, program_id), Cuts(), set[tuple[str, str]]()
    while needs.may_be_overtaken(book):
        try:
            with session.begin_nested():
                return _within_budgets(session, partial(Batch, book, now, cuts, kept), fresh)
        except CutAndReversed as cut:
            if cut.award in cuts and cuts[cut.award][0] <= cut.amount:
                raise  # what was learned is not learned again: each time there is less left to cut
            cuts[cut.award] = cut.amount, cut.reason
        except Kept as one:
            if one.award in kept:
                raise
            kept.add(one.award)
    return _within_budgets(session, partial(Batch, book, now), fresh)


def _within_budgets(session: Session, begin: Callable[[], Batch], fresh: list[Event]) -> list[str]:
    """Take them in; with every slot of the budgets locked when those of their members have too little."""
    batch = begin()
    live = live_set(session, batch.program_id)
    if not needs.draws_on_budgets(live.rules):
        return _process(session, batch, live, fresh, wide=True)
    try:
        with session.begin_nested():
            return _process(session, batch, live, fresh, wide=False)
    except SlotSpent:
        return _process(session, begin(), live, fresh, wide=True)


def _process(session: Session, batch: Batch, live: LiveRules, fresh: list[Event], *, wide: bool) -> list[str]:
    """Lock in one order: orders, windows of claims, budgets, accounts, events. Decide, award, post and write."""
    program_id = batch.program_id
    _lock_orders(session, batch, live, fresh)
    _decide(session, batch, live, fresh)
    keys, named = needs.windows_needed(batch)
    if keys:
        batch.windows = claims_repository.lock_windows(session, program_id, keys)
        needs.reach_windows(batch)
        claims_repository.read_moves(session, program_id, batch.windows, named)
        # Whoever confirms one of these orders waits for our windows: what we read here is what there is to know.
        batch.told = orders_repository.read_orders(session, program_id, needs.orders_to_ask(batch))
    pots = needs.budgets_needed(batch)
    if pots:
        batch.pots = budgets.open_pots(session, program_id=program_id, needs=pots, wide=wide)
    awarding.award(batch)
    return _write(session, batch)


def _lock_orders(session: Session, batch: Batch, live: LiveRules, fresh: list[Event]) -> None:
    """Lock the orders that events are about, and those that they name where awards wait, or may, for such an event."""
    keys = {(event.member_id, event.data["order_id"]) for event in fresh if event.type in domain.ORDER_EVENTS}
    types = needs.types_awaited(batch.book, live.rules)
    if types:
        keys |= needs.waiting_orders(batch.book, live.rules, fresh)
    named = needs.orders_named(fresh, types)
    if not keys and not named:
        return
    found = orders_repository.lock_orders(session, batch.program_id, keys.union(*named.values()))
    batch.named = needs.orders_told(fresh, named, found, types)
    keys = keys.union(*batch.named.values())
    batch.known = keys & found.keys()
    batch.orders = {key: found.get(key) or Order(*key) for key in keys}


def _decide(session: Session, batch: Batch, live: LiveRules, fresh: list[Event]) -> None:
    asked: dict[int, list[datetime]] = {}
    if live.rules.asks_about_members:
        for event in fresh:
            asked.setdefault(event.member_id, []).append(event.time)
    members = audiences.memberships(session, program_id=batch.program_id, asked=asked) if asked else {}
    zone, program_id = batch.zone, batch.program_id
    for event in fresh:
        step = Step(event)
        batch.steps.append(step)
        step.reason = deciding.note_on_order(batch, step)
        if step.reason is None and batch.named:
            deciding.tell_orders(batch, step)
        panel = live.rules.panel(event.type)
        if step.reason is None and panel is not None and event.type != "order.refunded":
            member = members[event.member_id, event.time] if members else NOBODY
            facts = Facts(event.type, event.time, event.data, member)
            decisions = decide_all(
                live.rules, live.groups, facts, zone=zone, program_id=program_id, member_id=event.member_id
            )
            deciding.note_decisions(batch, step, panel, decisions)


def _write(session: Session, batch: Batch) -> list[str]:
    program_id = batch.program_id
    if batch.lines:
        note_outcomes(batch, ledger.post(session, batch.lines, zones={program_id: batch.zone}))
    if batch.windows:
        claims_repository.put_windows(session, program_id, batch.windows)
    if batch.pots:
        budgets.close_pots(session, program_id=program_id, pots=batch.pots)
    for order in batch.orders.values():
        order.awards = [award for award in order.awards if award.amount]
    if batch.orders:
        new = [order for key, order in batch.orders.items() if key not in batch.known and order.is_to_keep]
        orders_repository.add_orders(session, program_id, new)
        orders_repository.put_orders(session, program_id, [batch.orders[key] for key in batch.known])
    if batch.amended:
        repository.amend_events(session, program_id, batch.amended)
    texts = [step.result() for step in batch.steps]
    kept = [(step.event, text) for step, (_, text) in zip(batch.steps, texts, strict=True)]
    repository.add_events(session, program_id, kept)
    return [answer for answer, _ in texts]
