"""T35: replayed events award twice; an order told twice counts twice. Ours are known by their natural keys."""

from tests.levels import Levels, badge, points


def test_a_whole_history_replayed_gives_the_same_of_everything(levels: Levels) -> None:
    levels.describe("friend")
    levels.ladder(("base", 0), ("silver", 100), silver=points(5))
    levels.growth(1, 100, 1)
    levels.entry(1, "points", 40, 1)
    levels.pay(1, "o1", 500)
    levels.pay(1, "o1", 500)
    levels.refund(1, "o1", 100)
    levels.refund(1, "o1", 100)
    levels.granted_elsewhere(1, "referrals:g1", badge("friend"))
    digests = []
    for source in ("points", "referrals"):
        levels.pull(source)
    for _ in range(3):
        levels.run("grant_promotions")
        digests.append(
            (
                levels.granted(),
                levels.changes(1),
                levels.held(1),
                levels.top(period="all"),
                levels.top("points_earned", period="all"),
                levels.facts("tier.changed") + levels.facts("badge.earned"),
            )
        )
        for source in ("points", "referrals"):
            levels.replay(source)
    assert digests[0] == digests[1] == digests[2]
    assert digests[0][3:5] == ([(1, 400)], [(1, 40)])
