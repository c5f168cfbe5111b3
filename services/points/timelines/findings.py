"""Why an order gave what it gave, from what is stored: a finding a sentence, each with the next step. Pure."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from common.clock import zone as zone_of
from services.points.ledger.domain import Kind
from services.points.programs.pending import UNCONFIRMED
from services.points.timelines.sentences import sentence


@dataclass(frozen=True, slots=True)
class OrderEvent:
    """An event of an order, with what was decided when it came."""

    cause: str
    type: str
    member_id: int
    time: datetime
    data: Mapping[str, Any]
    result: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Entry:
    """What was earned for one of the events, or taken back of it by whatever `cause` says.

    `waits` of an earning is still pending until `available_at`.
    """

    member_id: int
    asset: str
    kind: Kind
    amount: int
    cause: str
    at: datetime
    waits: int | None = None
    available_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to say, and what to do about it, in each language. `event` and `rule` are what it is about.

    What changed afterwards was changed at `at`, by the event or person that `by` names.
    """

    code: str
    en: str
    zh: str
    next_en: str
    next_zh: str
    event: str | None = None
    rule: str | None = None
    asset: str | None = None
    amount: int | None = None
    until: datetime | None = None
    by: str | None = None
    at: datetime | None = None


@dataclass(slots=True)
class Explanation:
    """All findings; `verdict` is the first finding's code; `elsewhere`: it is another member's order."""

    member_id: int | None
    findings: list[Finding]
    totals: list[dict[str, Any]] = field(default_factory=list)
    elsewhere: bool = False

    @property
    def verdict(self) -> str:
        """What it comes to, in one word."""
        return self.findings[0].code


def explain(
    order_id: str,
    events: Sequence[OrderEvent],
    entries: Sequence[Entry],
    *,
    asked: int | None,
    now: datetime,
    zone: str,
) -> Explanation:
    """Everything there is to say about an order, the outcome first, then event by event and rule by rule."""
    if not events:
        return Explanation(asked, [_finding("never_arrived", order=order_id)])
    mine = [event for event in events if asked in (None, event.member_id)]
    if not mine:
        others = ", ".join(str(one) for one in sorted({event.member_id for event in events}))
        return Explanation(asked, [_finding("other_member", order=order_id, members=others)], elsewhere=True)
    whose = {event.member_id for event in mine}
    moved = [entry for entry in entries if entry.member_id in whose]
    totals = _totals(moved)
    found = [_outcome(mine, totals, order_id)]
    if len(whose) > 1:
        found.append(_finding("several_members", members=", ".join(map(str, sorted(whose)))))
    found += _waiting(moved, now=now, zone=zone)
    for event in mine:
        found += _of_event(event)
        found += _amendments(event, zone=zone)
    found += _taken_otherwise(mine, moved, zone=zone)
    return Explanation(next(iter(whose)) if len(whose) == 1 else None, found, totals)


def _totals(entries: Sequence[Entry]) -> list[dict[str, Any]]:
    awarded: Counter[str] = Counter()
    reversed_: Counter[str] = Counter()
    pending: Counter[str] = Counter()
    for entry in entries:
        if entry.kind == Kind.EARN:
            awarded[entry.asset] += entry.amount
            pending[entry.asset] += entry.waits or 0
        elif entry.kind == Kind.REVERSE:
            reversed_[entry.asset] -= entry.amount
    return [
        {
            "asset": asset,
            "awarded": awarded[asset],
            "reversed": reversed_[asset],
            "pending": pending[asset],
            "net": awarded[asset] - reversed_[asset],
        }
        for asset in sorted(set(awarded) | set(reversed_))
    ]


def _outcome(events: Sequence[OrderEvent], totals: Sequence[Mapping[str, Any]], order_id: str) -> Finding:
    """What it comes to: the sentence an agent reads out."""
    paid = sum(event.data["paid_fen"] for event in events if event.type == "order.paid" and not event.result["reason"])
    refunded = _refunded(events)
    if not any(event.type == "order.paid" for event in events):
        return _finding("not_paid", order=order_id, types=", ".join(dict.fromkeys(event.type for event in events)))
    gained = [total for total in totals if total["net"] > 0]
    if gained and all(total["net"] == total["pending"] for total in gained):
        return _finding("all_pending", amounts=_amounts(gained, "pending"))
    if gained:
        return _finding("points_given", amounts=_amounts(gained, "net"))
    if refunded and refunded >= paid:
        return _finding("all_refunded", order=order_id)
    if any(total["awarded"] for total in totals):
        return _finding("all_reversed", amounts=_amounts(totals, "awarded"))
    decisions = [one for event in events for one in event.result["decisions"]]
    return _finding("nothing_awarded" if decisions else "no_rule", order=order_id)


def _refunded(events: Sequence[OrderEvent]) -> int:
    return sum(
        event.data["refunded_fen"] for event in events if event.type == "order.refunded" and not event.result["reason"]
    )


def _waiting(entries: Sequence[Entry], *, now: datetime, zone: str) -> Iterator[Finding]:
    for entry in entries:
        if not entry.waits or entry.available_at is None or entry.available_at <= now:
            continue
        facts: dict[str, Any] = {"asset": entry.asset, "amount": entry.waits}
        if entry.available_at >= UNCONFIRMED:
            yield _finding("awaits_confirmation", event=entry.cause, **facts)
        else:
            local = _local(entry.available_at, zone)
            yield _finding("pending_until", event=entry.cause, until=entry.available_at, local=local, **facts)


def _of_event(event: OrderEvent) -> Iterator[Finding]:
    if event.result["reason"]:
        yield _finding(event.result["reason"], event=event.cause)
    elif event.type == "order.paid" and not event.result["decisions"]:
        yield _finding("no_rule_asked", event=event.cause, type=event.type)
    for decision in event.result["decisions"]:
        code, detail = _code(decision["reason"])
        if code == "awarded" and not decision["amount"]:
            code = "nothing_to_award"
        yield _finding(
            code,
            event=event.cause,
            rule=decision["rule"],
            asset=decision["asset"],
            amount=decision["amount"],
            detail=detail,
            version=decision["version"],
            wanted=decision.get("wanted", decision["amount"]),
        )
    for taken in event.result["reversed"]:
        code, _, detail = (taken["reason"] or "reversed").partition(": ")
        yield _finding(
            code, event=event.cause, rule=taken["rule"], asset=taken["asset"], amount=taken["amount"], detail=detail
        )


def _amendments(event: OrderEvent, *, zone: str) -> Iterator[Finding]:
    """What became of the event's awards when later arrivals showed what had really happened before them."""
    assets = {decision["rule"]: decision["asset"] for decision in event.result["decisions"]}
    for note in event.result.get("amended", ()):
        at = datetime.fromisoformat(note["at"])
        about: dict[str, Any] = {"event": event.cause, "rule": note["rule"], "asset": assets[note["rule"]]}
        if note["to"] != note["from"]:
            code = "amended_up" if note["to"] > note["from"] else "amended_down"
            told = {"before": note["from"], "amount": note["to"], "local": _local(at, zone)}
            yield _finding(code, at=at, by=note["by"], **about, **told)
        if "reason" in note:
            code, detail = _code(note["reason"])
            yield _finding(code, at=at, by=note["by"], detail=detail, **{"amount": note["to"], **about})


def _code(reason: str) -> tuple[str, str]:
    """Which sentence a decision's reason is, and its detail."""
    code, _, detail = reason.partition(": ")
    if code == "capped" and detail.startswith("earning_limits."):
        return "earning_limited", detail
    return ("balance_capped", detail) if reason == "capped: balance" else (code, detail)


def _taken_otherwise(events: Sequence[OrderEvent], entries: Sequence[Entry], *, zone: str) -> Iterator[Finding]:
    """What was taken back by something that is neither an event of the order nor told by an amendment."""
    told = {event.cause for event in events}
    told |= {note["by"] for event in events for note in event.result.get("amended", ())}
    for entry in entries:
        if entry.kind == Kind.REVERSE and entry.cause not in told:
            facts: dict[str, Any] = {"asset": entry.asset, "amount": -entry.amount, "local": _local(entry.at, zone)}
            yield _finding("taken_back", at=entry.at, by=entry.cause, **facts)


def _local(instant: datetime, zone: str) -> str:
    """As people there say it."""
    return instant.astimezone(zone_of(zone)).strftime("%Y-%m-%d %H:%M")


def _amounts(totals: Sequence[Mapping[str, Any]], name: str) -> str:
    return ", ".join(f"{total[name]} {total['asset']}" for total in totals if total[name])


def _finding(
    code: str, *, event: str | None = None, until: datetime | None = None, at: datetime | None = None, **facts: Any
) -> Finding:
    en, zh, next_en, next_zh = sentence(code, {"event": event or "", **facts})
    about = {name: facts.get(name) for name in ("rule", "asset", "amount", "by")}
    return Finding(code, en, zh, next_en, next_zh, event=event, until=until, at=at, **about)
