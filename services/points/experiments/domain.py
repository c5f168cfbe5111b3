"""Figures of an experiment's variants from recorded events, and a plain test whether they differ. Pure.

A member counts from the first event at which the rule was asked and its condition held, whatever the formula then gave:
that does not depend on the variant. Who met it is compared with who met the first variant, by the pooled z-test of two
proportions (NIST/SEMATECH e-Handbook of Statistical Methods, 7.3.3). Its square is computed exactly; only the
probability that is shown is a float.
"""

import math
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any, NamedTuple

from common.errors import Refusal
from services.points.rules.experiment import Experiment, Goal, variant_of
from services.points.rules.expressions import Undecidable, holds, plain

#: More would keep the asker and the database waiting; a shorter time has fewer.
MOST_EVENTS = 500_000
#: What a difference may owe to chance, shared among the comparisons (Bonferroni).
LEVEL = 0.05
#: Below it in any cell the test says nothing (Cochran's rule).
LEAST_EXPECTED = 5
#: A rule that says so was not asked, or its condition was false: no variant had a part in it.
NOT_MET = ("not_started", "ended", "outside_schedule", "not_in_audience", "held_out", "condition_false")


class NoExperiment(Refusal):
    """No version of the rule that was ever published tries anything out: `rule`."""

    code = "no_experiment"


class TooManyEvents(Refusal):
    """There are more events in that time than are counted while somebody waits: `most`."""

    code = "too_many_events"


@dataclass(frozen=True, slots=True)
class Study:
    """What is looked at: the versions of `rule` that have the experiment, by id, and their events of a time."""

    program_id: int
    rule: str
    experiment: Experiment
    versions: Mapping[int, int]
    trigger: str
    since: datetime
    until: datetime


class Met(NamedTuple):
    """A member who met the rule: when first, at how many events, and what came of it (`Figures`)."""

    member_id: int
    first_at: datetime
    events: int
    awarded: int
    taken_back: int
    spend_fen: int


@dataclass(slots=True)
class Figures:
    """What came of one variant: `members` who met it, `events` at which they did, what they were awarded.

    `converted` of them reached the goal in time, `open` have neither reached it nor run out of time. `spend_fen` is
    what they paid, less refunds, from meeting it on, as long as the goal has days (without a goal: to the end).
    """

    members: int = 0
    events: int = 0
    awarded: int = 0
    taken_back: int = 0
    converted: int = 0
    open: int = 0
    spend_fen: int = 0


@dataclass(frozen=True, slots=True)
class Comparison:
    """Against the first variant: how likely chance alone makes such a difference, and whether it is taken for real.

    `enough`: so many met both variants that the test means something.
    """

    p_value: float
    significant: bool
    enough: bool


def reached(events: Iterable[tuple[int, dict[str, Any]]], goal: Goal) -> set[int]:
    """Whose events (of the goal's type and time, with their data) fulfil the goal's condition."""
    return {member_id for member_id, data in events if _holds(goal.condition, data)}


def figures_of(members: Iterable[Met], converted: Container[int], study: Study) -> list[Figures]:
    """The figures of each variant, from everybody who met the rule."""
    figures = [Figures() for _ in study.experiment.variants]
    goal = study.experiment.goal
    for met in members:
        which = variant_of(study.experiment, program_id=study.program_id, member_id=met.member_id)
        one = figures[which]
        one.members += 1
        one.events += met.events
        one.awarded += met.awarded
        one.taken_back += met.taken_back
        one.spend_fen += met.spend_fen
        if met.member_id in converted:
            one.converted += 1
        elif goal is not None and met.first_at + timedelta(days=goal.days) >= study.until:
            one.open += 1
    return figures


def compare(figures: Sequence[Figures]) -> list[Comparison | None]:
    """How each variant's conversions compare with the first's; None for the first, and where nothing can be said."""
    return [None, *(_compare(figures[0], one, len(figures) - 1) for one in figures[1:])]


def _holds(condition: str, data: dict[str, Any]) -> bool:
    try:
        return holds(condition, {"data": plain(data)})
    except Undecidable:
        return False


def _compare(one: Figures, other: Figures, comparisons: int) -> Comparison | None:
    members, converted = one.members + other.members, one.converted + other.converted
    if not one.members or not other.members or converted in (0, members):
        return None
    share = Fraction(converted, members)
    variance = share * (1 - share) * (Fraction(1, one.members) + Fraction(1, other.members))
    squared = (Fraction(one.converted, one.members) - Fraction(other.converted, other.members)) ** 2 / variance
    p_value = math.erfc(math.sqrt(squared / 2))
    least = min(one.members, other.members) * min(share, 1 - share)
    enough = least >= LEAST_EXPECTED
    return Comparison(p_value, enough and p_value < LEVEL / comparisons, enough)
