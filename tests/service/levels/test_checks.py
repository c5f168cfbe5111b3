"""Each invariant is found broken when it is: the database is bent in SQL, and `verify` names it."""

from typing import Any

import pytest

from services.levels.checks import CHECKS
from tests.levels import Levels, badge, points


def full(levels: Levels) -> None:
    """Something of everything, and nothing wrong with it."""
    levels.describe("gold-badge")
    gold: dict[str, Any] = {"gold": [*points(5), *badge("gold-badge")]}
    levels.ladder(("base", 0), ("gold", 100), **gold)
    gift = {"streak": 1, "reward": badge("gold-badge"), "stock": 5, "fallback": points(1)}
    levels.campaign(milestones=[gift])
    levels.board(periods=["day", "all"], prizes={"day": [{"first": 1, "last": 1, "reward": points(1)}]})
    anna = levels.join("anna")
    levels.grow(anna, 100, 1)
    levels.tap(anna)
    levels.pay(anna, "o1", 500)
    levels.refund(anna, "o1", 100)
    levels.entry(anna, "points", 50, 1)
    levels.pull()
    levels.later(days=2)
    missed = {"first": "2026-05-21", "last": "2026-05-21", "reason": "our servers were down"}
    desk = levels.staff("customer_service")
    assert desk.post(f"/v1/checkins/members/{anna}/daily/restorations", missed, key="r").status_code == 201
    levels.zone("Asia/Shanghai")
    assert desk.put(f"/v1/members/{anna}/birthday", {"month": 5, "day": 22}).status_code == 200
    levels.run("tell_anniversaries")
    for job in ("advance_tiers", "grant_promotions", "grant_milestones", "close_boards", "refresh_boards"):
        levels.run(job)
    assert levels.violations() == {}


@pytest.mark.parametrize(
    ("broken", "invariant"),
    [
        ("UPDATE levels_birthdays SET member_id = 4711", "birthdays are of members"),
        ("DELETE FROM levels_anniversaries", "every birthday and anniversary was told once"),
        ("DELETE FROM levels_members", "every identity leads to a member of its program"),
        ("DELETE FROM levels_standings", "every member has a standing"),
        ("UPDATE levels_standings SET tier = 'base'", "no tier is lower than the growth gives"),
        ("UPDATE levels_standings SET tier = 'base'", "a member's tier is what the last decision says"),
        ("UPDATE levels_standings SET changes = 2", "a member's tier is what the last decision says"),
        ("UPDATE levels_tier_changes SET number = 7", "a member's tier is what the last decision says"),
        ("UPDATE levels_member_badges SET revoked_at = now()", "a badge is held exactly while a grant of it stands"),
        ("DELETE FROM levels_member_badges", "a badge is held exactly while a grant of it stands"),
        ("DELETE FROM levels_badge_grants", "a badge is held exactly while a grant of it stands"),
        ("DELETE FROM levels_badge_grants", "every badge that levels granted was put on"),
        ("DELETE FROM levels_grants WHERE grant_id ~ 'checkin'", "every check-in with a reward was granted once"),
        ("DELETE FROM levels_checkins WHERE reward = '[]'", "every day that was restored stands as a check-in"),
        ("UPDATE levels_checkins SET reward = '[1]'", "every day that was restored stands as a check-in"),
        (
            "UPDATE levels_checkins SET day = day - 1 WHERE reward <> '[]'",
            "every check-in with a reward was granted once",
        ),
        ("DELETE FROM levels_grants WHERE grant_id ~ 'streak'", "every milestone handed out was granted"),
        ("UPDATE levels_milestones SET granted_at = NULL, gift = NULL", "every milestone handed out was granted"),
        ("UPDATE levels_milestone_stocks SET taken = 3", "milestone stock taken is what was given"),
        ("UPDATE levels_milestones SET gift = false", "milestone stock taken is what was given"),
        ("DELETE FROM levels_spend_refunds", "refunds of an order are the sum of its refunds"),
        ("UPDATE levels_spend_orders SET paid_fen = 7", "spend scores are the net of the orders"),
        ("DELETE FROM levels_board_scores WHERE period = 'week'", "spend scores are the net of the orders"),
        ("INSERT INTO levels_spend_orders VALUES (1, 9, 'x', '2026-05-20', now(), 5, 0)", "spend scores are the net"),
        ("UPDATE levels_board_scores SET score = 7 WHERE period = 'all'", "earned points of the days sum"),
        ("DELETE FROM levels_board_scores WHERE period = 'day'", "earned points of the days sum"),
        ("DELETE FROM levels_grants WHERE grant_id ~ 'board'", "every closed period was rewarded"),
        ("UPDATE levels_board_settlements SET winners = 2", "every closed period was rewarded"),
    ],
)
def test_a_bent_database_is_found(unchecked: Levels, broken: str, invariant: str) -> None:
    full(unchecked)
    unchecked.sql(broken)
    found = [name for name, where in unchecked.violations().items() if name.startswith(invariant) and where]
    assert len(found) == 1


def test_every_check_looks_at_something(levels: Levels) -> None:
    full(levels)
    with levels.service.database.reading() as session:
        assert [finding.name for check in CHECKS for finding in check(session) if not finding.checked] == []
