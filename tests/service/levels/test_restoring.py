"""Giving a broken streak back (H5): by customer service, with a reason, within bounds, and once."""

from datetime import timedelta
from typing import Any

import pytest

from tests.levels import NOW, Levels, at_once, points

PATH = "/v1/checkins/members/7/daily/restorations"


@pytest.fixture
def broken(levels: Levels) -> Levels:
    """Member 7 checked in on 20, 21 and 22 May, missed two days, and it is the 25th."""
    levels.campaign(milestones=[{"streak": 6, "reward": points(50)}])
    for _ in range(3):
        levels.tap(7)
        levels.later(days=1)
    levels.later(days=2)
    assert levels.calendar(7)["streak"] == 0
    return levels


def restore(levels: Levels, first: str, last: str, *, key: str | None = None, program_id: int = 1) -> Any:
    """Customer service gives days back."""
    body = {"first": first, "last": last, "reason": "our servers were down"}
    desk = levels.staff("customer_service", name="lin", program_id=program_id)
    return desk.post(PATH, body, key=key or levels.key())


def test_h5_a_broken_streak_goes_on_over_the_days_given_back(broken: Levels) -> None:
    answer = restore(broken, "2026-05-23", "2026-05-24", key="k")
    assert answer.status_code == 201, answer.text
    assert answer.json == {
        "campaign": "daily",
        "days": ["2026-05-23", "2026-05-24"],
        "restored_at": "2026-05-25T04:00:00Z",
        "restored_by": "staff:lin",
        "reason": "our servers were down",
        "streak": 5,
    }
    again = restore(broken, "2026-05-23", "2026-05-24", key="k")
    assert (again.json, again.headers["Idempotency-Replayed"]) == (answer.json, "true")
    assert broken.tap(7).json["streak"] == 6
    broken.run("grant_milestones")
    assert broken.granted()["levels:streak:daily:7:6"] == points(50)
    shown = broken.calendar(7)
    assert [it["reward"] for it in shown["checkins"]] == [points(5)] * 3 + [[]] * 2 + [points(5)]
    assert len(broken.facts("checkin.recorded")) == 4, "what was given back is told to nobody as a check-in"
    kept = broken.sql("SELECT day, restored_by, reason FROM levels_restored_days ORDER BY day")
    assert [(str(row.day), row.restored_by, row.reason) for row in kept] == [
        ("2026-05-23", "staff:lin", "our servers were down"),
        ("2026-05-24", "staff:lin", "our servers were down"),
    ]


@pytest.mark.parametrize(
    ("first", "last", "status", "code"),
    [
        ("2026-05-22", "2026-05-24", 409, "day_not_missed"),
        ("2026-05-24", "2026-05-24", 409, "nothing_to_restore"),
        ("2026-05-23", "2026-05-25", 422, "restoration_too_large"),
        ("2026-04-23", "2026-04-24", 422, "restoration_too_large"),
        ("0001-01-01", "0001-01-01", 422, "restoration_too_large"),
        ("9999-12-31", "9999-12-31", 422, "restoration_too_large"),
        ("2026-05-24", "2026-05-23", 422, "invalid_request"),
        ("2026-05-17", "2026-05-24", 422, "invalid_request"),
    ],
)
def test_only_days_that_broke_a_streak_lately_can_be_given_back(
    broken: Levels, first: str, last: str, status: int, code: str
) -> None:
    answer = restore(broken, first, last)
    assert (answer.status_code, answer.json["code"]) == (status, code)
    assert broken.sql("SELECT 1 FROM levels_restored_days") == []
    assert broken.calendar(7)["streak"] == 0


def test_a_member_gets_a_week_of_days_back_a_month_and_no_more(broken: Levels) -> None:
    assert restore(broken, "2026-05-23", "2026-05-24").status_code == 201
    broken.tap(7)
    broken.later(days=7)
    assert restore(broken, "2026-05-26", "2026-05-31").json["facts"]["left"] == 5
    assert restore(broken, "2026-05-26", "2026-05-30").status_code == 201
    assert restore(broken, "2026-05-31", "2026-05-31").json["facts"]["left"] == 0
    broken.tap(7)
    broken.now = NOW + timedelta(days=45)
    broken.tap(7)
    broken.later(days=2)
    assert restore(broken, "2026-07-05", "2026-07-05").status_code == 201


def test_two_who_give_the_same_days_back_at_once_do_it_once(broken: Levels) -> None:
    answers = at_once(*[lambda: restore(broken, "2026-05-23", "2026-05-24")] * 4)
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    assert len(broken.sql("SELECT 1 FROM levels_restored_days")) == 2


def test_another_programs_staff_finds_no_such_campaign(broken: Levels) -> None:
    answer = restore(broken, "2026-05-23", "2026-05-24", program_id=2)
    assert (answer.status_code, answer.json["code"]) == (404, "campaign_not_found")


def test_the_refusals_say_the_next_step_in_chinese_too(broken: Levels) -> None:
    body = {"first": "2026-05-24", "last": "2026-05-24", "reason": "r"}
    desk = broken.staff("customer_service", **{"Accept-Language": "zh"})
    assert "次日" in desk.post(PATH, body, key="k").json["detail"]
