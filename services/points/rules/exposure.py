"""What a set of rules may cost beyond what was meant: awards that stack, grow, or outweigh the price. Pure."""

from collections.abc import Iterator, Sequence
from fractions import Fraction

from services.points.rules.concerns import Concern, Example, Setting, listed, listed_zh
from services.points.rules.decisions import Decision, PublishedRule
from services.points.rules.rule import HOWEVER_OFTEN, Rule
from services.points.rules.samples import HUGE

#: A formula that gives this many times more for a huge event than for a usual one grows with the event's data.
_GROWS = 100


def stacking(rules: Sequence[PublishedRule], examples: Sequence[Example], setting: Setting) -> Iterator[Concern]:
    """Rules that award the same asset for the same event, with nothing that bounds them."""
    free = {one.code: one for one in rules if one.rule.kind == "award" and not _is_bounded(one.rule)}
    worst: dict[str, tuple[tuple[str, ...], Example]] = {}
    for example in examples:
        by_asset: dict[str, list[str]] = {}
        for decision in example.decisions:
            if decision.amount and decision.rule in free:
                by_asset.setdefault(decision.asset, []).append(decision.rule)
        for asset, stacked in by_asset.items():
            if len(stacked) > (len(worst[asset][0]) if asset in worst else 1):
                worst[asset] = (tuple(sorted(stacked)), example)
    for asset, (codes, example) in sorted(worst.items()):
        total = sum(example.awards[code] for code in codes)
        yield Concern(
            "unbounded_stacking",
            "warning",
            codes,
            f"{listed(codes)} award {asset} for the same event, {total} together, and no cap or budget bounds them. Put"
            " them into a group (first or highest), or cap them.",
            f"规则 {listed_zh(codes)} 会对同一事件叠加发放 {asset},合计 {total},且无上限或预算。"
            "请设置互斥分组(first 或 highest)或上限。",
            example,
        )


def uncapped(rules: Sequence[PublishedRule], examples: Sequence[Example]) -> Iterator[Concern]:
    """Awards that grow with what the event says, without an end."""
    for one in rules:
        if one.rule.kind != "award" or _is_amount_bounded(one.rule):
            continue
        given = [(tried.of(one.code), tried) for tried in examples]
        awards = [(decision.base, tried) for decision, tried in given if decision.base]
        least = min(awards, key=lambda pair: pair[0], default=None)
        most = max(awards, key=lambda pair: pair[0], default=None)
        refused = next((tried for decision, tried in given if decision.reason == "award_too_large"), None)
        example = refused
        if least and most and most[0] >= least[0] * _GROWS and _is_huge(most[1]):
            example = most[1]
        if example is None:
            continue
        yield Concern(
            "missing_cap",
            "warning",
            (one.code,),
            f"What {one.code} awards grows with the event's data and has no cap of amount: a wrong or forged event may"
            " cost any amount. Give it a cap per event.",
            f"规则 {one.code} 的奖励随事件数据增长且无上限,错误或伪造的事件可能造成任意损失。请设置单次上限。",
            example,
        )


def above_price(rules: Sequence[PublishedRule], examples: Sequence[Example], setting: Setting) -> Iterator[Concern]:
    """Points that are worth more than the order paid; only said of assets whose worth is known."""
    worst: dict[str, tuple[Fraction, Example]] = {}
    for example in examples:
        paid = example.sample.facts.data.get("paid_fen")
        if example.sample.facts.type != "order.paid" or not isinstance(paid, int) or paid <= 0:
            continue
        for asset, worth in setting.fen_per_unit.items():
            total = worth * sum(_most(one) for one in example.decisions if one.asset == asset)
            if total > paid and total / paid > worst.get(asset, (Fraction(0), example))[0]:
                worst[asset] = (total / paid, example)
    for asset, (share, example) in sorted(worst.items()):
        codes = tuple(sorted(one.rule for one in example.decisions if one.asset == asset and one.amount))
        paid = example.sample.facts.data["paid_fen"]
        value = int(share * paid)
        yield Concern(
            "award_above_price",
            "error",
            codes,
            f"An order of {paid} 分 would be awarded {asset} worth {value} 分: more than it paid. Lower"
            f" {listed(codes)}, or cap them.",
            f"支付 {paid} 分的订单将获得价值 {value} 分的 {asset},超过实付金额。"
            f"请降低规则 {listed_zh(codes)} 的奖励或设置上限。",
            example,
        )


def _most(decision: Decision) -> int:
    """What caps and budget leave of it at most, when nothing was awarded before."""
    budget = () if decision.budget is None else (decision.budget,)
    return min(decision.amount, *(cap.amount for cap in decision.caps), *budget, decision.amount)


def _is_bounded(rule: Rule) -> bool:
    """Whether anything keeps a member from being awarded again and again."""
    return _is_amount_bounded(rule) or rule.frequency != HOWEVER_OFTEN


def _is_amount_bounded(rule: Rule) -> bool:
    """Whether there is an end to what it awards; so many times of any amount have none."""
    return bool(rule.caps) or rule.budget is not None


def _is_huge(example: Example) -> bool:
    return f"{HUGE}" in repr(example.sample.facts.data)
