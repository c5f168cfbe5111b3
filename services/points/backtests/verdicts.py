"""What two sets of rules decide about the same event, with every rule that both have asked once. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.points.rules.domain import Decision, Facts, PublishedRule, RuleSet
from services.points.rules.panel import Panel

#: What each of the two sets decides.
Verdicts = tuple[Sequence[Decision], Sequence[Decision]]


@dataclass(frozen=True, slots=True)
class _Seat:
    """Where a set's rules sit among the rules of both; `panel` is theirs when they multiply or stack each other."""

    numbers: tuple[int, ...]
    panel: Panel | None
    groups: Mapping[str, str]

    def of(self, decisions: list[Decision]) -> list[Decision]:
        """The set's own decisions, multiplied and stacked among themselves."""
        mine = [decisions[number] for number in self.numbers]
        if self.panel is not None:
            self.panel.multiply(mine)
            self.panel.stack(mine, self.groups)
        return mine


class Bench:
    """The rules of one trigger of both sets, compiled together."""

    def __init__(self, sets: tuple[RuleSet, RuleSet], groups: tuple[Mapping[str, str], ...], trigger: str) -> None:
        both: list[PublishedRule] = []
        for one in (*sets[0], *sets[1]):
            if one.rule.trigger == trigger and one not in both:
                both.append(one)
        self._panel = Panel(both)
        self._seats = tuple(_seat(both, rules, modes, trigger) for rules, modes in zip(sets, groups, strict=True))
        self._alike = self._seats[0] == self._seats[1]

    def decide(self, facts: Facts, *, zone: str, program_id: int, member_id: int) -> Verdicts:
        """What each set decides; as `decide_all` of either."""
        decisions = self._panel.decide(facts, zone=zone, program_id=program_id, member_id=member_id)
        now = self._seats[0].of(decisions)
        return now, now if self._alike else self._seats[1].of(decisions)


def _seat(both: list[PublishedRule], rules: RuleSet, groups: Mapping[str, str], trigger: str) -> _Seat:
    mine = [one for one in rules if one.rule.trigger == trigger]
    panel = rules.panel(trigger)
    related = panel if panel is not None and (panel.factors or panel.groups) else None
    return _Seat(tuple(both.index(one) for one in mine), related, groups)
