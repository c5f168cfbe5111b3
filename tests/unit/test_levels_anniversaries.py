"""Laws of days that come back."""

from datetime import UTC, date, datetime

from services.levels.anniversaries.domain import Birthday, birthdays_on, joinings_kept_on, years_since

SHANGHAI = "Asia/Shanghai"


def test_a_leap_day_is_kept_on_the_28th_in_other_years() -> None:
    leap, before = Birthday(2, 29), Birthday(2, 28)
    assert birthdays_on(date(2027, 2, 28)) == [before, leap]
    assert birthdays_on(date(2028, 2, 28)) == [before]
    assert birthdays_on(date(2028, 2, 29)) == [leap]
    assert birthdays_on(date(2027, 3, 1)) == [Birthday(3, 1)]


def test_spans_of_joining_are_days_of_the_programs_zone_in_every_year_before() -> None:
    spans = list(joinings_kept_on(date(2027, 2, 28), since=date(2024, 2, 29), time_zone=SHANGHAI))
    assert [(begin.isoformat(), (end - begin).days) for begin, end in spans] == [
        (f"{day}T16:00:00+00:00", 1) for day in ("2024-02-27", "2024-02-28", "2025-02-27", "2026-02-27")
    ]
    leap = list(joinings_kept_on(date(2028, 2, 29), since=date(2023, 5, 1), time_zone=SHANGHAI))
    assert [begin.isoformat() for begin, _ in leap] == ["2024-02-28T16:00:00+00:00"]


def test_years_are_those_of_the_programs_calendar() -> None:
    new_year = datetime(2025, 12, 31, 17, tzinfo=UTC)
    assert years_since(new_year, date(2027, 1, 1), time_zone=SHANGHAI) == 1
    assert years_since(new_year, date(2026, 12, 31), time_zone="UTC") == 1


def test_a_birthday_is_not_shown_by_accident() -> None:
    assert "5" not in repr(Birthday(5, 20))
