"""T4: systems that look for today's check-in and then insert it give two to a double tap. The key is the lock."""

from tests.levels import Levels, at_once, points


def test_twenty_taps_at_once_are_one_check_in(levels: Levels) -> None:
    levels.campaign(day_table=[points(5)] * 7, milestones=[{"streak": 1, "reward": points(50)}])
    answers = at_once(*(lambda key=key: levels.tap(7, key=f"tap-{key}") for key in range(20)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json["grant_id"] for answer in answers}) == 1
    assert [answer.json["repeated"] for answer in answers].count(False) == 1
    levels.run("grant_milestones")
    assert len(levels.sql("SELECT 1 FROM levels_checkins")) == 1
    assert sorted(levels.granted()) == ["levels:checkin:daily:7:2026-05-20", "levels:streak:daily:7:1"]


def test_a_double_tap_on_the_third_day_gives_the_same_id(levels: Levels) -> None:
    levels.campaign()
    for _ in range(2):
        levels.tap(7)
        levels.later(days=1)
    first, second = at_once(lambda: levels.tap(7, key="x"), lambda: levels.tap(7, key="y"))
    assert first.json["grant_id"] == second.json["grant_id"] == "levels:checkin:daily:7:2026-05-22"
    assert len(levels.granted()) == 3
