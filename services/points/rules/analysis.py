"""A static check of a set of rules: what would go wrong with it, with an event at which it does. Pure.

Concerns are found by trying made-up events (`samples`) with the code that decides real ones. Where one has an example,
the example really shows it; where none was found there may still be a concern that no sample met.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from fractions import Fraction
from itertools import combinations
from typing import Any, Literal

from services.points.rules.absent import Group, absent
from services.points.rules.decisions import Decision, PublishedRule
from services.points.rules.domain import RuleSet, decide_all
from services.points.rules.loops import cycles
from services.points.rules.policy import review
from services.points.rules.rule import HOWEVER_OFTEN, Rule, as_variant
from services.points.rules.samples import HUGE, Sample, samples
from services.points.rules.unreachable import why_never

Severity = Literal["error", "warning", "note"]

#: A formula that gives this many times more for a huge event than for a usual one grows with the event's data.
_GROWS = 100
_MOST_SAMPLES = 1_000
_ENTERING = ("segment.entered", "tag.entered")


@dataclass(frozen=True, slots=True)
class Example:
    """A made-up event, and what each rule decides about it."""

    sample: Sample
    decisions: tuple[Decision, ...]

    @property
    def awards(self) -> dict[str, int]:
        """What the rules that award give."""
        return {one.rule: one.amount for one in self.decisions if one.amount}

    @property
    def event(self) -> dict[str, Any]:
        """What happened, as one document."""
        facts, member = self.sample.facts, self.sample.facts.member
        who = {"id": self.sample.member_id, "tier": member.tier}
        lists = {"tags": sorted(member.tags), "segments": sorted(member.segments)}
        return {"type": facts.type, "time": facts.time, "data": facts.data, "member": {**who, **lists}}


@dataclass(frozen=True, slots=True)
class Concern:
    """Something about the set: `code`, how bad it is, which rules it is about, a sentence in each language."""

    code: str
    severity: Severity
    rules: tuple[str, ...]
    en: str
    zh: str
    example: Example | None = None


@dataclass(frozen=True, slots=True)
class Setting:
    """What else is known of the program. `fen_per_unit`: what a unit of an asset is worth when paid with, by asset.

    `nobody`: the groups named by audiences that no member is in.
    """

    time_zone: str
    program_id: int
    now: datetime
    groups: Mapping[str, str]
    fen_per_unit: Mapping[str, Fraction]
    nobody: frozenset[Group] = frozenset()


def analyse(rules: Sequence[PublishedRule], setting: Setting) -> list[Concern]:
    """Everything that is wrong with the set as far as samples show it, the worst first.

    With experiments the set is looked at as members of each variant meet it; a rule is unreachable when all find it so.
    """
    most = max([len(one.rule.experiment.variants) for one in rules if one.rule.experiment], default=1)
    met = [[replace(one, rule=as_variant(one.rule, number)) for one in rules] for number in range(most)]
    each = [_concerns(some, setting) for some in met]
    found: list[Concern] = []
    for concerns in each:
        known = {_subject(one) for one in found}
        found += [one for one in concerns if _subject(one) not in known]
    common = set.intersection(*({_subject(one) for one in concerns} for concerns in each))
    found = [one for one in found if one.code != "unreachable" or _subject(one) in common]
    order = ("error", "warning", "note")
    return sorted(found, key=lambda one: (order.index(one.severity), one.code, one.rules))


def _subject(concern: Concern) -> tuple[str, tuple[str, ...]]:
    return concern.code, concern.rules


def _concerns(rules: Sequence[PublishedRule], setting: Setting) -> list[Concern]:
    found: list[Concern] = []
    for one in rules:
        found += _forbidden(one)
        found += _for_nobody(one, setting)
        found += _entered_again(one)
    found += _loops(rules)
    by_trigger: dict[str, list[PublishedRule]] = {}
    for one in sorted(rules, key=lambda one: one.code):
        by_trigger.setdefault(one.rule.trigger, []).append(one)
    for some in by_trigger.values():
        examples = _tried(some, setting)
        found += _never(some, examples, setting)
        found += _stacking(some, examples, setting)
        found += _twice(some, examples)
        found += _uncapped(some, examples)
        found += _above_price(some, examples, setting)
    return found


def _tried(rules: Sequence[PublishedRule], setting: Setting) -> list[Example]:
    """The samples of one trigger with what is decided about them."""
    made = RuleSet(rules)
    tried = []
    given = samples(rules, time_zone=setting.time_zone, program_id=setting.program_id, now=setting.now)
    for sample, _ in zip(given, range(_MOST_SAMPLES), strict=False):
        decisions = decide_all(
            made,
            setting.groups,
            sample.facts,
            zone=setting.time_zone,
            program_id=setting.program_id,
            member_id=sample.member_id,
        )
        tried.append(Example(sample, tuple(decisions)))
    return tried


def _forbidden(one: PublishedRule) -> Iterator[Concern]:
    """What the platform's rules say about a rule: refused at publication, or a warning."""
    for violation in review(one.rule):
        severity: Severity = "error" if violation.severity == "refused" else "warning"
        yield Concern(f"policy_{violation.code}", severity, (one.code,), violation.reason_en, violation.reason_zh)


def _for_nobody(one: PublishedRule, setting: Setting) -> Iterator[Concern]:
    """An audience that names what no member has: mistyped, or not filled yet."""
    for missing in absent(one.rule.audience, setting.nobody):
        yield Concern(
            "empty_audience",
            "warning" if missing.wholly else "note",
            (one.code,),
            f"No member has {missing.en}, which {one.code} is for"
            f"{': it awards nobody' if missing.wholly else ', besides others'}."
            " Compare the spelling, or fill it first.",
            f"规则 {one.code} 的适用人群中,{missing.zh} 目前没有任何会员"
            f"{',该规则不会向任何人发放' if missing.wholly else ''}。请核对拼写,或先添加会员。",
        )


def _entered_again(one: PublishedRule) -> Iterator[Concern]:
    """Whoever leaves a list and enters it anew is rewarded anew, unless the rule says how often."""
    if one.rule.trigger in _ENTERING and one.rule.frequency == HOWEVER_OFTEN:
        yield Concern(
            "entered_again",
            "warning",
            (one.code,),
            f"{one.code} rewards entering a list each time, up to once a day: a list that is computed anew may let the"
            " same members leave and enter again. Limit its frequency, e.g. once in total.",
            f"规则 {one.code} 在会员每次进入名单时都会发放(每天最多一次):名单重新计算时,同一会员可能反复进出。"
            "请设置频次限制,例如累计一次。",
        )


def _loops(rules: Sequence[PublishedRule]) -> Iterator[Concern]:
    """A reward that causes the event that is rewarded."""
    for ring in cycles(rules):
        yield Concern(
            "loop",
            "error",
            ring,
            f"What {_and(ring)} award causes the events that they reward: the awards never end. Reward an event from"
            " outside instead.",
            f"规则 {_zh(ring)} 的奖励会触发其自身奖励的事件,形成循环。请改为奖励外部行为。",
        )


def _never(rules: Sequence[PublishedRule], examples: Sequence[Example], setting: Setting) -> Iterator[Concern]:
    """Rules that cannot award, whatever happens."""
    for one in rules:
        reason = why_never(one, rules, setting.groups, now=setting.now, time_zone=setting.time_zone)
        if reason is None:
            continue
        example = next((tried for tried in examples if reason.shown_by in _decision(tried, one.code).reason), None)
        yield Concern(
            "unreachable",
            "warning",
            (one.code, *reason.others),
            f"The rule {one.code} can never award: {reason.en}.",
            f"规则 {one.code} 永远不会发放:{reason.zh}。",
            example,
        )


def _stacking(rules: Sequence[PublishedRule], examples: Sequence[Example], setting: Setting) -> Iterator[Concern]:
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
            f"{_and(codes)} award {asset} for the same event, {total} together, and no cap or budget bounds them. Put"
            " them into a group (first or highest), or cap them.",
            f"规则 {_zh(codes)} 会对同一事件叠加发放 {asset},合计 {total},且无上限或预算。"
            "请设置互斥分组(first 或 highest)或上限。",
            example,
        )


def _twice(rules: Sequence[PublishedRule], examples: Sequence[Example]) -> Iterator[Concern]:
    """The same question asked by two rules: one of them was probably meant to replace the other."""
    for one, two in combinations([one for one in rules if one.rule.kind == "award"], 2):
        if _question(one.rule) != _question(two.rule) or _apart(one.rule, two.rule):
            continue
        codes = (one.code, two.code)
        example = next((tried for tried in examples if _both(tried, codes)), None)
        yield Concern(
            "overlap",
            "warning",
            codes,
            f"{_and(codes)} ask the same of the same members at the same time, for {one.rule.asset}: one may be left"
            " over.",
            f"规则 {_zh(codes)} 的触发、人群、时段与条件相同,且发放同一资产 {one.rule.asset},其中一条可能是多余的。",
            example,
        )


def _uncapped(rules: Sequence[PublishedRule], examples: Sequence[Example]) -> Iterator[Concern]:
    """Awards that grow with what the event says, without an end."""
    for one in rules:
        if one.rule.kind != "award" or _is_amount_bounded(one.rule):
            continue
        given = [(_decision(tried, one.code), tried) for tried in examples]
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


def _above_price(rules: Sequence[PublishedRule], examples: Sequence[Example], setting: Setting) -> Iterator[Concern]:
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
            f"An order of {paid} 分 would be awarded {asset} worth {value} 分: more than it paid. Lower {_and(codes)},"
            " or cap them.",
            f"支付 {paid} 分的订单将获得价值 {value} 分的 {asset},超过实付金额。"
            f"请降低规则 {_zh(codes)} 的奖励或设置上限。",
            example,
        )


def _question(rule: Rule) -> tuple[object, ...]:
    return rule.asset, rule.condition, rule.audience, rule.schedule


def _apart(one: Rule, two: Rule) -> bool:
    """Whether one of them is over before the other begins."""
    return any(
        first.ends_at is not None and then.starts_at is not None and first.ends_at <= then.starts_at
        for first, then in ((one, two), (two, one))
    )


def _both(example: Example, codes: Sequence[str]) -> bool:
    return all(_decision(example, code).base for code in codes)


def _decision(example: Example, code: str) -> Decision:
    return next(one for one in example.decisions if one.rule == code)


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


def _and(codes: Sequence[str]) -> str:
    return " and ".join([", ".join(codes[:-1]), codes[-1]] if len(codes) > 1 else codes)


def _zh(codes: Sequence[str]) -> str:
    return "、".join(codes)
