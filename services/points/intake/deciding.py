"""What an event says of its order, and what the rules' decisions about it want to award."""

from collections.abc import Sequence

from services.points.intake import domain
from services.points.intake.batch import Batch, Step
from services.points.intake.domain import Award
from services.points.intake.results import refusals, shown
from services.points.programs.pending import awaited
from services.points.rules.caps import limits_of, window_of
from services.points.rules.domain import Decision
from services.points.rules.panel import Panel
from services.points.rules.rule import HOWEVER_OFTEN


def note_on_order(batch: Batch, step: Step) -> str | None:
    """Note what the event says of its order, if it is about one. Returns why it changes nothing, else None."""
    event = step.event
    note = domain.ORDER_EVENTS.get(event.type)
    if note is None:
        return None
    order = step.order = batch.orders[event.member_id, event.data["order_id"]]
    why_not = note(order, event)
    step.refunded_fen = order.refunded_fen
    if why_not is None:
        if event.type == domain.CONFIRMED:
            step.tells.append(order)
        # A refund takes back by itself; a payment or confirmation meets all refunds that came before it.
        step.refunds = order.refunds[-1:] if event.type == "order.refunded" else list(order.refunds)
    return why_not


def tell_orders(batch: Batch, step: Step) -> None:
    """Note on what the event names that it has come, where somebody waits for an event of its type."""
    for key in batch.named.get(step.event.key, ()):
        order = batch.orders.get(key)
        if order is not None and domain.tell(order, step.event):
            step.tells.append(order)


def note_decisions(batch: Batch, step: Step, panel: Panel, decisions: Sequence[Decision]) -> None:
    """Keep every decision for the event's result, and make awards of those that want something."""
    step.said = refusals(panel, decisions)
    for decision in decisions:
        if decision.wanted:
            award, made = _award_of(batch, step, decision), shown(decision)
            step.decisions.append(made)
            batch.shown[award.event, award.rule] = made
            step.awards.append(award)
            if award.order_id is not None and not award.is_claim:
                batch.orders[step.event.member_id, award.order_id].awards.append(award)


def _award_of(batch: Batch, step: Step, decision: Decision) -> Award:
    assert decision.version is not None, "live rules are published"
    assert decision.version_id is not None, "live rules are published"
    event = step.event
    award = Award(
        event.cause,
        event.time,
        decision.rule,
        decision.version,
        decision.version_id,
        decision.asset,
        decision.wanted,
        decision.pending or batch.book.asset(decision.asset).pending,
        decision.validity,
    )
    order = step.order
    event_type = awaited(award.pending)
    if event_type not in (None, domain.CONFIRMED):
        order = order or batch.orders[event.member_id, domain.own_order(event.cause)]
        order.told.setdefault(event_type, None)
    if order is not None:
        award.order_id = order.order_id
    if decision.factor:
        award.meta = {"base": decision.base, "factor": decision.factor, "campaign": decision.campaign}
    if decision.variant is not None:
        award.meta = {**(award.meta or {}), "variant": decision.variant}
    if decision.caps or decision.budget is not None or decision.frequency is not HOWEVER_OFTEN:
        _bind(award, decision, batch.zone)
    if batch.cuts and (event.cause, decision.rule) in batch.cuts:
        award.most, _ = batch.cuts[event.cause, decision.rule]
    return award


def _bind(award: Award, decision: Decision, zone: str) -> None:
    """Put on the award what limits it: the member's caps, the pots of all members, and what it may be alone."""
    award.limits = limits_of(decision.caps, decision.frequency)
    award.spans = {
        _span(cap.per, window_of(cap.per, award.at, zone)): cap.amount
        for cap in decision.caps
        if cap.of == "rule" and cap.per != "event"
    }
    if decision.budget is not None:
        award.spans["budget"] = decision.budget
    alone = min((cap.amount for cap in decision.caps if cap.per == "event"), default=decision.wanted)
    if alone < decision.wanted:
        award.most = alone


def _span(per: str, window: str) -> str:
    return per if per == window else f"{per} {window}"
