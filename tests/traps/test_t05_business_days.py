"""T5 and T34: days cut in UTC, in the browser's or the server's zone break streaks. Ours are the program's."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.levels import Levels

DAYS = [(2026, 1, 31), (2026, 12, 31), (2028, 2, 28), (2028, 2, 29), (2026, 3, 28), (2026, 10, 24), (2026, 3, 7)]
ZONES = ["Asia/Shanghai", "America/New_York", "Europe/Berlin", "Pacific/Kiritimati", "Australia/Lord_Howe", "UTC"]


@pytest.mark.parametrize("zone", ZONES)
def test_a_second_before_and_at_midnight_are_two_days_and_one_streak(levels: Levels, zone: str) -> None:
    levels.zone(zone)
    levels.campaign()
    local = ZoneInfo(zone)
    for member_id, day in enumerate(DAYS, start=1):
        midnight = (datetime(*day, tzinfo=local) + timedelta(days=1)).astimezone(UTC)
        levels.now = midnight - timedelta(seconds=1)
        before = levels.tap(member_id).json
        levels.now = midnight
        after = levels.tap(member_id).json
        assert (before["day"], before["streak"]) == (str(date(*day)), 1)
        assert (after["day"], after["streak"]) == (str(date(*day) + timedelta(days=1)), 2)
        levels.now = (datetime(*day, 23, 59, 59, tzinfo=local) + timedelta(days=2)).astimezone(UTC)
        assert levels.calendar(member_id)["streak"] == 2
        levels.later(seconds=1)
        assert levels.calendar(member_id)["streak"] == 0


def test_before_eight_in_shanghai_is_not_yesterday_again(levels: Levels) -> None:
    levels.campaign()
    levels.now = datetime(2026, 5, 20, 15, 59, 59, tzinfo=UTC)
    first = levels.tap(7).json
    levels.now = datetime(2026, 5, 20, 23, 30, tzinfo=UTC)
    second = levels.tap(7).json
    assert [first["day"], second["day"]] == ["2026-05-20", "2026-05-21"]
    assert (second["streak"], second["repeated"]) == (2, False)


def test_days_of_clock_changes_are_one_day_long(levels: Levels) -> None:
    levels.zone("Europe/Berlin")
    levels.campaign()
    levels.now = datetime(2026, 10, 24, 10, tzinfo=UTC)
    streaks = []
    for _ in range(3):
        streaks.append(levels.tap(7).json["streak"])
        levels.later(hours=25)
    assert streaks == [1, 2, 3]
