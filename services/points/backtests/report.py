"""What a back-test found: figures by asset and rule, the largest changes, a sentence for people, a digest. Pure."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from services.points.backtests.replay import BUDGET
from services.points.backtests.sides import Replay, RuleFigures, Side
from services.points.rules.domain import PublishedRule


@dataclass(frozen=True, slots=True)
class Movement:
    """How many members an asset's difference moves which way."""

    gaining: int
    losing: int
    same: int


def report(
    replay: Replay,
    *,
    inputs: Mapping[str, Any],
    events: int,
    movements: Mapping[str, Movement],
    changes: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    """The result as it is kept and shown. `inputs` is what was asked; the digest is over both."""
    rules = _rules(replay)
    assets = _assets(replay, movements)
    earlier = sum(order.paid_fen is None for order in replay.orders.values())
    found = {
        "events": events,
        "refunds_of_earlier_orders": earlier,
        "assets": assets,
        "rules": rules,
        "largest_changes": [dict(change) for change in changes],
        "summary": {"en": _sentence(assets, rules, events, _EN), "zh": _sentence(assets, rules, events, _ZH)},
    }
    return {**found, "digest": digest({"inputs": dict(inputs), "found": found})}


def digest(value: Any) -> str:
    """SHA-256 of the value as canonical JSON, in hex."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _rules(replay: Replay) -> list[dict[str, Any]]:
    now, then = _versions(replay.live), _versions(replay.candidate)
    really: dict[tuple[str, str], list[int]] = {}
    for key, (awards, amount) in replay.recorded.items():
        _, rule, asset = key.split(" ")
        figures = really.setdefault((rule, asset), [0, 0])
        figures[0] += awards
        figures[1] += amount
    shown = []
    for rule, asset in sorted({*now, *then, *really}):
        one = _rule_side(replay.live, now.get((rule, asset)))
        two = _rule_side(replay.candidate, then.get((rule, asset)))
        awards, cost = really.get((rule, asset), (0, 0))
        shown.append(
            {
                "rule": rule,
                "asset": asset,
                "now": one,
                "candidate": two,
                "difference": (two["cost"] if two else 0) - (one["cost"] if one else 0),
                "recorded": {"awards": awards, "cost": cost},
            }
        )
    return shown


def _versions(side: Side) -> dict[tuple[str, str], PublishedRule]:
    return {(one.code, one.rule.asset): one for one in side.rules if one.rule.kind == "award"}


def _rule_side(side: Side, published: PublishedRule | None) -> dict[str, Any] | None:
    if published is None:
        return None
    figures = side.figures.get(published.code)
    limit = published.rule.budget
    spent = side.used.get("total", {}).get(f"{published.code}/{BUDGET}", 0)
    at = figures.budget_spent_at if figures else None
    return {
        "version": published.version,
        "awards": figures.awards if figures else 0,
        "cost": figures.awarded - figures.taken_back if figures else 0,
        "taken_back": figures.taken_back if figures else 0,
        "cut": dict(sorted(figures.cut.items())) if figures else {},
        "withheld": figures.withheld if figures else 0,
        "variants": _variants(published, figures),
        "budget": None if limit is None else {"amount": limit, "spent": spent, "spent_at": at},
    }


def _variants(published: PublishedRule, figures: RuleFigures | None) -> list[dict[str, Any]]:
    """What each variant of the rule's experiment came to; none without one."""
    counted = figures.variants if figures else {}
    tried = published.rule.experiment.variants if published.rule.experiment else ()
    shown = [(one.code, *counted.get(one.code, (0, 0))) for one in tried]
    return [{"variant": code, "awards": awards, "cost": cost} for code, awards, cost in shown]


def _assets(replay: Replay, movements: Mapping[str, Movement]) -> list[dict[str, Any]]:
    days: dict[str, dict[str, dict[str, int]]] = {}
    for name, side in (("now", replay.live), ("candidate", replay.candidate)):
        for day, assets in side.days.items():
            for asset, amount in assets.items():
                _add(days, asset, day, name, amount)
    for key, (_, amount) in replay.recorded.items():
        day, _, asset = key.split(" ")
        _add(days, asset, day, "recorded", amount)
    shown = []
    for asset, series in sorted(days.items()):
        moved = movements.get(asset, Movement(0, 0, 0))
        total = {name: sum(day[name] for day in series.values()) for name in _SERIES}
        shown.append(
            {
                "asset": asset,
                **total,
                "difference": total["candidate"] - total["now"],
                "members": {"gaining": moved.gaining, "losing": moved.losing, "same": moved.same},
                "days": [{"day": day, **series[day]} for day in sorted(series)],
            }
        )
    return shown


_SERIES = ("now", "candidate", "recorded")


def _add(days: dict[str, dict[str, dict[str, int]]], asset: str, day: str, name: str, amount: int) -> None:
    figures = days.setdefault(asset, {}).setdefault(day, dict.fromkeys(_SERIES, 0))
    figures[name] += amount


_EN = {
    "none": "The {events} recorded events would be awarded nothing, before and after.",
    "asset": "{asset}: {candidate} instead of {now} ({change}), {gaining} members gain, {losing} lose, {same} stay the"
    " same",
    "head": "Over {events} recorded events: ",
    "cut": "; limits would cut {cut} awards",
    "end": ".",
    "join": "; ",
}
_ZH = {
    "none": "{events} 条历史事件在新旧规则下均不发放奖励。",
    "asset": "{asset}:{now} → {candidate}({change}),{gaining} 人增加,{losing} 人减少,{same} 人不变",
    "head": "回放 {events} 条历史事件:",
    "cut": ";上限或预算将削减 {cut} 次发放",
    "end": "。",
    "join": ";",
}


def _sentence(assets: list[dict[str, Any]], rules: list[dict[str, Any]], events: int, words: Mapping[str, str]) -> str:
    moved = [one for one in assets if one["now"] or one["candidate"] or one["difference"]]
    if not moved:
        return words["none"].format(events=events)
    parts = [
        words["asset"].format(
            asset=one["asset"],
            now=f"{one['now']:,}",
            candidate=f"{one['candidate']:,}",
            change=_percent(one["now"], one["difference"]),
            **one["members"],
        )
        for one in moved
    ]
    cut = sum(sum(rule["candidate"]["cut"].values()) for rule in rules if rule["candidate"])
    tail = words["cut"].format(cut=cut) if cut else ""
    return words["head"].format(events=f"{events:,}") + words["join"].join(parts) + tail + words["end"]


def _percent(now: int, difference: int) -> str:
    """`+12.5%`, half rounded up; `±0` of nothing, and the plain difference where there was nothing before."""
    if not difference:
        return "±0"
    if not now:
        return f"{difference:+,}"
    return f"{(Decimal(difference) * 100 / abs(now)).quantize(Decimal('0.1'), ROUND_HALF_UP):+}%"
