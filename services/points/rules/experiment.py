"""What a rule tries out: variants of its formula, each for its share of the members, and what shall come of it. Pure.

Who gets which variant follows from program, experiment and member alone, for ever the same: so late and backdated
events, simulations and back-tests meet the variant that the member has.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any


@dataclass(frozen=True, slots=True)
class Variant:
    """`weight` of the sum of all weights of the members are awarded by `formula`; None: as the rule itself says."""

    code: str
    weight: int
    formula: str | None = None


@dataclass(frozen=True, slots=True)
class Goal:
    """What members are to do within so many days of first being asked: an event of that type of which it is true."""

    event: str
    days: int
    condition: str = "true"


@dataclass(frozen=True, slots=True)
class Experiment:
    """The first variant is what the others are compared with. Another `name` deals the members out anew."""

    name: str
    variants: tuple[Variant, ...]
    goal: Goal | None = None


def experiment_of(document: Mapping[str, Any] | None) -> Experiment | None:
    """The experiment that a rule's document says; None when there is none."""
    if not document:
        return None
    goal = document.get("goal")
    variants = tuple(Variant(**one) for one in document["variants"])
    return Experiment(document["name"], variants, Goal(**goal) if goal else None)


def variant_of(experiment: Experiment, *, program_id: int, member_id: int) -> int:
    """Which variant is the member's, by its number: a hash says so, which has nothing to do with that of a holdout."""
    digest = sha256(f"variant {program_id}/{experiment.name}/{member_id}".encode()).digest()
    point = int.from_bytes(digest[:8], "big") % sum(one.weight for one in experiment.variants)
    number = 0
    while point >= experiment.variants[number].weight:
        point -= experiment.variants[number].weight
        number += 1
    return number
