"""What the platform and the law forbid a rule to reward, as far as a rule can say it. Pure.

Each violation names the section of platform-rules.md it comes from. `refused` ones keep a rule from being published,
`warning` ones are shown by the analysis of the set. Whole families of event types are matched, by the words of the
type: `share.opened`, `content_shared` and `post.forwarded` are one family, however a shop names them.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from common.errors import FieldFault, FieldsRefused
from services.points.rules.rule import Rule

Severity = Literal["refused", "warning"]


class PolicyViolated(FieldsRefused):
    """The rule may not be published: `rule`; one fault a field."""

    code = "policy_violation"


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing about a rule that is forbidden (`refused`) or asks for care (`warning`).

    `field` is a JSON pointer into the rule's document, `source` the section of platform-rules.md.
    """

    code: str
    severity: Severity
    field: str
    reason_en: str
    reason_zh: str
    source: str


_SHARING, _MULTI_LEVEL, _LOTTERY, _PREPAID = "Sharing rules", "Multi-level", "Lottery", "Prepaid/stored value"

# Stems, so that share, shares, shared and sharing are one word; a type is cut at dots, dashes and underscores.
_SHARE = re.compile(r"^(shar(e|es|ed|er|ing)|re?post(s|ed|ing)?|retweet(s|ed)?|forward(s|ed|ing)?|fenxiang|zhuanfa)$")
_MOMENTS = re.compile(r"^(moments?|pyq|pengyouquan|timeline|friendcircle)$")
_INVITE = re.compile(r"^(invit(e|es|ed|ee|er|ing|ation|ations)|refer(s|red|ral|rals|rer|ee)?|yaoqing|laxin)$")
_HELP = re.compile(r"^(assist(s|ed)?|boost(s|ed)?|bargain(s|ed)?|help(s|ed|er)?|zhuli|kanjia|jizan|jika)$")
_LOOK = re.compile(r"^(open(s|ed)?|click(s|ed)?|view(s|ed)?|visit(s|ed)?|scan(s|ned)?|sent|send|tapped)$")
# What is passed on to others: to have it opened or sent is sharing by another name.
_PASSED_ON = re.compile(r"^(link|card|poster|qrcode|h5|miniprogramcard)$")
_JOIN = re.compile(r"^(join(s|ed)?|register(s|ed)?|registration|signup|bound|accept(s|ed)?|follow(s|ed)?)$")
_DONE = re.compile(r"^(convert(s|ed)?|qualif(y|ied)|paid|purchase[ds]?|ordered|complete[ds]?|confirmed|activated)$")
_FRIEND = re.compile(r"^(friend(s)?|contact(s)?|group|community|wecom|wxwork|qywx|haoyou)$")
_ADD = re.compile(r"^(add(s|ed)?|join(s|ed)?|follow(s|ed)?|subscribe[ds]?|new|created)$")
_TEAM = re.compile(r"^(team|downline|group|subordinate)$")
_SALES = re.compile(r"^(sales?|performance|turnover|revenue|commission|yeji)$")
_CASH = re.compile(r"^(cash|hongbao|redpacket|redenvelope|packet|envelope|rmb|cny|wallet)$")
_CHANCE = re.compile(r"^(draw|draws|lottery|lucky|raffle|spin|spins|choujiang)$")
_DRAWN = re.compile(r"\brand(om)?\s*\(", re.IGNORECASE)


def review(rule: Rule) -> list[Violation]:
    """Everything the platform's rules have to say about the rule, refusals first."""
    words = _words(rule.trigger)
    found = [one for law in _LAWS for one in law(rule, words)]
    return sorted(found, key=lambda one: one.severity)


def check_policy(code: str, rule: Rule) -> None:
    """Raise `PolicyViolated` with a fault per field when the rule may not be published."""
    faults = policy_faults(rule)
    if faults:
        raise PolicyViolated(faults, rule=code)


def policy_faults(rule: Rule) -> list[FieldFault]:
    """Why the rule may not be published, by field."""
    refused = [one for one in review(rule) if one.severity == "refused"]
    return [FieldFault(one.field, one.reason_en, one.reason_zh) for one in refused]


def _sharing(rule: Rule, words: list[str]) -> Iterator[Violation]:
    """No benefit for sharing itself nor for having it looked at, none at all for Moments (朋友圈)."""
    if _any(_MOMENTS, words):
        yield Violation(
            "reward_for_moments",
            "refused",
            "/trigger",
            f"No reward may hang on WeChat Moments: {rule.trigger}. Reward what members do in the shop.",
            f"平台禁止以朋友圈分享作为奖励条件:{rule.trigger}。请改为奖励会员的实际参与行为。",
            _SHARING,
        )
    elif (_any(_SHARE, words) and not _any(_DONE, words)) or (_any(_PASSED_ON, words) and _any(_LOOK, words)):
        yield Violation(
            "reward_for_sharing",
            "refused",
            "/trigger",
            f"No reward merely for {rule.trigger}: sharing, forwarding or opening. Reward what the invited one then"
            " does, e.g. share.converted.",
            f"平台禁止仅因分享、转发或打开({rule.trigger})发放奖励,请改为奖励被邀请人完成的行为,如 share.converted。",
            _SHARING,
        )


def _inviting(rule: Rule, words: list[str]) -> Iterator[Violation]:
    """An invitation is rewarded for what the invited one does, not for heads counted; its rules must be shown."""
    if not _any(_INVITE, words):
        return
    if not _any(_DONE, words) and not _any(_JOIN, words):
        yield Violation(
            "reward_for_inviting",
            "refused",
            "/trigger",
            f"No reward merely for {rule.trigger}: the invited one must knowingly take part first.",
            f"被邀请人知情参与之前,不得因 {rule.trigger} 发放奖励。",
            _SHARING,
        )
    elif not _any(_DONE, words):
        yield Violation(
            "reward_per_head",
            "refused",
            "/trigger",
            f"{rule.trigger} pays for heads (拉人头): reward a completed action, e.g. invitation.qualified.",
            f"{rule.trigger} 属于按人头计酬(拉人头),请改为奖励已完成的行为,如 invitation.qualified。",
            _MULTI_LEVEL,
        )
    yield Violation(
        "rules_text_to_be_shown",
        "warning",
        "/trigger",
        "An invitation's rules, steps and benefit must be shown in full; a rule's document holds no such text, so check"
        " the invitation's page.",
        "邀请活动须完整展示规则、步骤与奖励;规则文档中没有该文案,请在邀请页面核对。",
        _SHARING,
    )


def _befriending(rule: Rule, words: list[str]) -> Iterator[Violation]:
    """Adding a friend pays once per identity at most, and better after a first action (requirements P15)."""
    if _any(_FRIEND, words) and _any(_ADD, words) and not _any(_DONE, words) and not _limited_once(rule):
        yield Violation(
            "friend_added_more_than_once",
            "warning",
            "/caps",
            f"{rule.trigger} can be repeated by deleting and adding again: give a total cap per member of one award,"
            " and better reward a first action.",
            f"删除后重新添加可反复触发 {rule.trigger}:请设置每会员终身上限为一次奖励,最好改为奖励首次行为。",
            _SHARING,
        )


def _helping(rule: Rule, words: list[str]) -> Iterator[Violation]:
    """Assists and bargains (助力、砍价、集赞) only with a fixed, visible target (requirements R14)."""
    if _any(_HELP, words):
        yield Violation(
            "assist_with_fixed_target_only",
            "warning",
            "/trigger",
            f"{rule.trigger}: assists and bargains (助力、砍价、集赞) are banned outside the mini-program and need a"
            " fixed, visible target inside it.",
            f"{rule.trigger}:助力、砍价、集赞类玩法禁止用于外部链接,在小程序内也须有固定且公示的目标。",
            _SHARING,
        )


def _drawing(rule: Rule, words: list[str]) -> Iterator[Violation]:
    """Amounts are fixed by the event: no lots drawn, and no draw chances for inviting or helping (助力得抽奖机会)."""
    for field, expression in _texts_of(rule):
        if _DRAWN.search(expression):
            yield Violation(
                "random_amount",
                "refused",
                field,
                "An amount drawn at random may not be a reward: say a fixed formula over the event's data.",
                "奖励数额不得随机,请使用基于事件数据的固定公式。",
                _LOTTERY,
            )
    social = any(_any(family, words) for family in (_SHARE, _INVITE, _HELP, _FRIEND))
    if social and _any(_CHANCE, _words(rule.asset)):
        yield Violation(
            "draw_chance_for_inviting",
            "refused",
            "/asset",
            f"Chances to draw ({rule.asset}) may not be won by inviting or helping; award a fixed amount of points.",
            f"不得以邀请、助力换取抽奖机会({rule.asset}),请改为固定数额的积分。",
            _SHARING,
        )


def _paying_teams(rule: Rule, words: list[str]) -> Iterator[Violation]:
    """No pay for a team's performance (团队计酬); commission from real paid goods only."""
    if (_any(_TEAM, words) and _any(_SALES, words)) or "downline" in words:
        yield Violation(
            "reward_for_team_performance",
            "refused",
            "/trigger",
            f"No reward for a team's performance: {rule.trigger}. Reward the member's own actions.",
            f"禁止团队计酬:{rule.trigger}。请奖励会员自己的行为。",
            _MULTI_LEVEL,
        )
    if rule.asset == "commission" and "order" not in words:
        yield Violation(
            "commission_without_goods",
            "refused",
            "/asset",
            f"Commission comes from goods really paid for, not from {rule.trigger}; award points.",
            f"佣金只能来自真实付款的商品,不得因 {rule.trigger} 发放;请改为积分。",
            _MULTI_LEVEL,
        )


def _paying_cash(rule: Rule, _: list[str]) -> Iterator[Violation]:
    """Cash red packets are no reward of this system (requirements P15); points, coupons and credit are."""
    joined = rule.asset.replace("_", "").replace("-", "")
    if _any(_CASH, [*_words(rule.asset), joined]):
        yield Violation(
            "cash_reward",
            "refused",
            "/asset",
            f"Cash red packets ({rule.asset}) are not awarded by rules; award points or store credit.",
            f"规则不发放现金红包({rule.asset}),请改为积分或储值金。",
            _PREPAID,
        )


def _words(name: str) -> list[str]:
    return [word for word in re.split(r"[._-]+", name.lower()) if word]


def _any(family: re.Pattern[str], words: list[str]) -> bool:
    return any(family.match(word) for word in words)


def _texts_of(rule: Rule) -> Iterator[tuple[str, str]]:
    """Every expression of the rule with the field it stands in."""
    yield "/condition", rule.condition
    yield "/formula", rule.formula or ""
    for number, variant in enumerate(rule.experiment.variants if rule.experiment else ()):
        yield f"/experiment/variants/{number}/formula", variant.formula or ""
    yield from (("/table", text) for text in _strings(rule.table))


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _strings(inner)


def _limited_once(rule: Rule) -> bool:
    """Whether the member's total is capped, or one award is all: whoever adds and deletes and adds gets no more."""
    return any(cap.per == "total" and cap.of == "member" for cap in rule.caps) or any(
        times.per == "total" and times.most == 1 for times in rule.frequency.times
    )


_LAWS: tuple[Callable[[Rule, list[str]], Iterator[Violation]], ...] = (
    _sharing,
    _inviting,
    _befriending,
    _helping,
    _drawing,
    _paying_teams,
    _paying_cash,
)
