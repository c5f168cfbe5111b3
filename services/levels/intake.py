"""What levels takes from its neighbours: facts become values of the domains here, and each domain applies its own.

Payloads are as docs/facts.md says. An order fact that cannot be read (its data are kept as a shop sent them) is logged
with its natural key and left out: it must not stop the feed.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

import structlog
from sqlmodel import Session

from common import clock
from common.feed import Apply, Fact, Subscription
from services.levels.badges import use_cases as badges
from services.levels.badges.domain import Award, TakenBack
from services.levels.leaderboards import use_cases as leaderboards
from services.levels.leaderboards.domain import Earned, Paid, Refunded
from services.levels.programs import use_cases as programs
from services.levels.programs.domain import ProgramSettings
from services.levels.tiers import use_cases as tiers
from services.levels.tiers.domain import GrowthEntry

log = structlog.get_logger()
T = TypeVar("T")


def learn_programs(session: Session, facts: list[Fact]) -> None:
    """`program.configured`: the zone of business days."""
    told = [
        ProgramSettings(
            fact.program_id, fact.payload["name"], fact.payload["time_zone"], fact.payload["currency"], fact.id
        )
        for fact in facts
    ]
    programs.learn(session, told)


def apply_entries(session: Session, facts: list[Fact]) -> None:
    """`ledger.entry`: growth moves tiers, earned points count on boards."""
    growth = [fact for fact in facts if fact.payload["asset"] == "growth"]
    if growth:
        tiers.apply_growth(session, [_growth(fact) for fact in growth])
    earned = [fact for fact in facts if _earns(fact.payload)]
    if earned:
        leaderboards.count_earned(session, [_earned(fact) for fact in earned])


def count_paid(session: Session, facts: list[Fact]) -> None:
    """`order.paid`: the net paid amount counts on boards."""
    if orders := _readable(facts, _paid):
        leaderboards.count_paid(session, orders)


def count_refunded(session: Session, facts: list[Fact]) -> None:
    """`order.refunded`: this refund alone is taken off where the order counted."""
    if refunds := _readable(facts, _refunded):
        leaderboards.count_refunded(session, refunds)


def put_badges_on(session: Session, facts: list[Fact]) -> None:
    """`reward.granted` of a neighbour: its badge parts are ours to apply."""
    badges.award(session, [award for fact in facts for award in _awards(fact)])


def take_badges_back(session: Session, facts: list[Fact]) -> None:
    """`reward.reversed`: the whole of a grant revokes its badges; a part of it leaves them."""
    whole = [fact for fact in facts if fact.payload["numerator"] == fact.payload["denominator"]]
    if whole:
        badges.take_back(session, [_taken_back(fact) for fact in whole], now=clock.now())


_GRANTS: dict[str, Apply] = {"reward.granted": put_badges_on, "reward.reversed": take_badges_back}
SUBSCRIPTIONS = (
    Subscription(
        "points",
        {
            "program.configured": learn_programs,
            "ledger.entry": apply_entries,
            "order.paid": count_paid,
            "order.refunded": count_refunded,
        },
    ),
    Subscription("referrals", _GRANTS),
    Subscription("redemption", _GRANTS),
)


def _growth(fact: Fact) -> GrowthEntry:
    """Growth counts from when it is available: what is still pending is held until then (field.md B5)."""
    entry = fact.payload
    at, growth = _instant(entry["at"]), entry["balance_after"] - entry["held_after"]
    return GrowthEntry(fact.program_id, _member(fact), entry["seq"], growth, at, fact.natural_key)


def _earns(entry: dict[str, Any]) -> bool:
    """Earned points that are available, at once or released, and such earnings taken back."""
    took_back = entry["kind"] == "reverse" and entry["amount"] < 0
    earned = entry["kind"] in ("earn", "release") or took_back
    return bool(entry["asset"] == "points" and earned and entry["amount"] != entry["held_delta"])


def _earned(fact: Fact) -> Earned:
    entry = fact.payload
    amount = entry["amount"] - entry["held_delta"]  # what is or was pending counts once it is released
    return Earned(fact.program_id, _member(fact), entry["seq"], amount, _instant(entry["at"]))


def _paid(fact: Fact) -> Paid:
    data = fact.payload["data"]
    at = _instant(fact.payload["time"])
    return Paid(fact.program_id, _member(fact), _text(data["order_id"]), _fen(data["paid_fen"]), at)


def _refunded(fact: Fact) -> Refunded:
    data = fact.payload["data"]
    at = _instant(fact.payload["time"])
    order_id, refund_id = _text(data["order_id"]), _text(data["refund_id"])
    return Refunded(fact.program_id, _member(fact), order_id, refund_id, _fen(data["refunded_fen"]), at)


def _awards(fact: Fact) -> list[Award]:
    payload = fact.payload
    at = _instant(payload["at"])
    return [
        Award(fact.program_id, _member(fact), part["badge"], payload["grant_id"], payload["cause"], at)
        for part in payload["reward"]
        if part["kind"] == "badge"
    ]


def _taken_back(fact: Fact) -> TakenBack:
    return TakenBack(fact.program_id, _member(fact), fact.payload["grant_id"], fact.payload["cause"])


def _readable(facts: Sequence[Fact], read: Callable[[Fact], T]) -> list[T]:
    values = []
    for fact in facts:
        try:
            values.append(read(fact))
        except (KeyError, TypeError, ValueError) as error:
            log.warning("fact_not_counted", fact=fact.natural_key, topic=fact.topic, reason=type(error).__name__)
    return values


def _member(fact: Fact) -> int:
    if fact.member_id is None:
        raise ValueError("the fact is about no member")
    return fact.member_id


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("not a text")
    return value


def _fen(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError("not an integer")
    if not 0 <= value < 2**53:
        raise ValueError("not an amount")
    return value
