"""What a batch of decided events has to lock and know before it is awarded: windows of claims, orders, pots."""

from collections.abc import Iterable
from typing import Any

from services.points.budgets.domain import Need, PotKey
from services.points.intake import claims
from services.points.intake.batch import Batch
from services.points.intake.domain import Award
from services.points.rules.domain import PublishedRule

WindowKey = tuple[int, str]


def draws_on_budgets(rules: Iterable[PublishedRule]) -> bool:
    """Whether any of the rules has a pot that all members share."""
    return any(one.rule.budget is not None or any(cap.of == "rule" for cap in one.rule.caps) for one in rules)


def windows_needed(batch: Batch) -> tuple[set[WindowKey], dict[WindowKey, set[str]]]:
    """Which windows the batch touches, and which known claims of them it is about, by their events."""
    keys = {(step.event.member_id, award.rule) for step in batch.steps for award in step.awards if award.is_claim}
    named: dict[WindowKey, set[str]] = {}
    for step in batch.steps:
        for claim in step.order.claims if step.order and step.reason is None else ():
            named.setdefault((step.event.member_id, claim.rule), set()).add(claim.event)
    return keys | set(named), named


def reach_windows(batch: Batch) -> None:
    """Say how far back each window must be known for what is new in it."""
    instants: dict[WindowKey, list[Any]] = {}
    limits: dict[WindowKey, set[str]] = {}
    for step in batch.steps:
        member_id = step.event.member_id
        for award in step.awards:
            if award.is_claim:
                instants.setdefault((member_id, award.rule), []).append(award.at)
                limits.setdefault((member_id, award.rule), set()).update(per for per, _ in award.limits)
        for claim in step.order.claims if step.order and step.reason is None else ():
            instants.setdefault((member_id, claim.rule), []).append(claim.at)
    for key, window in batch.windows.items():
        claims.reach(window, instants[key], limits.get(key, ()), time_zone=batch.zone)


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
