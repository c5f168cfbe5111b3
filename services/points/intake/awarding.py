"""What decided events are awarded: within members' caps and rules' budgets, with refunds taken back."""

from collections.abc import Container, Mapping

from services.points.budgets.domain import draw
from services.points.intake import claims, domain
from services.points.intake.batch import Batch, Step, defer, earn, keep, reverse, shown_of
from services.points.intake.claims import Change, Given, Window
from services.points.intake.domain import Award, ClaimKey, Event, EventKey, Order
from services.points.rules.caps import Share


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
    refunding = {step.event.key: step for step in batch.steps if step.refunds} if batch.windows else {}
    _cut(batch)
    for window in batch.windows.values():
        _settle(batch, window, refunding)
    confirming = [step for step in batch.steps if step.tells]
    new = {(award.event, award.rule) for step in batch.steps for award in step.awards} if confirming else set()
    for step in confirming:
        for order in step.tells:
            _defer(batch, step, order, new)


def _cut(batch: Batch) -> None:
    """Let claims be no more than what they are known to be cut to; a refund then takes its share of that."""
    for event, rule in batch.cuts:
        for window in batch.windows.values():
            if window.rule == rule and event in window.awards:
                window.awards[event].most, _ = batch.cuts[event, rule]


def _award(batch: Batch, award: Award, member_id: int) -> None:
    wanted = award.wanted if award.most is None else award.most
    award.amount, award.short = draw(batch.pots, award.rule, award.spans, member_id, wanted)
    if award.amount < award.wanted:
        _show(batch, award, Share(award.amount))
    if award.amount:
        earn(batch, award, member_id, award.amount)


def _reverse_refunded(batch: Batch, step: Step, order: Order) -> None:
    if order.paid_event is None or not step.refunded_fen:
        return
    for award in order.awards:
        amount = domain.to_reverse(award, refunded_fen=step.refunded_fen, paid_fen=order.paid_fen)
        if amount <= 0:
            continue
        if (award.event, award.rule) in batch.kept:
            # A confirmation has nothing to say of what earlier refunds left.
            if step.event.type == "order.refunded" or any(award is one for one in step.awards):
                step.reversed.append(keep(award))
            continue
        award.reversed += amount
        draw(batch.pots, award.rule, award.spans, order.member_id, -amount)
        step.reversed.append(reverse(batch, award, order.member_id, amount, step.event, refund=True))


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
        if award.order_id is not None:
            its_own = batch.orders[member_id, award.order_id]
            its_own.claims.append(ClaimKey(award.rule, award.event, award.at))
    if order is None or order.paid_event is None or step.reason is not None:
        return
    for claim in order.claims:
        window = batch.windows[member_id, claim.rule]
        for refund in step.refunds:
            # Of what is kept the refund has no part, now and whenever the window is counted again.
            kept = (claim.event, claim.rule) in batch.kept
            part = 0 if kept else refund.fen
            given = Given(refund.id, refund.at, claim.event, claim.at, part, order.paid_fen, by=event)
            if given.key not in window.releases:
                claims.give_back(window, given, event)
                if kept:
                    step.reversed.append(keep(window.awards[claim.event]))


def _settle(batch: Batch, window: Window, refunding: Mapping[EventKey, Step]) -> None:
    if window.trigger is None:
        return
    # What grows comes first: what shrinks may already be spent, and should find what the member gets instead.
    for change in sorted(claims.settle(window, batch.pots, time_zone=batch.zone), key=lambda one: one.adjust <= 0):
        _post_change(batch, window, change, window.trigger)
    for given in window.releases.values():
        if given.by is not None and given.amount:
            award = window.awards[given.event]
            taken = reverse(batch, award, window.member_id, given.amount, given.by, refund=True)
            refunding[given.by.key].reversed.append(taken)


def _post_change(batch: Batch, window: Window, change: Change, trigger: Event) -> None:
    award = change.award
    if change.adjust > 0:
        earn(batch, award, window.member_id, change.adjust)
    elif change.adjust < 0:
        reverse(batch, award, window.member_id, -change.adjust, trigger)
    if award.event in window.added:
        _show(batch, award, change.share)
    elif change.before != change.after:
        note = {"at": batch.now.isoformat(), "by": trigger.cause, "rule": award.rule}
        if (award.event, award.rule) in batch.cuts:
            _, note["reason"] = batch.cuts[award.event, award.rule]
        batch.amended.setdefault(award.event, []).append({**note, "from": change.before, "to": change.after})


def _defer(batch: Batch, step: Step, order: Order, new: Container[tuple[str, str]]) -> None:
    """Awards of before this batch wait for the event no longer; those that are `new` knew of it already."""
    known = [
        window.awards[claim.event]
        for claim in order.claims
        if (window := batch.windows[order.member_id, claim.rule]) and claim.event in window.awards
    ]
    for award in [*order.awards, *known]:
        if (award.event, award.rule) not in new:
            defer(batch, award, order, step.event)


def _show(batch: Batch, award: Award, share: Share) -> None:
    """What of the decision was truncated, and why."""
    made = shown_of(batch, award)
    made["amount"] = award.amount
    if award.amount < award.wanted:
        made["wanted"] = award.wanted
        if (award.event, award.rule) in batch.cuts:
            _, made["reason"] = batch.cuts[award.event, award.rule]
        elif award.short == "budget":
            made["reason"] = "budget_spent"
        elif award.short is not None:
            made["reason"] = f"capped: {award.short.split(' ')[0]} of rule"
        elif share.until is not None:
            made["reason"] = f"cooling_down: until {share.until.isoformat()}"
        else:
            made["reason"] = f"capped: {share.capped or 'event'}"
