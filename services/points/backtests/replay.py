"""Running recorded events through two sets of rules in memory: decisions, caps, budgets and refunds as intake has them.

Pure. The events come in the order of their time, so a claim is bound by what came before it, and nothing has to be
folded again.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta

from common.clock import business_day, day_end
from services.points.audiences.domain import NOBODY, Membership
from services.points.backtests.domain import TooMuchToRemember
from services.points.backtests.sides import Granted, Recorded, RefundedOrder, Replay, RuleFigures, Side
from services.points.backtests.verdicts import Bench, Verdicts
from services.points.rules.caps import COOLDOWN, PERIODS, TIMES, Claim, Limits, fold, often, returned, window_of
from services.points.rules.domain import HOWEVER_OFTEN, Decision, Facts

#: Cap windows and refunded orders that a run may remember at a time, about 300 bytes each.
MOST_REMEMBERED = 1_000_000
BUDGET = "budget"
#: What refunds of an order take back: the awards for its payment and its confirmation.
_OF_ORDERS = ("order.paid", "order.confirmed")
_NOTHING: Verdicts = ((), ())
_BEGAN = datetime(1970, 1, 1, tzinfo=UTC)


def begin(live: Side, candidate: Side, *, program_id: int, time_zone: str, since: datetime) -> Replay:
    """A replay before its first event."""
    sets, groups = (live.rules, candidate.rules), (live.groups, candidate.groups)
    waited_for = {one.rule.trigger for rules in sets for one in rules}
    benches = {trigger: Bench(sets, groups, trigger) for trigger in waited_for}
    return Replay(program_id, time_zone, since, live, candidate, benches)


def triggers(replay: Replay) -> list[str]:
    """The event types that matter: those a rule waits for, and refunds when payments are rewarded."""
    types = set(replay.benches)
    return sorted(types | {"order.paid", "order.refunded"} if types & set(_OF_ORDERS) else types)


def play(replay: Replay, events: Iterable[Recorded], memberships: Mapping[tuple[int, datetime], Membership]) -> None:
    """Run the next events, given who their members were at that time, and forget what no later event can meet."""
    last: datetime | None = None
    for event in events:
        last = event.time
        if last >= replay.tomorrow:
            day = business_day(last, replay.time_zone)
            replay.today, replay.tomorrow = day.isoformat(), day_end(day, replay.time_zone)
        if event.type == "order.refunded":
            _refund(replay, event)
        elif event.counted:
            _award(replay, event, memberships.get((event.member_id, event.time), NOBODY))
    if last is not None:
        _forget(replay, last)


def _award(replay: Replay, event: Recorded, member: Membership) -> None:
    bench, verdicts = replay.benches.get(event.type), _NOTHING
    if bench is not None:
        facts = Facts(event.type, event.time, event.data, member)
        verdicts = bench.decide(facts, zone=replay.time_zone, program_id=replay.program_id, member_id=event.member_id)
    order = _order(replay, event) if event.refunded and event.type in _OF_ORDERS else None
    for which, decisions in enumerate(verdicts):
        for decision in decisions:
            if decision.wanted:
                amount = _grant(replay, which, event, decision)
                if order is not None and amount:
                    granted = Granted(decision.rule, decision.asset, event.time, amount, variant=decision.variant)
                    order.awards[which].append(granted)
    if order is not None:
        if event.type == "order.paid":
            order.paid_fen = event.data["paid_fen"]
        _take_back(replay, event, order)


def _grant(replay: Replay, which: int, event: Recorded, decision: Decision) -> int:
    """What caps and budget leave of a decision, counted."""
    side, amount, cut = replay.sides[which], decision.wanted, None
    if decision.caps or decision.budget is not None or decision.frequency != HOWEVER_OFTEN:
        amount, cut = _within_limits(replay, side, event, decision)
    if event.time >= replay.since:
        figures = side.figures.get(decision.rule)
        if figures is None:
            figures = side.figures[decision.rule] = RuleFigures(decision.asset)
        if amount:
            figures.awards += 1
            figures.awarded += amount
            figures.count(decision.variant, awards=1, amount=amount)
            _count(replay, which, event.member_id, decision.asset, amount)
        if cut is not None:
            figures.cut[cut] = figures.cut.get(cut, 0) + 1
            figures.withheld += decision.wanted - amount
            if cut == BUDGET and figures.budget_spent_at is None:
                figures.budget_spent_at = event.time.isoformat()
    return amount


def _within_limits(replay: Replay, side: Side, event: Recorded, decision: Decision) -> tuple[int, str | None]:
    """What is left of a claim after the member's caps, the rule's own and its budget, and which of them cut it last."""
    amount, cut = decision.wanted, None
    bounds = list(_bounds(decision, event.member_id))
    for scope, owner, limits in bounds:
        windows = [window_of(name, event.time, replay.time_zone) for name, _ in limits]
        used = {window: side.used.get(window, {}).get(owner, 0) for window in windows}
        standing = [_BEGAN + timedelta(microseconds=used[COOLDOWN])] if used.get(COOLDOWN) else ()
        claim = Claim(event.time, event.id, amount, limits)
        share = fold([claim], time_zone=replay.time_zone, used=used, standing=standing)[event.id]
        if share.capped is not None:
            cut = scope if scope == BUDGET else f"{scope}_{share.capped.replace(' ', '_')}"
        amount = share.awarded
    if amount:
        for _, owner, limits in bounds:
            for name, _ in limits:
                if name != "event":
                    spent = side.used.setdefault(window_of(name, event.time, replay.time_zone), {})
                    spent[owner] = _used(name, spent.get(owner, 0), amount, event.time)
    return amount, cut


def _used(limit: str, before: int, amount: int, at: datetime) -> int:
    """What an award uses of a limit: its amount, a time more, or for a cool-down its instant (µs since 1970)."""
    if limit == COOLDOWN:
        return (at - _BEGAN) // timedelta(microseconds=1)
    return before + (1 if limit.startswith(TIMES) else amount)


def _bounds(decision: Decision, member_id: int) -> Iterator[tuple[str, str, Limits]]:
    """What binds the claim: of whom it is, its name in `used`, and the limits."""
    for scope, owner, more in (("member", member_id, often(decision.frequency)), ("rule", "rule", ())):
        limits = [*((cap.per, cap.amount) for cap in decision.caps if cap.of == scope), *more]
        if limits:
            yield scope, f"{decision.rule}/{owner}", limits
    if decision.budget is not None:
        yield BUDGET, f"{decision.rule}/{BUDGET}", [("total", decision.budget)]


def _refund(replay: Replay, event: Recorded) -> None:
    order = _order(replay, event)
    if event.data["refund_id"] not in order.refunds:
        order.refunds.append(event.data["refund_id"])
        order.refunded_fen += event.data["refunded_fen"]
        _take_back(replay, event, order)


def _order(replay: Replay, event: Recorded) -> RefundedOrder:
    return replay.orders.setdefault(f"{event.member_id} {event.data['order_id']}", RefundedOrder())


def _take_back(replay: Replay, event: Recorded, order: RefundedOrder) -> None:
    """Reverse each award in the share of the price that is refunded by now, and free what it used of its limits."""
    if order.paid_fen is None:
        return
    for which, side in enumerate(replay.sides):
        for award in order.awards[which]:
            more = returned(award.amount, order.refunded_fen, order.paid_fen) - award.reversed
            if more:
                award.reversed += more
                _free(side, award, event.member_id, more, time_zone=replay.time_zone)
                if award.at >= replay.since:
                    side.figures[award.rule].taken_back += more
                    side.figures[award.rule].count(award.variant, awards=0, amount=-more)
                    _count(replay, which, event.member_id, award.asset, -more)


def _free(side: Side, award: Granted, member_id: int, amount: int, *, time_zone: str) -> None:
    for owner in (f"{award.rule}/{member_id}", f"{award.rule}/rule", f"{award.rule}/{BUDGET}"):
        for per in PERIODS[1:]:
            spent = side.used.get(window_of(per, award.at, time_zone), {})
            if owner in spent:
                spent[owner] -= amount
    if award.reversed == award.amount:
        _free_time(side, award, f"{award.rule}/{member_id}", time_zone=time_zone)


def _free_time(side: Side, award: Granted, owner: str, *, time_zone: str) -> None:
    """Nothing of the award is left: it counts no more. Whatever stands before it is a cool-down away already."""
    for per in PERIODS[1:]:
        times = side.used.get(window_of(TIMES + per, award.at, time_zone), {})
        if owner in times:
            times[owner] -= 1
    last = side.used.get(COOLDOWN, {})
    if last.get(owner) == _used(COOLDOWN, 0, 0, award.at):
        del last[owner]


def _count(replay: Replay, which: int, member_id: int, asset: str, amount: int) -> None:
    days = replay.sides[which].days
    day = days.get(replay.today)
    if day is None:
        day = days[replay.today] = {}
    day[asset] = day.get(asset, 0) + amount
    owner = (member_id, asset)
    amounts = replay.members.get(owner)
    if amounts is None:
        amounts = replay.members[owner] = [0, 0]
    amounts[which] += amount


def _forget(replay: Replay, last: datetime) -> None:
    """Drop cap windows that are over: what a refund frees there, no later event can claim."""
    limits = [COOLDOWN, *PERIODS[1:], *(TIMES + per for per in PERIODS[1:])]
    open_now = {window_of(name, last, replay.time_zone) for name in limits}
    remembered = len(replay.orders)
    for side in replay.sides:
        for window in [name for name in side.used if name not in open_now]:
            del side.used[window]
        remembered += sum(map(len, side.used.values()))
    if remembered > MOST_REMEMBERED:
        raise TooMuchToRemember(f"{remembered} cap windows and refunded orders; at most {MOST_REMEMBERED} are kept")
