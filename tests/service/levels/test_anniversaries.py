"""Birthdays over HTTP, and the job that tells whose day it is: once a member and year, whatever happens."""

from datetime import UTC, datetime
from typing import Any

import pytest

from services.levels.anniversaries import use_cases
from tests.levels import Levels, at_once

MAY_20 = {"month": 5, "day": 20}


@pytest.fixture
def house(levels: Levels) -> Levels:
    """Program 1 in Shanghai, where it is noon of Wednesday 20 May 2026."""
    levels.zone("Asia/Shanghai")
    return levels


def path(member_id: int) -> str:
    return f"/v1/members/{member_id}/birthday"


def enter(house: Levels, member_id: int, body: dict[str, int]) -> Any:
    return house.member(member_id).put(path(member_id), body)


def correct(house: Levels, member_id: int, body: dict[str, int]) -> Any:
    return house.staff("customer_service").put(path(member_id), body)


def told(house: Levels, kind: str = "birthday") -> list[tuple[int, Any]]:
    """Whose days were told, and of which year (or how many years)."""
    which = "year" if kind == "birthday" else "years"
    return [(fact["for"], fact[which]) for fact in house.facts(f"{kind}.reached")]


def year_later(house: Levels) -> None:
    """It is the same day of the next year; the days between were told as they came."""
    house.later(days=365)
    house.sql("UPDATE levels_anniversary_days SET done_on = done_on + 364")


def test_a_member_enters_a_birthday_once_and_staff_correct_it(house: Levels) -> None:
    anna = house.join("anna")
    first = enter(house, anna, MAY_20)
    assert (first.status_code, first.json["month"], first.json["day"]) == (200, 5, 20)
    assert enter(house, anna, MAY_20).json == first.json
    again = enter(house, anna, {"month": 5, "day": 21})
    assert (again.status_code, again.json["code"]) == (409, "birthday_known")
    corrected = correct(house, anna, {"month": 2, "day": 29})
    assert (corrected.json["month"], corrected.json["entered_by"]) == (2, "staff:lin")
    assert house.member(anna).get(path(anna)).json == corrected.json


@pytest.mark.parametrize("body", [{"month": 2, "day": 30}, {"month": 13, "day": 1}, {"month": 4, "day": 31}, {}])
def test_what_is_no_day_of_a_year_is_refused(house: Levels, body: dict[str, int]) -> None:
    assert enter(house, house.join("anna"), body).status_code == 422


def test_a_birthday_is_seen_by_whom_it_concerns_only(house: Levels) -> None:
    anna, bert = house.join("anna"), house.join("bert")
    assert enter(house, 4711, MAY_20).status_code == 404
    assert house.member(anna).get(path(anna)).json["code"] == "no_birthday"
    enter(house, anna, MAY_20)
    assert house.member(bert).get(path(anna)).status_code == 404
    assert house.member(bert).put(path(anna), MAY_20).status_code == 404
    assert house.staff("finance").get(path(anna)).status_code == 403
    assert house.staff("customer_service", program_id=2).get(path(anna)).status_code == 404


def test_an_erased_birthday_leaves_no_day_and_is_not_told(house: Levels) -> None:
    anna = house.join("anna")
    assert house.member(anna).delete(path(anna)).status_code == 404
    enter(house, anna, MAY_20)
    assert house.member(anna).delete(path(anna)).json == {"erased": True}
    assert house.sql("SELECT month, day FROM levels_birthdays") == [(None, None)]
    assert house.member(anna).get(path(anna)).status_code == 404
    assert enter(house, anna, MAY_20).json["code"] == "birthday_known"
    house.run("tell_anniversaries")
    assert told(house) == []
    assert correct(house, anna, MAY_20).status_code == 200


def test_systems_enter_many_at_once(house: Levels) -> None:
    anna, bert, carl = (house.join(name) for name in ("anna", "bert", "carl"))
    enter(house, bert, MAY_20)
    enter(house, carl, MAY_20)
    house.member(carl).delete(path(carl))
    given = [{"member_id": one, **MAY_20} for one in (anna, bert, carl, 4711)]
    system = house.callers.system("members")
    answer = system.post("/v1/members/birthdays", {"birthdays": given})
    assert answer.json == {"entered": 1, "unchanged": 1, "not_members": [4711], "erased": [carl]}
    assert system.post("/v1/members/birthdays", {"birthdays": given * 2}).status_code == 422


def test_a_day_is_told_once_a_year_however_often_the_job_runs(house: Levels) -> None:
    anna, bert = house.join("anna"), house.join("bert")
    enter(house, anna, MAY_20)
    enter(house, bert, {"month": 5, "day": 21})
    for _ in range(2):
        house.run("tell_anniversaries")
    assert house.facts("birthday.reached") == [
        {"for": anna, "year": 2026, "day": "2026-05-20", "at": "2026-05-19T16:00:00+00:00"}
    ]
    year_later(house)
    house.run("tell_anniversaries")
    assert told(house) == [(anna, 2026), (anna, 2027)]
    assert told(house, "anniversary") == [(anna, 1), (bert, 1)]


def test_workers_at_once_tell_each_member_once(house: Levels) -> None:
    people = [house.join(f"c{number}") for number in range(30)]
    for one in people:
        enter(house, one, MAY_20)
    at_once(*[lambda: house.run("tell_anniversaries")] * 4)
    assert sorted(told(house)) == [(one, 2026) for one in sorted(people)]


def test_a_killed_job_goes_on_and_days_that_nobody_told_are_made_up(
    house: Levels, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = [house.join(f"c{number}") for number in range(5)]
    for one in people:
        enter(house, one, {"month": 5, "day": 22})
    house.run("tell_anniversaries")
    house.later(days=4)
    real, calls = use_cases.tell, iter(range(9))

    def killed(*given: Any, **more: Any) -> Any:
        if more["day"].day == 22 and next(calls):
            raise KeyboardInterrupt
        return real(*given, **more, limit=2)

    with monkeypatch.context() as broken:
        broken.setattr(use_cases, "tell", killed)
        with pytest.raises(KeyboardInterrupt):
            house.run("tell_anniversaries")
    assert len(told(house)) == 2
    late = house.join("late")
    enter(house, late, {"month": 5, "day": 22})
    house.run("tell_anniversaries")
    assert sorted(told(house)) == [(one, 2026) for one in sorted(people)], "who enters it afterwards waits"
    assert str(house.sql("SELECT done_on FROM levels_anniversary_days")[0][0]) == "2026-05-23"


def test_a_birthday_that_is_moved_is_not_collected_again(house: Levels) -> None:
    anna = house.join("anna")
    enter(house, anna, MAY_20)
    house.run("tell_anniversaries")
    correct(house, anna, {"month": 5, "day": 21})
    house.later(days=1)
    house.run("tell_anniversaries")
    assert told(house) == [(anna, 2026)]
    year_later(house)
    house.run("tell_anniversaries")
    assert told(house) == [(anna, 2026), (anna, 2027)]


def test_leap_days_are_kept_on_the_28th(house: Levels) -> None:
    house.now = datetime(2024, 2, 29, 4, tzinfo=UTC)
    anna = house.join("anna")
    enter(house, anna, {"month": 2, "day": 29})
    house.now = datetime(2027, 2, 27, 16, tzinfo=UTC)  # midnight of the 28th in Shanghai
    house.run("tell_anniversaries")
    assert told(house) == [(anna, 2027)]
    assert told(house, "anniversary") == [(anna, 3)]


def test_a_program_that_nobody_told_of_and_one_without_members_have_no_days(levels: Levels) -> None:
    enter(levels, levels.join("anna"), MAY_20)
    levels.zone("UTC", program_id=2)
    levels.run("tell_anniversaries")
    assert told(levels) == []
