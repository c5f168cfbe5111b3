"""T22: tiers that only rise, miss their exact threshold, or cannot fall from the lowest. T29: spending must not demote.

T30: a refund is felt by the tier, at the window's end.
"""

from tests.levels import Levels


def test_exactly_at_the_threshold_is_enough_to_rise_and_exactly_at_keep_to_stay(levels: Levels) -> None:
    levels.ladder(("base", 0), ("silver", 100), ("gold", 300), keep=100, days=30)
    levels.grow(1, 300, 1)
    assert levels.tier(1) == "gold"
    levels.grow(1, 100, 2)
    levels.later(days=31)
    levels.run("advance_tiers")
    assert levels.tier(1) == "gold"


def test_refunded_growth_costs_the_tier_at_the_windows_end_down_to_the_first(levels: Levels) -> None:
    levels.ladder(("base", 0), ("silver", 100), ("gold", 300), keep=100, days=30)
    levels.grow(1, 300, 1)
    levels.entry(1, "growth", -300, 2, kind="reverse", balance=0)
    levels.pull()
    seen = [levels.tier(1)]
    for _ in range(3):
        levels.later(days=31)
        levels.run("advance_tiers")
        seen.append(levels.tier(1))
    assert seen == ["gold", "silver", "base", "base"]


def test_spending_points_moves_no_tier(levels: Levels) -> None:
    levels.ladder(("base", 0), ("silver", 100), keep=100, days=30)
    levels.grow(1, 100, 1)
    levels.entry(1, "points", 100, 1, balance=100)
    levels.entry(1, "points", -100, 2, kind="spend", balance=0)
    levels.pull()
    levels.later(days=31)
    levels.run("advance_tiers")
    assert levels.tier(1) == "silver"
    assert levels.changes(1)[-1]["kind"] == "renewed"
