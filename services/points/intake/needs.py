"""What a batch of decided events has to lock and know before it is awarded: windows of claims, orders, pots."""

from collections.abc import Container, Iterable, Iterator, Mapping
from typing import Any

from services.points.budgets.domain import Need, PotKey
from services.points.intake import claims, domain
from services.points.intake.batch import Batch, OrderKey, Step
from services.points.intake.domain import Award, ClaimKey, Event, EventKey, Order
from services.points.programs.pending import awaited
from services.points.programs.use_cases import ProgramBook
from services.points.rules.domain import PublishedRule, RuleSet

WindowKey = tuple[int, str]


def draws_on_budgets(rules: Iterable[PublishedRule]) -> bool:
    """Whether any of the rules has a pot that all members share."""
    return any(one.rule.budget is not None or any(cap.of == "rule" for cap in one.rule.caps) for one in rules)


def may_be_overtaken(book: ProgramBook) -> bool:
    """Whether only the ledger can say what some asset's awards come to, or whether refunds take them back."""
    return any(one.bounds_earnings or one.returns == "pending" for one in book.by_code.values())


def types_awaited(book: ProgramBook, rules: RuleSet) -> frozenset[str]:
    """The types of event, besides confirmations, that something earned from now on may wait for."""
    pendings = {asset.pending for asset in book.by_code.values()} | rules.pendings
    return frozenset(filter(None, map(awaited, pendings))) - {domain.CONFIRMED}


def waiting_orders(book: ProgramBook, rules: RuleSet, events: Iterable[Event]) -> set[OrderKey]:
    """Under which keys those of the events are kept that are of no order and whose awards may wait for another one."""
    keys = set()
    for event in events:
        panel = rules.panel(event.type) if event.type not in domain.ORDER_EVENTS else None
        if panel is not None:
            assets = [(one.rule.pending, book.by_code.get(one.rule.asset)) for one in panel.rules]
            pendings = {pending or asset.pending for pending, asset in assets if asset is not None}
            if {awaited(pending) for pending in pendings} - {None, domain.CONFIRMED}:
                keys.add((event.member_id, domain.own_order(event.cause)))
    return keys


def orders_named(events: Iterable[Event], types: Container[str]) -> dict[EventKey, list[OrderKey]]:
    """Under which keys is kept what the events name, besides their own order, that may wait for them."""
    named = {}
    for event in events:
        if event.type not in domain.ORDER_EVENTS or event.type in types:
            order_ids = domain.orders_named(event)
            if order_ids:
                named[event.key] = [(event.member_id, order_id) for order_id in order_ids]
    return named


def orders_told(
    events: Iterable[Event],
    named: Mapping[EventKey, list[OrderKey]],
    found: Mapping[OrderKey, Order],
    types: Container[str],
) -> dict[EventKey, list[OrderKey]]:
    """Of what the events name, that for which somebody waits for an event of the type, or may from now on."""
    told = {}
    for event in events:
        keys = named.get(event.key, ())
        meant = [key for key in keys if event.type in types or (key in found and event.type in found[key].told)]
        if meant:
            told[event.key] = meant
    return told


def windows_needed(batch: Batch) -> tuple[set[WindowKey], dict[WindowKey, set[str]]]:
    """Which windows the batch touches, and which known claims of them it is about, by their events."""
    keys = {(step.event.member_id, award.rule) for step in batch.steps for award in step.awards if award.is_claim}
    named: dict[WindowKey, set[str]] = {}
    for step in batch.steps:
        for claim in _claims_met(step):
            named.setdefault((step.event.member_id, claim.rule), set()).add(claim.event)
    return keys | set(named), named


def reach_windows(batch: Batch) -> None:
    """Say how far back each window must be known for what is new in it."""
    instants: dict[WindowKey, list[Any]] = {}
    limits: dict[WindowKey, set[tuple[str, int]]] = {}
    for step in batch.steps:
        member_id = step.event.member_id
        for award in step.awards:
            if award.is_claim:
                instants.setdefault((member_id, award.rule), []).append(award.at)
                limits.setdefault((member_id, award.rule), set()).update(award.limits)
        for claim in _claims_met(step):
            instants.setdefault((member_id, claim.rule), []).append(claim.at)
    for key, window in batch.windows.items():
        claims.reach(window, instants[key], limits.get(key, ()), time_zone=batch.zone)


def _claims_met(step: Step) -> Iterator[ClaimKey]:
    """The claims of the event's order, and of every order that waited for it."""
    if step.reason is None:
        if step.order is not None:
            yield from step.order.claims
        for order in step.tells:
            if order is not step.order:
                yield from order.claims


def orders_to_ask(batch: Batch) -> set[tuple[int, str]]:
    """Orders outside the batch whose claims may grow by it, and wait for their confirmation."""
    return {
        (window.member_id, one.order_id)
        for window in batch.windows.values()
        for one in window.awards.values()
        if one.order_id is not None and one.pending != "none" and (window.member_id, one.order_id) not in batch.orders
    }


def budgets_needed(batch: Batch) -> dict[PotKey, Need]:
    """Which pots the batch may draw on or give back to, and how much each member may draw."""
    needs: dict[PotKey, Need] = {}
    for member_id, award, drawn in _with_pots(batch):
        for span, whole in award.spans.items():
            need = needs.setdefault((award.rule, span), Need())
            need.members[member_id] = need.members.get(member_id, 0) + drawn
            if drawn:
                need.whole = whole
    return needs


def _with_pots(batch: Batch) -> Iterable[tuple[int, Award, int]]:
    """Every award with pots that the batch may change, with its member and what it wants now, 0 when it is old."""
    new: set[int] = set()
    for step in batch.steps:
        for award in step.awards:
            if award.spans:
                new.add(id(award))
                yield step.event.member_id, award, award.wanted
    old = [(member_id, award) for (member_id, _), order in batch.orders.items() for award in order.awards]
    old += [(member_id, award) for (member_id, _), window in batch.windows.items() for award in window.awards.values()]
    yield from ((member_id, award, 0) for member_id, award in old if award.spans and id(award) not in new)
