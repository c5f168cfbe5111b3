"""A static check of a set of rules: what would go wrong with it, with an event at which it does. Pure.

Concerns are found by trying made-up events (`samples`) with the code that decides real ones. Where one has an example,
the example really shows it; where none was found there may still be a concern that no sample met.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import combinations

from services.points.rules.absent import absent
from services.points.rules.concerns import Concern, Example, Setting, Severity, listed, listed_zh
from services.points.rules.decisions import PublishedRule
from services.points.rules.domain import RuleSet, decide_all
from services.points.rules.exposure import above_price, stacking, uncapped
from services.points.rules.loops import cycles
from services.points.rules.policy import review
from services.points.rules.rule import HOWEVER_OFTEN, Rule, as_variant
from services.points.rules.samples import samples
from services.points.rules.unreachable import why_never

_MOST_SAMPLES = 1_000
_ENTERING = ("segment.entered", "tag.entered")


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
        found += stacking(some, examples, setting)
        found += _twice(some, examples)
        found += uncapped(some, examples)
        found += above_price(some, examples, setting)
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
            f"What {listed(ring)} award causes the events that they reward: the awards never end. Reward an event from"
            " outside instead.",
            f"规则 {listed_zh(ring)} 的奖励会触发其自身奖励的事件,形成循环。请改为奖励外部行为。",
        )


def _never(rules: Sequence[PublishedRule], examples: Sequence[Example], setting: Setting) -> Iterator[Concern]:
    """Rules that cannot award, whatever happens."""
    for one in rules:
        reason = why_never(one, rules, setting.groups, now=setting.now, time_zone=setting.time_zone)
        if reason is None:
            continue
        example = next((tried for tried in examples if reason.shown_by in tried.of(one.code).reason), None)
        yield Concern(
            "unreachable",
            "warning",
            (one.code, *reason.others),
            f"The rule {one.code} can never award: {reason.en}.",
            f"规则 {one.code} 永远不会发放:{reason.zh}。",
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
            f"{listed(codes)} ask the same of the same members at the same time, for {one.rule.asset}: one may be left"
            " over.",
            f"规则 {listed_zh(codes)} 的触发、人群、时段与条件相同,且发放同一资产 {one.rule.asset},"
            "其中一条可能是多余的。",
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
    return all(example.of(code).base for code in codes)
