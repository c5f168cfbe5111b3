"""What a set of rules awards for an event, and why or why not. Pure, but for the expression engine.

Order (field.md C5, C6): the cheap questions of every rule of the trigger (dates, schedule, audience, holdout), then
conditions and formulas, then the highest multiplier of each award, then the stacking groups. The order in which
the rules are given does not matter: higher priority goes first, then the code.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, overload

from common.errors import FieldFault, FieldsRefused, Refusal
from services.points.audiences.domain import Membership
from services.points.programs.pending import BadPending, check_pending
from services.points.programs.validity import BadValidity, check_own_validity
from services.points.rules import expressions
from services.points.rules.decisions import Decision, Facts, PublishedRule
from services.points.rules.expressions import Names
from services.points.rules.panel import LARGEST_AWARD, Panel, formula_text, texts_of
from services.points.rules.rule import (
    HOWEVER_OFTEN,
    Audience,
    Cap,
    Frequency,
    Holdout,
    Kind,
    Mode,
    Rule,
    Schedule,
    Times,
    document_of,
    rule_of,
)

__all__ = [
    "HOWEVER_OFTEN",
    "LARGEST_AWARD",
    "Audience",
    "Cap",
    "Decision",
    "Facts",
    "Frequency",
    "Holdout",
    "Kind",
    "Membership",
    "Mode",
    "PublishedRule",
    "Rule",
    "RuleSet",
    "Schedule",
    "Times",
    "decide_all",
    "document_of",
    "rule_of",
]


class UnknownRule(Refusal):
    """There is no such rule, or no such version of it: `rule`."""

    code = "rule_not_found"


class UnknownGroup(Refusal):
    """There is no such stacking group: `group`."""

    code = "rule_group_not_found"


class NoDraft(Refusal):
    """The rule has no draft to publish or simulate: `rule`."""

    code = "no_draft"


class SecondPersonNeeded(Refusal):
    """In this program nothing goes live because one person says so."""

    code = "second_person_needed"


@dataclass(frozen=True, slots=True)
class Change:
    """What shall go live of a rule: its draft (`version` None) or an earlier version; `replaces` is live until then.

    `mode` is that of its stacking group, when it has one.
    """

    rule: str
    version: int | None
    document: dict[str, Any]
    replaces: int | None
    mode: str | None


class BadRule(FieldsRefused):
    """What the rule says does not fit together; one fault a field."""

    code = "bad_rule"


class RuleSet(Sequence[PublishedRule]):
    """Rules made ready to decide many events: by trigger, in order, compiled at first use."""

    def __init__(self, rules: Sequence[PublishedRule]) -> None:
        self._rules = tuple(sorted(rules, key=lambda one: (-one.rule.priority, one.code)))
        self._panels: dict[str, Panel] = {}
        self._triggers = {one.rule.trigger for one in self._rules}
        #: What its rules say of pending, where they say it.
        self.pendings = frozenset(one.rule.pending for one in self._rules if one.rule.pending is not None)
        #: Whether any rule asks for tier, tags or segments; when not, memberships need not be looked up.
        self.asks_about_members = any(_asks_about_members(one.rule) for one in self._rules)

    def panel(self, trigger: str) -> Panel | None:
        """The rules that are asked about events of that type; None when there are none."""
        if trigger not in self._panels and trigger in self._triggers:
            self._panels[trigger] = Panel([one for one in self._rules if one.rule.trigger == trigger])
        return self._panels.get(trigger)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RuleSet) and self._rules == other._rules

    def __len__(self) -> int:
        return len(self._rules)

    def __iter__(self) -> Iterator[PublishedRule]:
        return iter(self._rules)

    @overload
    def __getitem__(self, index: int) -> PublishedRule: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[PublishedRule]: ...

    def __getitem__(self, index: int | slice) -> PublishedRule | Sequence[PublishedRule]:
        return self._rules[index]


def decide_all(
    rules: Sequence[PublishedRule],
    groups: Mapping[str, str],
    facts: Facts,
    *,
    zone: str,
    program_id: int,
    member_id: int,
) -> list[Decision]:
    """What every rule of the event's type decides about it, higher priority first, then by code. Never raises on data.

    `groups` are the modes of stacking groups by code. Whoever decides many events makes one `RuleSet` of the rules.
    """
    panel = (rules if isinstance(rules, RuleSet) else RuleSet(rules)).panel(facts.type)
    if panel is None:
        return []
    decisions = panel.decide(facts, zone=zone, program_id=program_id, member_id=member_id)
    if panel.factors:
        panel.multiply(decisions)
    if panel.groups:
        panel.stack(decisions, groups)
    return decisions


def check(rule: Rule) -> None:
    """Refuse what could never work.

    Raises `BadRule`, `BadExpression`, `BadTable`, `BadValidity`, `BadPending`; each names the field.
    """
    for part in _PARTS:
        part(rule)


def check_same_experiment(rule: Rule, published: Iterable[Mapping[str, Any]]) -> None:
    """Refuse other variants, or another formula, under the name of an experiment that was published: `BadRule`.

    Who met one variant would be counted with another, and what was awarded under both be one figure.
    """
    if rule.experiment is None:
        return
    for document in published:
        earlier = rule_of(document)
        same = earlier.experiment is not None and earlier.experiment.name == rule.experiment.name
        if same and _tries(earlier) != _tries(rule):
            en = "This experiment was published with other variants or formulas; give it another name."
            zh = "该实验已以其他变体或公式发布过,请换一个实验名称。"
            raise BadRule([FieldFault("/experiment/name", en, zh)])


def faults(rule: Rule) -> Iterator[FieldFault]:
    """Everything at once that `check` refuses about a rule."""
    for part in _PARTS:
        try:
            part(rule)
        except FieldsRefused as refused:
            yield from refused.faults
        except BadValidity:
            yield FieldFault(
                "/validity", f"{rule.validity} is no validity of a rule.", f"{rule.validity} 不能作为规则有效期。"
            )
        except BadPending:
            yield FieldFault(
                "/pending", f"{rule.pending} is no pending of a rule.", f"{rule.pending} 不能作为规则冻结期。"
            )


def _check_fields(rule: Rule) -> None:
    found = [*_misfits(rule), *_closed(rule)]
    if found:
        raise BadRule(found)


def _check_condition(rule: Rule) -> None:
    expressions.check(rule.condition, "/condition")


def _check_amount(rule: Rule) -> None:
    if rule.formula is not None:
        expressions.check(rule.formula, "/formula")
    elif rule.table is not None:
        expressions.check(formula_text(rule), "/table")


def _check_experiment(rule: Rule) -> None:
    if rule.experiment is None:
        return
    for number, variant in enumerate(rule.experiment.variants):
        if variant.formula is not None:
            expressions.check(variant.formula, f"/experiment/variants/{number}/formula")
    if rule.experiment.goal is not None:
        expressions.check(rule.experiment.goal.condition, "/experiment/goal/condition")


def _check_validity(rule: Rule) -> None:
    if rule.validity is not None:
        check_own_validity(rule.validity)


def _check_pending(rule: Rule) -> None:
    if rule.pending is not None:
        check_pending(rule.pending)


_PARTS = (_check_fields, _check_condition, _check_amount, _check_experiment, _check_validity, _check_pending)


def _misfits(rule: Rule) -> Iterator[FieldFault]:
    """Fields that the rule's kind needs, and those that would do nothing."""
    if rule.kind == "award":
        if (rule.formula is None) == (rule.table is None):
            en, zh = "Give either a formula or a table.", "请提供 formula 或 table 其中之一。"
            yield FieldFault("/formula", en, zh)
        meaningless: dict[str, Any] = {"factor": rule.factor, "applies_to": rule.applies_to or None}
    else:
        if rule.factor is None or Fraction(rule.factor) <= 1:
            en, zh = "A multiplier needs a factor above 1, at most 10.", "倍数活动需要大于 1、不超过 10 的 factor。"
            yield FieldFault("/factor", en, zh)
        meaningless = {
            name: getattr(rule, name) or None
            for name in ("formula", "table", "validity", "pending", "caps", "budget", "group", "experiment")
        }
        if rule.frequency != HOWEVER_OFTEN:
            meaningless["frequency"] = rule.frequency
    for name, value in meaningless.items():
        if value is not None:
            en = f"This does nothing for a rule of kind {rule.kind}; leave it out."
            yield FieldFault(f"/{name}", en, f"{rule.kind} 类规则不使用该字段,请去掉。")


def _closed(rule: Rule) -> Iterator[FieldFault]:
    """Windows that never open, and limits that are said twice."""
    if rule.starts_at is not None and rule.ends_at is not None and rule.starts_at >= rule.ends_at:
        yield FieldFault("/ends_at", "The rule must end after it starts.", "结束时间必须晚于开始时间。")
    for name, windows in (("hours", rule.schedule.hours), ("dates", rule.schedule.dates)):
        for number, (begin, end) in enumerate(windows):
            if begin > end or (name == "hours" and begin == end):
                en = "It ends before it begins; write a span over midnight as two, e.g. 22:00-24:00 and 00:00-02:00."
                zh = "结束早于开始;跨午夜请写成两段,如 22:00-24:00 与 00:00-02:00。"
                yield FieldFault(f"/schedule/{name}/{number}", en, zh)
    limits: dict[str, list[Any]] = {
        "/caps": [(cap.per, cap.of) for cap in rule.caps],
        "/frequency/times": [times.per for times in rule.frequency.times],
    }
    tried = [variant.code for variant in rule.experiment.variants] if rule.experiment else []
    for number, variant_code in enumerate(tried):
        if variant_code in tried[:number]:
            yield FieldFault(
                f"/experiment/variants/{number}/code",
                "Give each variant a code of its own.",
                "每个变体的代码不能重复。",
            )
    for field, windows_limited in limits.items():
        for number, limit in enumerate(windows_limited):
            if limit in windows_limited[:number]:
                en, zh = "This window is capped twice; keep one of them.", "同一窗口重复设置上限,请保留一个。"
                yield FieldFault(f"{field}/{number}", en, zh)


def _tries(rule: Rule) -> tuple[object, ...]:
    assert rule.experiment is not None, "rules without one are not compared"
    return rule.experiment.variants, rule.trigger, rule.condition, rule.formula, rule.table


def _asks_about_members(rule: Rule) -> bool:
    audience = rule.audience
    if audience.tiers or audience.tags or audience.segments:
        return True
    return Names(texts_of(rule)).member
