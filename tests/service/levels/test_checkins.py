"""Checking in, streaks and milestones over HTTP."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.levels import NOW, Levels, at_once, badge, points

TABLE = [points(amount) for amount in (5, 5, 10, 5, 5, 10, 20)]


def days(levels: Levels, member_id: int, count: int, campaign: str = "daily") -> list[Any]:
    """Tap once on each of so many days in a row, beginning today; the clock stands on the last of them."""
    answers = []
    for day in range(count):
        if day:
            levels.later(days=1)
        answers.append(levels.tap(member_id, campaign).json)
    return answers


def test_a_first_week_gives_its_table_and_nothing_after_it(levels: Levels) -> None:
    levels.campaign(day_table=TABLE, cycle="once-from-enrolment")
    answers = days(levels, 7, 8)
    assert [answer["reward"] for answer in answers] == [*TABLE, []]
    assert [answer["streak"] for answer in answers] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert sum(reward[0]["amount"] for reward in levels.granted().values()) == 60
    assert len(levels.facts("reward.granted")) == 7
    assert answers[7]["grant_id"] is None
    recorded = levels.facts("checkin.recorded")
    assert recorded[2] == {"for": 7, "campaign": "daily", "day": "2026-05-22", "streak": 3}


def test_a_second_tap_on_a_day_is_the_same_checkin(levels: Levels) -> None:
    levels.campaign(day_table=TABLE)
    first = levels.tap(7, key="a")
    assert (first.status_code, first.json["repeated"]) == (200, False)
    levels.later(hours=1)
    second = levels.tap(7, key="b")
    assert second.json == {**first.json, "repeated": True}
    replayed = levels.tap(7, key="a")
    assert (replayed.json, replayed.headers["Idempotency-Replayed"]) == (first.json, "true")
    assert list(levels.granted()) == [first.json["grant_id"]] == ["levels:checkin:daily:7:2026-05-20"]


def test_a_tap_without_key_and_without_campaign_is_refused(levels: Levels) -> None:
    assert levels.member(7).post("/v1/checkins", {"campaign": "daily"}).json["code"] == "idempotency_key_missing"
    assert levels.tap(7).json["code"] == "campaign_not_found"
    levels.campaign()
    assert levels.tap(7, program_id=2).status_code == 404
    assert levels.staff("admin").post("/v1/checkins", {"campaign": "daily"}, key="a").status_code == 403


def test_the_week_counts_from_enrolment_even_over_gaps(levels: Levels) -> None:
    levels.campaign(day_table=TABLE, cycle="week-from-enrolment")
    assert levels.tap(7).json["reward"] == points(5)
    levels.later(days=6)
    assert levels.tap(7).json["reward"] == points(20)
    levels.later(days=3)
    late = levels.tap(7).json
    assert (late["reward"], late["streak"]) == (points(10), 1)


def test_a_streak_table_begins_anew_after_a_break(levels: Levels) -> None:
    levels.campaign(day_table=[points(1), points(2)], cycle="streak")
    assert [answer["reward"] for answer in days(levels, 7, 3)] == [points(1), points(2), points(1)]
    levels.later(days=2)
    assert levels.tap(7).json["reward"] == points(1)


def test_a_new_version_rewards_from_then_on(levels: Levels) -> None:
    levels.campaign(day_table=[points(1)] * 7)
    levels.tap(7)
    assert levels.campaign(day_table=[points(9)] * 7)["version"] == 2
    assert levels.tap(7).json["reward"] == points(1)
    levels.later(days=1)
    assert levels.tap(7).json["reward"] == points(9)
    listed = levels.member(7).get("/v1/checkins/campaigns").json["campaigns"]
    assert [(one["code"], one["version"]) for one in listed] == [("daily", 2)]
    facts = levels.facts("reward.granted")
    assert [fact["rule"] for fact in facts] == ["checkin:daily:1", "checkin:daily:2"]


def test_the_calendar_shows_days_streak_and_milestones(levels: Levels) -> None:
    levels.campaign(milestones=[{"streak": 2, "reward": points(50)}])
    empty = levels.calendar(7)
    assert (empty["streak"], empty["enrolled_on"], empty["checkins"]) == (0, None, [])
    days(levels, 7, 3)
    shown = levels.calendar(7)
    assert (shown["today"], shown["streak"], shown["enrolled_on"]) == ("2026-05-22", 3, "2026-05-20")
    assert [one["day"] for one in shown["checkins"]] == ["2026-05-20", "2026-05-21", "2026-05-22"]
    assert shown["milestones"] == [{"streak": 2, "day": "2026-05-21", "gift": None}]
    levels.run("grant_milestones")
    assert levels.calendar(7)["milestones"][0]["gift"] is True
    one = levels.calendar(7, first="2026-05-21", last="2026-05-21")
    assert [day["day"] for day in one["checkins"]] == ["2026-05-21"]
    assert levels.calendar(8)["checkins"] == []


def test_the_calendar_is_asked_for_whole_bounded_spans(levels: Levels) -> None:
    levels.campaign()
    member = levels.member(7)
    for query in (
        {"first": "2026-05-01"},
        {"first": "2026-05-02", "last": "2026-05-01"},
        {"first": "2025-01-01", "last": "2026-05-01"},
    ):
        answer = member.get("/v1/checkins", campaign="daily", **query)
        assert answer.json["errors"][0]["pointer"] == "/query/last"


def test_a_streak_badge_is_given_once_by_the_job(levels: Levels) -> None:
    levels.describe("streak-7")
    levels.campaign(milestones=[{"streak": 7, "reward": badge("streak-7")}])
    days(levels, 7, 7)
    assert levels.held(7) == []
    at_once(*[lambda: levels.run("grant_milestones")] * 3)
    levels.run("grant_milestones")
    assert levels.held(7) == [("streak-7", "")]
    (earned,) = levels.facts("badge.earned")
    assert (earned["badge"], earned["grant_id"]) == ("streak-7", "levels:streak:daily:7:7")
    levels.later(days=3)
    days(levels, 7, 8)
    levels.run("grant_milestones")
    assert len(levels.facts("badge.earned")) == 1


def test_a_milestone_added_below_the_streak_is_reached_by_the_next_tap(levels: Levels) -> None:
    levels.campaign()
    days(levels, 7, 3)
    levels.campaign(milestones=[{"streak": 2, "reward": points(2)}, {"streak": 9, "reward": points(9)}])
    levels.later(days=1)
    levels.tap(7)
    levels.run("grant_milestones")
    assert levels.granted()["levels:streak:daily:7:2"] == points(2)
    assert "levels:streak:daily:7:9" not in levels.granted()


def test_of_two_who_reach_the_last_gift_the_first_gets_it_and_the_other_the_fallback(levels: Levels) -> None:
    levels.describe("gift")
    gift = {"streak": 2, "reward": badge("gift"), "stock": 1, "fallback": points(50)}
    levels.campaign(milestones=[gift])
    for day in range(2):
        levels.later(days=day)
        levels.tap(8)
        levels.later(seconds=1)
        levels.tap(7)
    at_once(*[lambda: levels.run("grant_milestones")] * 4)
    granted = levels.granted()
    assert granted["levels:streak:daily:8:2"] == badge("gift")
    assert granted["levels:streak:daily:7:2"] == points(50)
    assert [tuple(row) for row in levels.sql("SELECT stock, taken FROM levels_milestone_stocks")] == [(1, 1)]
    assert levels.calendar(7)["milestones"][0]["gift"] is False
    levels.now = NOW
    days(levels, 9, 2)
    levels.run("grant_milestones")
    assert levels.granted()["levels:streak:daily:9:2"] == points(50)
    answer = levels.marketer().put(
        "/v1/checkins/campaigns/daily",
        {"name_en": "D", "name_zh": "签", "day_table": [[]] * 7, "milestones": [{**gift, "stock": 0}]},
    )
    assert (answer.status_code, answer.json["code"]) == (409, "stock_below_taken")
    levels.campaign(milestones=[{**gift, "stock": 5}])
    assert [tuple(row) for row in levels.sql("SELECT stock, taken FROM levels_milestone_stocks")] == [(5, 1)]


@pytest.mark.parametrize(
    ("terms", "code"),
    [
        ({"day_table": [points(1)] * 6}, "week_needs_seven_days"),
        ({"milestones": [{"streak": 3, "reward": points(1)}] * 2}, "milestones_not_ascending"),
        ({"milestones": [{"streak": 3, "reward": points(1), "stock": 3}]}, "fallback_without_stock"),
        ({"milestones": [{"streak": 3, "reward": badge("unknown")}]}, "badge_not_found"),
        ({"cycle": "lunar"}, "invalid_request"),
    ],
)
def test_a_campaign_that_makes_no_sense_is_refused(levels: Levels, terms: dict[str, Any], code: str) -> None:
    body = {"name_en": "D", "name_zh": "签", "day_table": [points(5)] * 7, **terms}
    answer = levels.marketer().put("/v1/checkins/campaigns/daily", body)
    assert (answer.status_code, answer.json["code"]) == (422, code)


def test_the_business_day_is_the_programs(levels: Levels) -> None:
    levels.zone("America/New_York")
    levels.campaign()
    levels.now = datetime(2026, 5, 20, 3, 59, 59, tzinfo=UTC)
    assert levels.tap(7).json["day"] == "2026-05-19"
    levels.later(seconds=1)
    assert levels.tap(7).json["day"] == "2026-05-20"
    assert levels.now - NOW == timedelta(0)
