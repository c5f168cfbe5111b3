"""What one event would bring, rule by rule, as far as it can be said without what was awarded before. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from services.points.audiences.domain import Membership
from services.points.rules.caps import window_of
from services.points.rules.decisions import Decision, PublishedRule
from services.points.rules.rule import Frequency


@dataclass(frozen=True, slots=True)
class CapTrial:
    """A cap, the window into which the event falls, and whether it cuts what the rule wants by itself."""

    per: str
    of: str
    amount: int
    window: str
    cuts: bool


@dataclass(frozen=True, slots=True)
class Trial:
    """A decision with everything about its rule that led to it; `version` None is the draft."""

    rule: str
    kind: str
    version: int | None
    asset: str
    base: int
    factor: str | None
    campaign: str | None
    wanted: int
    amount: int
    reason: str
    priority: int
    group: str | None
    mode: str | None
    validity: str | None
    pending: str | None
    caps: list[CapTrial]
    frequency: Frequency
    budget: int | None


@dataclass(frozen=True, slots=True)
class Simulation:
    """What the draft of `rule` decides, with every live rule of the event's type; and who the member was taken for."""

    rule: str
    version: int | None
    asset: str
    amount: int
    reason: str
    member: Membership
    decisions: list[Trial]


def simulation(
    draft: PublishedRule,
    decisions: Sequence[Decision],
    rules: Sequence[PublishedRule],
    groups: Mapping[str, str],
    *,
    member: Membership,
    time: datetime,
    zone: str,
) -> Simulation:
    """Put together what was decided for an event at `time`; a draft that was not asked says `other_trigger`."""
    by_code = {one.code: one for one in rules}
    trials = [_trial(one, by_code[one.rule], groups, time, zone) for one in decisions]
    own = next((one for one in trials if one.rule == draft.code), None)
    amount, reason = (own.amount, own.reason) if own else (0, "other_trigger")
    return Simulation(draft.code, draft.version, draft.rule.asset, amount, reason, member, trials)


def for_anybody(published: PublishedRule) -> PublishedRule:
    """The rule as it is for those who are not held out."""
    return replace(published, rule=replace(published.rule, holdout=None))


def _trial(decision: Decision, published: PublishedRule, groups: Mapping[str, str], time: datetime, zone: str) -> Trial:
    rule = published.rule
    caps = [
        CapTrial(cap.per, cap.of, cap.amount, window_of(cap.per, time, zone), cap.amount < decision.wanted)
        for cap in decision.caps
    ]
    limits = [("budget_spent", decision.budget), *((f"capped: {cap.per}", cap.amount) for cap in caps)]
    amount, reason = decision.wanted, decision.reason
    for name, limit in limits:
        if limit is not None and limit < amount:
            amount, reason = limit, name
    return Trial(
        decision.rule,
        rule.kind,
        decision.version,
        decision.asset,
        decision.base,
        decision.factor,
        decision.campaign,
        decision.wanted,
        amount,
        reason,
        rule.priority,
        rule.group,
        None if rule.group is None else groups.get(rule.group, "all"),
        rule.validity,
        rule.pending,
        caps,
        rule.frequency,
        rule.budget,
    )
