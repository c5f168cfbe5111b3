"""What decided events are awarded: within members' caps and rules' budgets, with refunds taken back."""

from collections.abc import Iterable, Sequence
from typing import Any

from services.points.budgets.domain import Need, PotKey, draw
from services.points.intake import claims, domain
from services.points.intake.batch import Batch, Step, defer, earn, reverse, shown_of
from services.points.intake.claims import Change, Given, Window
from services.points.intake.domain import Award, ClaimKey, Event, Order
from services.points.intake.results import refused, shown
from services.points.rules.caps import window_of
from services.points.rules.domain import Decision, PublishedRule

WindowKey = tuple[int, str]


def draws_on_budgets(rules: Iterable[PublishedRule]) -> bool:
    """Whether any of the rules has a pot that all members share."""
    return any(one.rule.budget is not None or any(cap.of == "rule" for cap in one.rule.caps) for one in rules)


def note_on_order(batch: Batch, step: Step) -> str | None:
    """Note what the event says of its order, if it is about one. Returns why it changes nothing, else None."""
    event = step.event
    note = domain.ORDER_EVENTS.get(event.type)
    if note is None:
        return None
    order = step.order = batch.orders[event.member_id, event.data["order_id"]]
    why_not = note(order, event)
    step.refunded_fen = order.refunded_fen
    step.confirms = why_not is None and event.type == "order.confirmed"
    if why_not is None:
        # A refund takes back by itself; a payment or confirmation meets all refunds that came before it.
        step.refunds = order.refunds[-1:] if event.type == "order.refunded" else list(order.refunds)
    return why_not


def note_decisions(batch: Batch, step: Step, decisions: Sequence[Decision]) -> None:
    """Keep every decision for the event's result, and make awards of those that want something."""
    for decision in decisions:
        if not decision.wanted:
            step.decisions.append(refused(decision.rule, decision.version, decision.asset, decision.reason))
            continue
        award, made = _award_of(batch, step, decision), shown(decision)
        step.decisions.append(made)
        batch.shown[award.event, award.rule] = made
        step.awards.append(award)
        if step.order is not None and not award.is_claim:
            step.order.awards.append(award)


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
    new = {(award.event, award.rule) for step in batch.steps for award in step.awards}
    for member_id, award in _all_awards(batch):
        drawn = award.wanted if (award.event, award.rule) in new else 0
        for span, whole in award.spans.items():
            need = needs.setdefault((award.rule, span), Need())
            need.members[member_id] = need.members.get(member_id, 0) + drawn
            if drawn:
                need.whole = whole
    return needs


def award(batch: Batch) -> None:
    """Award what was decided, event by event, and what that changes for others; take back what refunds take."""
    for step in batch.steps:
        member_id = step.event.member_id
        for one in step.awards:
            if not one.is_claim:
                _award(batch, one, member_id)
        if step.order is not None and step.reason is None:
            _reverse_refunded(batch, step, step.order)
        _add_claims(batch, step)
    for window in batch.windows.values():
        _settle(batch, window)
    for step in batch.steps:
        if step.confirms and step.order is not None:
            _defer(batch, step, step.order)


def _award_of(batch: Batch, step: Step, decision: Decision) -> Award:
    """The award that a decision asks for; a cap per event binds it at once."""
    event, zone = step.event, batch.zone
    assert decision.version is not None, "live rules are published"
    assert decision.version_id is not None, "live rules are published"
    limits = tuple((cap.per, cap.amount) for cap in decision.caps if cap.of == "member" or cap.per == "event")
    spans = {
        _span(cap.per, window_of(cap.per, event.time, zone)): cap.amount
        for cap in decision.caps
        if cap.of == "rule" and cap.per != "event"
    }
    if decision.budget is not None:
        spans["budget"] = decision.budget
    alone = min((amount for per, amount in limits if per == "event"), default=decision.wanted)
    meta = {"base": decision.base, "factor": decision.factor, "campaign": decision.campaign}
    return Award(
        event.cause,
        event.time,
        decision.rule,
        decision.version,
        decision.version_id,
        decision.asset,
        decision.wanted,
        pending=decision.pending or batch.book.asset(decision.asset).pending,
        validity=decision.validity,
        limits=limits if any(per != "event" for per, _ in limits) else (),
        spans=spans,
        most=alone if alone < decision.wanted else None,
        meta=meta if decision.factor else None,
        order_id=step.order.order_id if step.order else None,
    )


def _award(batch: Batch, award: Award, member_id: int) -> None:
    wanted = award.wanted if award.most is None else award.most
    award.amount, award.short = draw(batch.pots, award.rule, award.spans, member_id, wanted)
    capped = "event" if award.most is not None else None
    _show(batch, award, capped)
    if award.amount:
        earn(batch, award, member_id, award.amount)


def _reverse_refunded(batch: Batch, step: Step, order: Order) -> None:
    if order.paid_event is None:
        return
    for award in order.awards:
        amount = domain.to_reverse(award, refunded_fen=step.refunded_fen, paid_fen=order.paid_fen)
        if amount > 0:
            award.reversed += amount
            draw(batch.pots, award.rule, award.spans, order.member_id, -amount)
            step.reversed.append(reverse(batch, award, order.member_id, amount, step.event))


def _add_claims(batch: Batch, step: Step) -> None:
    """Put the step's claims into their windows, and the refunds of its order that are new to any of its claims."""
    member_id, event, order = step.event.member_id, step.event, step.order
    fresh = [award for award in step.awards if award.is_claim]
    for award in fresh:
        window = batch.windows[member_id, award.rule]
        if len(window.awards) >= claims.MOST_CLAIMS:
            shown_of(batch, award).update(amount=0, wanted=award.wanted, reason="capped: too_many_events")
            continue
        claims.add(window, award, event)
        if order is not None:
            order.claims.append(ClaimKey(award.rule, award.event, award.at))
    if order is None or order.paid_event is None or step.reason is not None:
        return
    for claim in order.claims:
        window = batch.windows[member_id, claim.rule]
        for refund in step.refunds:
            given = Given(refund.id, refund.at, claim.event, claim.at, refund.fen, order.paid_fen, by=event)
            if given.key not in window.releases:
                claims.give_back(window, given, event)


def _settle(batch: Batch, window: Window) -> None:
    if window.trigger is None:
        return
    # What grows comes first: what shrinks may already be spent, and should find what the member gets instead.
    for change in sorted(claims.settle(window, batch.pots, time_zone=batch.zone), key=lambda one: one.adjust <= 0):
        _post_change(batch, window, change, window.trigger)
    steps = {step.event.key: step for step in batch.steps}
    for given in window.releases.values():
        if given.by is not None and given.amount:
            award = window.awards[given.event]
            taken = reverse(batch, award, window.member_id, given.amount, given.by)
            steps[given.by.key].reversed.append(taken)


def _post_change(batch: Batch, window: Window, change: Change, trigger: Event) -> None:
    award = change.award
    if change.adjust > 0:
        earn(batch, award, window.member_id, change.adjust)
    elif change.adjust < 0:
        reverse(batch, award, window.member_id, -change.adjust, trigger)
    if award.event in window.added:
        _show(batch, award, change.capped)
    elif change.before != change.after:
        note = {"at": batch.now.isoformat(), "by": trigger.cause, "rule": award.rule}
        batch.amended.setdefault(award.event, []).append({**note, "from": change.before, "to": change.after})


def _defer(batch: Batch, step: Step, order: Order) -> None:
    """Awards of before this batch wait for the confirmation no longer; those of this batch knew of it already."""
    new = {(award.event, award.rule) for one in batch.steps for award in one.awards}
    known = [
        window.awards[claim.event]
        for claim in order.claims
        if (window := batch.windows[order.member_id, claim.rule]) and claim.event in window.awards
    ]
    for award in [*order.awards, *known]:
        if (award.event, award.rule) not in new:
            defer(batch, award, order.member_id, step.event)


def _all_awards(batch: Batch) -> Iterable[tuple[int, Award]]:
    """Every award that the batch may change, with its member."""
    for step in batch.steps:
        yield from ((step.event.member_id, award) for award in step.awards)
    new = {(award.event, award.rule) for step in batch.steps for award in step.awards}
    for (member_id, _), order in batch.orders.items():
        yield from ((member_id, award) for award in order.awards if (award.event, award.rule) not in new)
    for (member_id, _), window in batch.windows.items():
        yield from ((member_id, award) for award in window.awards.values())


def _show(batch: Batch, award: Award, capped: str | None) -> None:
    """What of the decision was truncated, and why."""
    made = shown_of(batch, award)
    made["amount"] = award.amount
    if award.amount < award.wanted:
        made["wanted"] = award.wanted
        if award.short == "budget":
            made["reason"] = "budget_spent"
        elif award.short is not None:
            made["reason"] = f"capped: {award.short.split(' ')[0]} of rule"
        else:
            made["reason"] = f"capped: {capped or 'event'}"


def _span(per: str, window: str) -> str:
    return per if per == window else f"{per} {window}"
