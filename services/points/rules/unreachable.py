"""Why a rule can never award, as far as its own words and those of its neighbours prove it. Pure."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from services.points.rules.decisions import PublishedRule
from services.points.rules.expressions import Undecidable, alone
from services.points.rules.rule import Audience, Holdout, Rule, Schedule
from services.points.rules.samples import opening

_NAMED = re.compile(r"\b(data|event|member)\b|\$")


@dataclass(frozen=True, slots=True)
class Never:
    """Why, in both languages; `shown_by` stands in the reason that such a rule gives; `others` keep it out."""

    en: str
    zh: str
    shown_by: str
    others: tuple[str, ...] = ()


def why_never(
    one: PublishedRule,
    rules: Sequence[PublishedRule],
    groups: Mapping[str, str],
    *,
    now: datetime,
    time_zone: str,
) -> Never | None:
    """Why the rule of the same trigger as `rules` can never award; None when nothing proves it."""
    proofs: tuple[Callable[[], Never | None], ...] = (
        lambda: _over(one.rule, now, time_zone),
        lambda: _refusing(one.rule),
        lambda: _nothing(one.rule),
        lambda: _stacked_out(one, rules, groups),
        lambda: _multiplying_nothing(one, rules),
        lambda: _outbid(one, rules),
    )
    return next((never for proof in proofs if (never := proof()) is not None), None)


def _over(rule: Rule, now: datetime, time_zone: str) -> Never | None:
    if rule.ends_at is not None and rule.ends_at <= now:
        return Never("it has ended", "已结束", "ended")
    if opening(rule, after=now, time_zone=time_zone) is None:
        return Never(
            "its dates, weekdays and hours never come together", "日期、星期与时段没有交集", "outside_schedule"
        )
    return None


def _refusing(rule: Rule) -> Never | None:
    if rule.holdout is not None and rule.holdout.percent >= 100:
        return Never("all members are held out", "所有会员均属对照组", "held_out")
    if _NAMED.search(rule.condition):
        return None
    answer = alone((rule.condition, "1"), {})
    if answer is None:
        return Never("its condition is always false", "条件恒为假", "condition_false")
    if isinstance(answer, Undecidable):
        return Never("its condition can never be decided", "条件无法判定", "undecidable")
    return None


def _nothing(rule: Rule) -> Never | None:
    if any(cap.amount == 0 for cap in rule.caps) or rule.budget == 0:
        return Never("a cap or its budget is 0", "上限或预算为 0", "awarded")
    if rule.kind == "award" and rule.formula is not None and not _NAMED.search(rule.formula):
        amount = alone(("true", rule.formula), {})
        if isinstance(amount, int) and amount <= 0:
            return Never("its formula gives nothing", "公式结果不大于 0", "nothing_to_award")
    return None


def _stacked_out(one: PublishedRule, rules: Sequence[PublishedRule], groups: Mapping[str, str]) -> Never | None:
    """In a group in which the first one wins, somebody before it always awards."""
    if one.rule.group is None or groups.get(one.rule.group, "all") != "first" or one.rule.kind != "award":
        return None
    for other in _before(one, rules):
        if other.rule.group == one.rule.group and _always_awards(other.rule):
            return Never(
                f"{other.code} comes first in the group {one.rule.group} and always awards",
                f"分组 {one.rule.group} 中 {other.code} 优先且总会发放",
                "stacked_out",
                (other.code,),
            )
    return None


def _multiplying_nothing(one: PublishedRule, rules: Sequence[PublishedRule]) -> Never | None:
    if one.rule.kind != "multiplier":
        return None
    named = one.rule.applies_to
    if any(
        other.rule.kind == "award" and other.rule.asset == one.rule.asset and (not named or other.code in named)
        for other in rules
    ):
        return None
    return Never(
        "no rule of its trigger and asset is there to multiply",
        "没有同触发、同资产的规则可供加倍",
        "nothing_to_multiply",
    )


def _outbid(one: PublishedRule, rules: Sequence[PublishedRule]) -> Never | None:
    """A higher factor that always applies to all that it applies to."""
    if one.rule.kind != "multiplier":
        return None
    for other in rules:
        covers = not other.rule.applies_to or (
            bool(one.rule.applies_to) and set(one.rule.applies_to) <= set(other.rule.applies_to)
        )
        higher = other.rule.kind == "multiplier" and Fraction(other.rule.factor or 1) > Fraction(one.rule.factor or 1)
        if higher and covers and other.rule.asset == one.rule.asset and _is_open_to_all(other.rule):
            return Never(
                f"{other.code} always multiplies by more", f"{other.code} 的倍数始终更高", "outbid", (other.code,)
            )
    return None


def _before(one: PublishedRule, rules: Sequence[PublishedRule]) -> Iterator[PublishedRule]:
    """Award rules that go first: higher priority, then the code."""
    for other in rules:
        earlier = (-other.rule.priority, other.code) < (-one.rule.priority, one.code)
        if other.rule.kind == "award" and earlier:
            yield other


def _always_awards(rule: Rule) -> bool:
    """Whether the rule awards something for every event of its trigger: no question asked, and a plain amount."""
    if not _is_open_to_all(rule) or rule.formula is None or _NAMED.search(rule.formula):
        return False
    amount = alone(("true", rule.formula), {})
    return isinstance(amount, int) and amount > 0


def _is_open_to_all(rule: Rule) -> bool:
    return (
        rule.starts_at is None
        and rule.ends_at is None
        and rule.audience == Audience()
        and rule.schedule == Schedule()
        and rule.holdout in (None, Holdout(0))
        and rule.condition.strip() == "true"
    )
