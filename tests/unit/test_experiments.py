"""Laws of experiments: who gets which variant, what is counted for it, and when a difference is taken for real."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.points.experiments.domain import Figures, Met, Study, compare, figures_of, reached
from services.points.rules.domain import BadRule, check, check_same_experiment, document_of, faults, rule_of
from services.points.rules.eligibility import is_held_out
from services.points.rules.experiment import Experiment, Goal, Variant, variant_of
from services.points.rules.expressions import BadExpression
from services.points.rules.policy import review
from services.points.rules.rule import as_variant
from tests.rules import decide, published, rule

NOON = datetime(2026, 5, 3, 4, tzinfo=UTC)
TWO = {"name": "more", "variants": [{"code": "as-is", "weight": 1}, {"code": "more", "weight": 3, "formula": "500"}]}
EXPERIMENT = Experiment("more", (Variant("as-is", 1), Variant("more", 3, "500")), Goal("order.paid", 7))
STUDY = Study(1, "order", EXPERIMENT, {17: 3}, "review.posted", NOON, NOON + timedelta(days=30))


def of(member_id: int) -> str:
    """The member's variant."""
    return EXPERIMENT.variants[variant_of(EXPERIMENT, program_id=1, member_id=member_id)].code


AS_IS = next(member for member in range(1, 99) if of(member) == "as-is")
MORE = next(member for member in range(1, 99) if of(member) == "more")


# Who gets what


def test_members_are_dealt_out_by_weight_for_ever_and_anew_under_another_name() -> None:
    shares = Counter(of(member) for member in range(4_000))
    assert 850 < shares["as-is"] < 1150
    assert [of(member) for member in range(50)] == [of(member) for member in range(50)]
    other = Experiment("other", EXPERIMENT.variants)
    moved = sum(variant_of(other, program_id=1, member_id=one) != variant_of(EXPERIMENT, program_id=1, member_id=one)
                for one in range(400))  # fmt: skip
    assert 80 < moved < 220
    elsewhere = [variant_of(EXPERIMENT, program_id=2, member_id=one) for one in range(50)]
    assert elsewhere != [variant_of(EXPERIMENT, program_id=1, member_id=one) for one in range(50)]


def test_a_holdout_of_the_same_name_says_nothing_of_the_variant() -> None:
    held = Counter(of(member) for member in range(4_000) if is_held_out(25, "more", 1, member))
    assert 0.15 < held["as-is"] / held.total() < 0.35


def test_each_member_is_awarded_by_their_variant_and_the_award_says_which() -> None:
    tried = published(experiment=TWO)
    found = {member: decide(tried, member_id=member)[0] for member in (AS_IS, MORE)}
    assert {(one.wanted, one.variant) for one in found.values()} == {(100, "as-is"), (500, "more")}
    double = published("double", kind="multiplier", factor="2", asset="points")
    [_, award] = decide(tried, double, member_id=MORE)
    assert (award.wanted, award.variant, award.campaign) == (1000, "more", "double")
    out = published("first", formula="1", priority=9, group="g")
    stacked = decide(out, published(experiment=TWO, group="g"), member_id=MORE, groups={"g": "first"})[1]
    assert (stacked.reason, stacked.variant) == ("stacked_out: by first", "more")


def test_a_variant_that_cannot_be_decided_leaves_the_others_alone() -> None:
    broken = published(experiment={"name": "more", "variants": [TWO["variants"][0],
                                   {"code": "more", "weight": 3, "formula": "data.nothing * 2"}]})  # fmt: skip
    reasons = {decide(broken, member_id=one)[0].reason.split(":")[0] for one in (AS_IS, MORE)}
    assert reasons == {"awarded", "undecidable"}
    [refused] = decide(published(condition="false", experiment=TWO), member_id=MORE)
    assert (refused.reason, refused.variant) == ("condition_false", None)


def test_a_rule_as_one_variant_has_its_formula_and_nothing_else_changed() -> None:
    tried = rule(experiment=TWO)
    assert as_variant(tried, 0) == rule()
    assert as_variant(tried, 9) == rule(formula="500")
    assert as_variant(rule(), 1) == rule()


# What is refused


@pytest.mark.parametrize(
    ("given", "pointer"),
    [
        ({"experiment": {**TWO, "variants": [TWO["variants"][0]] * 2}}, "/experiment/variants/1/code"),
        ({"experiment": TWO, "kind": "multiplier", "factor": "2"}, "/experiment"),
    ],
)
def test_experiments_that_do_not_fit_are_refused(given: dict[str, Any], pointer: str) -> None:
    assert pointer in [fault.pointer for fault in faults(rule(**given))]


def test_expressions_of_variants_and_goals_are_checked_where_they_stand() -> None:
    goal = {"event": "order.paid", "days": 7, "condition": "data.x ="}
    for experiment in ({**TWO, "variants": [*TWO["variants"], {"code": "x", "weight": 1, "formula": "1 +"}]},
                       {**TWO, "goal": goal}):  # fmt: skip
        with pytest.raises(BadExpression):
            check(rule(experiment=experiment))
    drawn = {**TWO, "variants": [{"code": "x", "weight": 1, "formula": "rand(5)"}]}
    assert [one.field for one in review(rule(experiment=drawn))] == ["/experiment/variants/0/formula"]


def test_a_published_experiment_keeps_its_variants_and_formula() -> None:
    earlier = [document_of(rule()), document_of(rule(experiment=TWO))]
    check_same_experiment(rule(experiment=TWO), earlier)
    check_same_experiment(rule(experiment={**TWO, "goal": {"event": "x.y", "days": 1}}), earlier)
    check_same_experiment(rule(), earlier)
    check_same_experiment(rule(experiment={**TWO, "name": "new"}, formula="7"), earlier)
    for changed in (rule(experiment=TWO, formula="7"), rule(experiment={**TWO, "variants": TWO["variants"][::-1]})):
        with pytest.raises(BadRule):
            check_same_experiment(changed, earlier)
    assert rule_of(earlier[1]).experiment == Experiment("more", EXPERIMENT.variants)


# What is counted


def test_members_are_counted_with_their_variant() -> None:
    late = NOON + timedelta(days=24)
    met = [Met(AS_IS, NOON, 2, 20, 5, 900), Met(MORE, NOON, 1, 500, 0, 0), Met(MORE + 10_000, late, 1, 7, 0, 1)]
    which = of(MORE + 10_000)
    figures = dict(zip(("as-is", "more"), figures_of(met, {AS_IS}, STUDY), strict=True))
    assert figures.keys() == {"as-is", "more"}
    assert sum(one.members for one in figures.values()) == 3
    assert (figures["as-is"].converted, figures["more"].converted) == (1, 0)
    assert figures[which].open == 1, "whose days are not over and who has not done it"
    assert sum(one.awarded - one.taken_back for one in figures.values()) == 522
    assert sum(one.spend_fen for one in figures.values()) == 901
    assert sum(one.events for one in figures.values()) == 4
    without = replace(STUDY, experiment=Experiment("more", EXPERIMENT.variants))
    assert sum(one.open for one in figures_of(met, (), without)) == 0


def test_a_goal_may_ask_something_of_its_event() -> None:
    events: list[tuple[int, dict[str, Any]]] = [(7, {"paid_fen": 501}), (8, {"paid_fen": 500}), (9, {"paid_fen": "x"})]
    assert reached(events, Goal("order.paid", 7)) == {7, 8, 9}
    assert reached(events, Goal("order.paid", 7, "data.paid_fen > 500")) == {7}
    assert reached([(7, {})], Goal("order.paid", 7, "data.paid_fen > 500")) == set()


# Whether it is more than chance


def test_the_test_is_the_pooled_z_test_of_two_proportions() -> None:
    first, other = Figures(members=100, converted=30), Figures(members=100, converted=45)
    [none, found] = compare([first, other])
    assert none is None
    assert found is not None
    assert round(found.p_value, 4) == 0.0285, "z = 2.1909, as tables of the normal distribution have it"
    assert (found.significant, found.enough) == (True, True)
    three = compare([first, other, first])
    assert [one.significant for one in three if one] == [False, False], "0.05 is shared between two comparisons"


@pytest.mark.parametrize(("one", "other"), [((0, 0), (9, 1)), ((9, 1), (0, 0)), ((9, 0), (9, 0)), ((9, 9), (9, 9))])
def test_where_nothing_can_be_said_nothing_is_said(one: tuple[int, int], other: tuple[int, int]) -> None:
    figures = [Figures(members=members, converted=converted) for members, converted in (one, other)]
    assert compare(figures) == [None, None]


def test_few_members_prove_nothing_however_far_apart() -> None:
    found = compare([Figures(members=8, converted=0), Figures(members=8, converted=8)])[1]
    assert found is not None
    assert found.p_value < 0.001
    assert (found.significant, found.enough) == (False, False)
