"""The rules of one trigger, compiled together: what each says of an event, its multipliers, its groups. Pure."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from services.points.rules.decisions import Decision, Facts, PublishedRule
from services.points.rules.eligibility import Local, asks_when_or_whom, local, why_not
from services.points.rules.experiment import variant_of
from services.points.rules.expressions import Answer, Jury, Names, Question, Undecidable
from services.points.rules.rule import ALWAYS, Rule
from services.points.rules.tables import formula_of

#: One award is at most this; a formula that gives more is refused and says so (traps T21).
LARGEST_AWARD = 10_000_000_000
#: What a multiplier that applies says until it is known what it multiplies.
_READY = "ready_to_multiply"


class Panel:
    """The rules of one trigger, in order, compiled together."""

    def __init__(self, rules: Sequence[PublishedRule]) -> None:
        self.rules = tuple(rules)
        numbered = list(enumerate(rules))
        self.factors = {n: Fraction(one.rule.factor) for n, one in numbered if one.rule.factor is not None}
        self.groups: dict[str, list[int]] = {}
        for number, one in numbered:
            if one.rule.group is not None:
                self.groups.setdefault(one.rule.group, []).append(number)
        questions = [(one.rule.condition, formula_text(one.rule)) for one in rules]
        #: For rules with an experiment, by variant, which question its formula is.
        self._tried: dict[int, list[int]] = {}
        for number, one in numbered:
            if one.rule.experiment is not None:
                self._tried[number] = _ask_variants(one.rule, number, questions)
        self._jury = Jury(questions)
        self._names = Names([text for question in questions for text in question])
        self._asking = [number for number, one in numbered if asks_when_or_whom(one.rule)]
        self._clocked = self._names.event or any(one.rule.schedule != ALWAYS for one in rules)
        self._refusals: list[dict[str, Decision]] = [{} for _ in rules]
        self._false = [self._refused(number, "condition_false") for number in range(len(self.rules))]

    def decide(self, facts: Facts, *, zone: str, program_id: int, member_id: int) -> list[Decision]:
        """What each rule says by itself, before multipliers and groups."""
        here = local(facts.time, zone) if self._clocked else None
        refused: dict[int, str] = {}
        for number in self._asking:
            one = self.rules[number]
            reason = why_not(one.rule, facts, here, code=one.code, program_id=program_id, member_id=member_id)
            if reason is not None:
                refused[number] = reason
        if len(refused) == len(self.rules):
            return [self._refused(number, refused[number]) for number in range(len(self.rules))]
        answers = self._jury.ask(self._context(facts, here))
        variants = self._deal(answers, program_id, member_id) if self._tried else {}
        decisions = [
            self._false[number] if answer is None else self._judged(number, answer, variants.get(number))
            for number, answer in enumerate(answers)
        ]
        for number, reason in refused.items():
            decisions[number] = self._refused(number, reason)
        return decisions

    def multiply(self, decisions: list[Decision]) -> None:
        """Give every award its highest multiplier; multipliers do not multiply each other (requirements R4)."""
        ready = [number for number in self.factors if decisions[number].reason == _READY]
        used: set[int] = set()
        outbid: dict[int, int] = {}
        for number, decision in enumerate(decisions):
            if not decision.wanted:
                continue
            meant = [one for one in ready if self._is_meant(one, number)]
            if not meant:
                continue
            # The first of the highest: the order of the rules decides between equals.
            best = max(meant, key=lambda one: (self.factors[one], -one))
            used.add(best)
            outbid |= {one: best for one in meant if one != best}
            decisions[number] = self._multiplied(number, decision, best)
        for number in ready:
            if number in used:
                decisions[number] = self._refused(number, "multiplies")
            elif number in outbid:
                decisions[number] = self._refused(number, f"outbid: by {self.rules[outbid[number]].code}")
            else:
                decisions[number] = self._refused(number, "nothing_to_multiply")

    def stack(self, decisions: list[Decision], modes: Mapping[str, str]) -> None:
        """Of each group in mode `first` or `highest` leave one award standing."""
        for group, numbers in self.groups.items():
            awarded = [number for number in numbers if decisions[number].wanted]
            mode = modes.get(group, "all")
            if mode == "all" or len(awarded) < 2:
                continue
            kept = awarded[0] if mode == "first" else max(awarded, key=lambda one: (decisions[one].wanted, -one))
            for number in awarded:
                if number != kept:
                    decisions[number] = _stacked_out(self.rules[number], decisions[number], self.rules[kept].code)

    def _context(self, facts: Facts, here: Local | None) -> dict[str, Any]:
        context: dict[str, Any] = {"data": self._names.of(facts.data)}
        if self._names.event and here is not None:
            context["event"] = {
                "type": facts.type,
                "hour": here.minute // 60,
                "weekday": here.weekday,
                "day": here.day,
                "month_day": int(here.day[8:]),
            }
        if self._names.member:
            context["member"] = {"tier": facts.member.tier, "tags": sorted(facts.member.tags)}
        return context

    def _deal(self, answers: list[Answer], program_id: int, member_id: int) -> dict[int, str]:
        """Let each rule with an experiment answer as the member's variant does; returns those variants."""
        variants = {}
        for number, questions in self._tried.items():
            experiment = self.rules[number].rule.experiment
            assert experiment is not None, "it is tried"
            which = variant_of(experiment, program_id=program_id, member_id=member_id)
            answers[number] = answers[questions[which]]
            variants[number] = experiment.variants[which].code
        del answers[len(self.rules) :]
        return variants

    def _judged(self, number: int, answer: int | Undecidable, variant: str | None) -> Decision:
        if isinstance(answer, Undecidable):
            return _decision(self.rules[number], f"undecidable: {answer}", variant=variant)
        if number in self.factors:
            return self._refused(number, _READY)
        if answer <= 0:
            return self._refused(number, "nothing_to_award")
        if answer > LARGEST_AWARD:
            return self._refused(number, "award_too_large")
        return _decision(self.rules[number], "awarded", base=answer, wanted=answer, variant=variant)

    def _refused(self, number: int, reason: str) -> Decision:
        """The same decision for the same reason: most rules say no to most events."""
        known = self._refusals[number]
        if reason not in known:
            known[reason] = _decision(self.rules[number], reason)
        return known[reason]

    def _is_meant(self, multiplier: int, number: int) -> bool:
        rule, other = self.rules[multiplier].rule, self.rules[number]
        return rule.asset == other.rule.asset and (not rule.applies_to or other.code in rule.applies_to)

    def _multiplied(self, number: int, decision: Decision, multiplier: int) -> Decision:
        factor = self.factors[multiplier]
        wanted = decision.base * factor.numerator // factor.denominator
        campaign = self.rules[multiplier]
        reason = "awarded"
        if wanted > LARGEST_AWARD:
            wanted, reason = 0, "award_too_large"
        return _decision(
            self.rules[number],
            reason,
            base=decision.base,
            wanted=wanted,
            factor=campaign.rule.factor,
            campaign=campaign.code,
            variant=decision.variant,
        )


def _decision(
    published: PublishedRule,
    reason: str,
    *,
    base: int = 0,
    wanted: int = 0,
    factor: str | None = None,
    campaign: str | None = None,
    variant: str | None = None,
) -> Decision:
    rule = published.rule
    return Decision(
        published.code,
        published.version,
        published.version_id,
        rule.asset,
        wanted,
        wanted,
        reason,
        rule.validity,
        rule.pending,
        base,
        rule.factor if factor is None else factor,
        campaign,
        rule.caps,
        rule.budget,
        rule.frequency,
        variant,
    )


def _stacked_out(published: PublishedRule, decision: Decision, by: str) -> Decision:
    return _decision(
        published,
        f"stacked_out: by {by}",
        base=decision.base,
        factor=decision.factor,
        campaign=decision.campaign,
        variant=decision.variant,
    )


def _ask_variants(rule: Rule, number: int, questions: list[Question]) -> list[int]:
    """Add a question for each variant with a formula of its own; returns which question each variant is."""
    tried = []
    for variant in rule.experiment.variants if rule.experiment else ():
        if variant.formula is None:
            tried.append(number)
        else:
            tried.append(len(questions))
            questions.append((rule.condition, variant.formula))
    return tried


def texts_of(rule: Rule) -> list[str]:
    """Every expression that decides what the rule awards, its condition first."""
    variants = rule.experiment.variants if rule.experiment else ()
    tried = [one.formula for one in variants if one.formula is not None]
    return [rule.condition, formula_text(rule), *tried]


def formula_text(rule: Rule) -> str:
    """What the rule computes, as one expression: its formula, or its table read as one."""
    if rule.kind == "multiplier":
        return "1"
    return formula_of(rule.table) if rule.table is not None else rule.formula or "0"
