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
    variant: str | None


@dataclass(frozen=True, slots=True)
class VariantTrial:
    """What the draft decides for members of one variant of its experiment."""

    variant: str
    weight: int
    amount: int
    reason: str


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
    variants: list[VariantTrial]


def simulation(
    draft: PublishedRule,
    decisions: Sequence[Decision],
    rules: Sequence[PublishedRule],
    groups: Mapping[str, str],
    *,
    member: Membership,
    time: datetime,
    zone: str,
    variants: Sequence[Sequence[Decision]] = (),
) -> Simulation:
    """Put together what was decided for an event at `time`; a draft that was not asked says `other_trigger`.

    `variants` is what was decided for members of each variant of the draft's experiment, when it has one.
    """
    by_code = {one.code: one for one in rules}

    def tried(decided: Sequence[Decision]) -> list[Trial]:
        return [_trial(one, by_code[one.rule], groups, time, zone) for one in decided]

    trials = tried(decisions)
    amount, reason = _own(draft, trials)
    experiment = draft.rule.experiment
    each = [
        VariantTrial(variant.code, variant.weight, *_own(draft, tried(decided)))
        for variant, decided in zip(experiment.variants if experiment else (), variants, strict=True)
    ]
    return Simulation(draft.code, draft.version, draft.rule.asset, amount, reason, member, trials, each)


def for_anybody(published: PublishedRule) -> PublishedRule:
    """The rule as it is for those who are not held out."""
    return replace(published, rule=replace(published.rule, holdout=None))


def of_variant(published: PublishedRule, number: int) -> PublishedRule:
    """The rule as it would be if every member had that variant of its experiment; as it is without one."""
    experiment = published.rule.experiment
    if experiment is None:
        return published
    alone = replace(experiment, variants=(experiment.variants[number],))
    return replace(published, rule=replace(published.rule, experiment=alone))


def _own(draft: PublishedRule, trials: Sequence[Trial]) -> tuple[int, str]:
    own = next((one for one in trials if one.rule == draft.code), None)
    return (own.amount, own.reason) if own else (0, "other_trigger")


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
        decision.variant,
    )
