"""What one member's stored events say that capped and budgeted rules awarded: claims, releases, budgets. Pure.

Claims are folded again from nothing, in the order of their own time. Where the order of arrival had a say, what the
event itself keeps (its decision and its amendments) is taken instead, and the others are folded around it:

- awards of versions that draw on a pot of all members, for who came first was served first;
- awards that the ledger refused or cut;
- awards that were settled already when something older than `LATE` arrived.

Windows are cut in the program's time zone of today. What was taken back of an award without caps is what the refunds'
events say; a rule that awarded one order twice, by two triggers, has it taken from its earlier award first.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import accumulate
from typing import Any

from services.points.intake.claims import LATE
from services.points.intake.domain import CAPPED_BY_ASSET, KEPT
from services.points.rules.caps import Claim, Limits, Move, Release, fold, limits_of, window_of
from services.points.rules.domain import HOWEVER_OFTEN, Rule

#: Of two that arrived within this, either may have been settled first: longer than intake lets a request take.
MEANWHILE = timedelta(minutes=1)

#: How reasons begin that the ledger gave: it refused, or what the asset's settings allow cut.
_LEDGERS_OWN = ("ledger_refused", *CAPPED_BY_ASSET)

#: Published rules by code and version.
Versions = Mapping[tuple[str, int], Rule]


@dataclass(frozen=True, slots=True)
class Told:
    """One event that counted, as it is stored; of its decisions those that wanted something.

    `order_id` and what follows it are of events about orders only.
    """

    event: str
    type: str
    at: datetime
    received_at: datetime
    decisions: Sequence[Mapping[str, Any]] = ()
    amended: Sequence[Mapping[str, Any]] = ()
    taken: Sequence[Mapping[str, Any]] = ()
    order_id: str | None = None
    paid_fen: int | None = None
    refund_id: str | None = None
    refunded_fen: int = 0


@dataclass(slots=True)
class Award:
    """What a rule gave for an event. `told` is what the event keeps of it; `alone`: by an order of arrival."""

    event: str
    rule: str
    version: int
    at: datetime
    known_at: datetime
    order_id: str | None
    wanted: int
    told: int
    limits: Limits
    spans: frozenset[str]
    alone: bool
    amount: int = 0
    released: int = 0


@dataclass(frozen=True, slots=True)
class Back:
    """What one refund gave back of a claim; it could from `known_at` on."""

    award: Award
    refund: str
    at: datetime
    part: int
    whole: int
    known_at: datetime


@dataclass(slots=True)
class Recount:
    """The claims of one member, what refunds gave back of each, and what the member has of each rule's pots."""

    claims: list[Award] = field(default_factory=list)
    releases: list[tuple[Back, int]] = field(default_factory=list)
    pots: dict[tuple[str, str], int] = field(default_factory=dict)


def binds(rule: Rule) -> bool:
    """Whether anything of the rule is counted: caps of a window, how often, or a budget."""
    limited = rule.budget is not None or rule.frequency != HOWEVER_OFTEN
    return limited or any(cap.per != "event" for cap in rule.caps)


def recount(told: Sequence[Told], versions: Versions, *, time_zone: str) -> Recount:
    """Everything that the events of one member say."""
    made = Recount()
    windows: dict[str, list[Award]] = {}
    freely: list[Award] = []
    for award, reason in _awards(told, versions, time_zone):
        if award.limits and reason != "capped: too_many_events":
            windows.setdefault(award.rule, []).append(award)
        else:
            freely.append(award)
    orders, events = _orders(told), {one.event: one for one in told}
    for awards in windows.values():
        _fold(made, awards, [back for award in awards for back in _backs(award, orders, events)], time_zone)
    _take_back(freely, told)
    for award in [*freely, *made.claims]:
        for span in award.spans:
            pot = award.rule, span
            made.pots[pot] = made.pots.get(pot, 0) + award.amount - award.released
    return made


def _awards(told: Sequence[Told], versions: Versions, time_zone: str) -> Iterable[tuple[Award, str]]:
    for one in told:
        for decision in one.decisions:
            rule = versions.get((decision["rule"], decision["version"]))
            if rule is None:
                continue
            spans = frozenset(_spans(rule, one.at, time_zone))
            changed = [note for note in one.amended if note["rule"] == decision["rule"]]
            refused = decision["reason"].startswith(_LEDGERS_OWN) or any("reason" in note for note in changed)
            award = Award(
                *(one.event, decision["rule"], decision["version"], one.at, one.received_at, one.order_id),
                wanted=decision.get("wanted", decision["amount"]),
                told=changed[-1]["to"] if changed else decision["amount"],
                limits=limits_of(rule.caps, rule.frequency),
                spans=spans,
                alone=bool(spans) or refused,
            )
            yield award, decision["reason"]


def _spans(rule: Rule, at: datetime, time_zone: str) -> Iterable[str]:
    """The pots of all members that an award at that time draws on."""
    if rule.budget is not None:
        yield "budget"
    for cap in rule.caps:
        if cap.of == "rule" and cap.per != "event":
            yield "total" if cap.per == "total" else f"{cap.per} {window_of(cap.per, at, time_zone)}"


def _orders(told: Iterable[Told]) -> dict[str, tuple[Told | None, list[Told]]]:
    """By order: its payment, if there was one, and its refunds."""
    orders: dict[str, tuple[Told | None, list[Told]]] = {}
    for one in told:
        if one.order_id is not None:
            payment, refunds = orders.get(one.order_id, (None, []))
            if one.refund_id is not None:
                refunds.append(one)
            orders[one.order_id] = (one if one.paid_fen is not None else payment), refunds
    return orders


def _backs(
    award: Award, orders: Mapping[str, tuple[Told | None, list[Told]]], events: Mapping[str, Told]
) -> Iterable[Back]:
    """Every refund of the award's order, as soon as award, payment and refund are all known.

    It has no part in an award that it found available and that was kept, as the last to come of the three says.
    """
    payment, refunds = orders.get(award.order_id or "", (None, []))
    if payment is None or payment.paid_fen is None:
        return
    for refund in refunds:
        assert refund.refund_id is not None, "a refund has its id"
        known_at = max(award.known_at, payment.received_at, refund.received_at)
        last = [one for one in (events[award.event], payment, refund) if one.received_at == known_at]
        kept = any(back["rule"] == award.rule and back["reason"] == KEPT for one in last for back in one.taken)
        part = 0 if kept else refund.refunded_fen
        yield Back(award, refund.refund_id, refund.at, part, payment.paid_fen, known_at)


def _fold(made: Recount, awards: list[Award], backs: list[Back], time_zone: str) -> None:
    """Settle one window from nothing."""
    horizon = _horizon(awards, backs)
    moves: list[Move] = []
    for award in awards:
        settled = award.alone or (horizon is not None and award.at < horizon)
        moves.append(Claim(award.at, award.event, award.wanted, award.limits, award.told if settled else None))
    moves += [Release(one.at, one.refund, one.award.event, one.award.at, one.part, one.whole) for one in backs]
    shares = fold(moves, time_zone=time_zone)
    for award in awards:
        award.amount, award.released = shares[award.event].awarded, shares[award.event].released
    made.claims += awards
    made.releases += [(one, shares[one.award.event].releases[one.refund]) for one in backs]


def _horizon(awards: Sequence[Award], backs: Sequence[Back]) -> datetime | None:
    """Before when awards stayed as they were, because something came when they were settled; None: it never did."""
    arrivals = sorted((award.known_at, award.at) for award in awards)
    known, newest = [one for one, _ in arrivals], list(accumulate((at for _, at in arrivals), max))
    came = [(award.at, award.known_at) for award in awards]
    came += [(max(one.at, one.award.at), one.known_at) for one in backs]
    horizons = []
    for at, known_at in came:
        # Every arrival is an award's own or one of before, so there is always a newest.
        settled = newest[bisect_left(known, known_at + MEANWHILE) - 1] - LATE
        if at < settled:
            horizons.append(settled)
    return max(horizons, default=None)


def _take_back(awards: Sequence[Award], told: Iterable[Told]) -> None:
    """Awards without caps stand as told, less what their order's events say was taken back."""
    taken: dict[tuple[str | None, str], int] = {}
    for one in told:
        for back in one.taken:
            taken[one.order_id, back["rule"]] = taken.get((one.order_id, back["rule"]), 0) + back["amount"]
    for award in awards:
        award.amount = award.told
        if award.order_id is not None:
            key = award.order_id, award.rule
            award.released = min(award.amount, taken.get(key, 0))
            taken[key] = taken.get(key, 0) - award.released
