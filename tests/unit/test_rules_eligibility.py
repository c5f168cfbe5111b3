"""Laws of when a rule decides and for whom: schedule, audience, holdout; on the clocks of the program's zone."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from common.clock import zone
from services.points.rules.domain import Membership
from tests.rules import NOON, decide, published


def open_at(time: datetime, zone: str = "Asia/Shanghai", **schedule: Any) -> bool:
    """Whether the schedule is open at that instant."""
    reason = decide(published(schedule=schedule), time=time, zone=zone)[0].reason
    assert reason in ("awarded", "outside_schedule")
    return reason == "awarded"


def at(text: str, time_zone: str = "Asia/Shanghai") -> datetime:
    """That moment on the clocks of the zone."""
    return datetime.fromisoformat(text).replace(tzinfo=zone(time_zone)).astimezone(UTC)


@pytest.mark.parametrize(
    ("time", "expected"),
    [("06:59:59", False), ("07:00:00", True), ("09:29:59", True), ("09:30:00", False), ("16:59:59.999", False)],
)
def test_windows_are_open_from_their_first_second_until_right_before_their_last(time: str, expected: bool) -> None:
    assert open_at(at(f"2026-05-03T{time}"), hours=[["07:00", "09:30"], ["17:00", "18:00"]]) is expected


def test_the_day_ends_right_before_midnight() -> None:
    evening = [["23:00", "24:00"]]
    assert open_at(at("2026-05-03T23:59:59.999999"), hours=evening)
    assert not open_at(at("2026-05-04T00:00:00"), hours=evening)
    assert open_at(at("2026-05-04T00:00:00"), hours=[["00:00", "00:01"]])


def test_weekdays_change_at_local_midnight() -> None:
    sunday = {"weekdays": [7]}
    assert open_at(at("2026-05-03T23:59:59"), **sunday)
    assert not open_at(at("2026-05-04T00:00:00"), **sunday)
    assert not open_at(at("2026-05-02T23:59:59"), **sunday)
    # In UTC it is Saturday still when the Sunday of Shanghai begins.
    assert open_at(datetime(2026, 5, 2, 16, 0, tzinfo=UTC), **sunday)
    assert not open_at(datetime(2026, 5, 2, 16, 0, tzinfo=UTC), "UTC", **sunday)


@pytest.mark.parametrize(
    ("day", "expected"), [("2026-10-31", False), ("2026-11-01", True), ("2026-11-11", True), ("2026-11-12", False)]
)
def test_dates_are_open_from_the_first_through_the_last(day: str, expected: bool) -> None:
    spans = [["2026-02-28", "2026-02-28"], ["2026-11-01", "2026-11-11"]]
    assert open_at(at(f"{day}T00:00:00"), dates=spans) is expected
    assert open_at(at(f"{day}T23:59:59"), dates=spans) is expected


def test_what_a_schedule_asks_must_hold_together() -> None:
    friday_evenings = {"weekdays": [5], "hours": [["18:00", "24:00"]], "dates": [["2026-05-01", "2026-05-31"]]}
    assert open_at(at("2026-05-08T18:00:00"), **friday_evenings)
    assert not open_at(at("2026-05-08T17:59:59"), **friday_evenings)
    assert not open_at(at("2026-05-07T18:00:00"), **friday_evenings)
    assert not open_at(at("2026-06-05T18:00:00"), **friday_evenings)


def test_a_day_of_25_hours_has_its_hour_twice_and_one_of_23_never() -> None:
    two_to_three = {"hours": [["02:00", "03:00"]]}
    # 25 October 2026, Berlin: the hour from 02:00 comes at 00:00 and again at 01:00 UTC.
    hours = [datetime(2026, 10, 24, 23, 30, tzinfo=UTC) + timedelta(hours=number) for number in range(4)]
    assert [open_at(hour, "Europe/Berlin", **two_to_three) for hour in hours] == [False, True, True, False]
    # 29 March 2026: the clocks jump from 02:00 to 03:00.
    spring = [datetime(2026, 3, 29, hour, 30, tzinfo=UTC) for hour in (0, 1, 2)]
    assert [open_at(hour, "Europe/Berlin", **two_to_three) for hour in spring] == [False, False, False]


MEMBER = Membership("gold", frozenset({"vip", "mother"}), frozenset({"sleepers"}))


@pytest.mark.parametrize(
    ("audience", "expected"),
    [
        ({}, True),
        ({"tiers": ["silver", "gold"]}, True),
        ({"tiers": ["silver"]}, False),
        ({"tags": ["vip", "new"]}, True),
        ({"tags": ["new"]}, False),
        ({"segments": ["sleepers"]}, True),
        ({"segments": ["others"]}, False),
        ({"channels": ["app", "mini"]}, True),
        ({"channels": ["store"]}, False),
        ({"tiers": ["gold"], "tags": ["vip"], "segments": ["sleepers"], "channels": ["mini"]}, True),
        ({"tiers": ["gold"], "tags": ["vip"], "segments": ["others"], "channels": ["mini"]}, False),
        ({"tiers": ["gold"], "tags": ["new"]}, False),
    ],
)
def test_within_a_list_any_between_the_lists_all(audience: dict[str, list[str]], expected: bool) -> None:
    decision = decide(published(audience=audience), member=MEMBER, data={"paid_fen": 100, "channel": "mini"})[0]
    assert decision.reason == ("awarded" if expected else "not_in_audience")


def test_nobody_in_particular_is_in_no_audience_but_everybodys() -> None:
    for audience in ({"tiers": ["gold"]}, {"tags": ["vip"]}, {"segments": ["s"]}, {"channels": ["app"]}):
        assert decide(published(audience=audience))[0].reason == "not_in_audience"
    assert decide(published())[0].reason == "awarded"


@pytest.mark.parametrize("channel", [["app"], {"app": 1}, 5, None, True])
def test_a_channel_that_is_no_text_is_no_channel(channel: Any) -> None:
    decision = decide(published(audience={"channels": ["app"]}), data={"paid_fen": 100, "channel": channel})[0]
    assert decision.reason == "not_in_audience"


@pytest.mark.parametrize("percent", [0, 10, 37, 50, 100])
def test_a_holdout_takes_about_its_share_and_always_the_same_members(percent: int) -> None:
    rule, later = published(holdout={"percent": percent}), published(holdout={"percent": percent})
    held = [decide(rule, member_id=one)[0].reason == "held_out" for one in range(4000)]
    again = [decide(later, member_id=one)[0].reason == "held_out" for one in range(200)]
    assert held[:200] == again
    # Four standard deviations of a fair draw are 3.2 % of 4,000.
    assert abs(sum(held) - 40 * percent) <= 130
    assert percent not in (0, 100) or sum(held) == 40 * percent


def test_holdouts_of_different_rules_hold_out_different_members() -> None:
    def held(code: str) -> set[int]:
        one = published(code, holdout={"percent": 50})
        return {member for member in range(400) if decide(one, member_id=member)[0].reason == "held_out"}

    first, second = held("a"), held("b")
    assert 60 < len(first & second) < 140


def test_who_is_held_out_stays_so_when_the_rule_changes_and_joins_when_the_share_grows() -> None:
    def held(percent: int, **given: Any) -> set[int]:
        one = published(holdout={"percent": percent}, **given)
        return {member for member in range(500) if decide(one, member_id=member)[0].reason == "held_out"}

    assert held(20) == held(20, formula="5", priority=3)
    assert held(20) < held(40)


def test_the_first_reason_in_the_order_of_questions_is_told() -> None:
    later = (NOON + timedelta(days=1)).isoformat()
    nobodys = {"audience": {"tiers": ["x"]}, "holdout": {"percent": 100}, "condition": "false"}
    closed = {"schedule": {"weekdays": [1]}, **nobodys}
    assert decide(published(starts_at=later, **closed))[0].reason == "not_started"
    assert decide(published(**closed))[0].reason == "outside_schedule"
    assert decide(published(**nobodys))[0].reason == "not_in_audience"
    assert decide(published(holdout={"percent": 100}, condition="false"))[0].reason == "held_out"
    assert decide(published(condition="false"))[0].reason == "condition_false"
