"""The grammar of validity: the last day on which a lot earned on some day can be used."""

import re
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.clock import business_day, day_end, epoch_day, from_epoch_day
from services.points.programs.schemas import AssetRequest
from services.points.programs.validity import (
    IDLE,
    NEVER,
    BadValidity,
    IdleIsTheAssets,
    ValidityOnNoDay,
    ValidityTooLong,
    ValidityTooShort,
    check_own_validity,
    check_validity,
    idle_until,
    last_day,
)

#: What the edge lets in.
_ADMITTED = AssetRequest().fields["validity"].validators[0].regex.pattern


def _noon(day: date) -> datetime:
    return datetime.combine(day, time(12), tzinfo=UTC)


@pytest.mark.parametrize(
    ("validity", "earned_on", "expected"),
    [
        ("1D", date(2026, 5, 3), date(2026, 5, 4)),
        ("30D", date(2026, 12, 15), date(2027, 1, 14)),
        ("1D", date(2028, 2, 28), date(2028, 2, 29)),
        ("1D_U", date(2026, 5, 3), date(2026, 5, 4)),
        ("2W", date(2026, 5, 3), date(2026, 5, 17)),
        ("1W_U", date(2026, 5, 4), date(2026, 5, 17)),
        ("1W_U", date(2026, 5, 10), date(2026, 5, 17)),
        ("1M", date(2026, 1, 31), date(2026, 2, 28)),
        ("1M", date(2028, 1, 31), date(2028, 2, 29)),
        ("1M", date(2026, 3, 31), date(2026, 4, 30)),
        ("12M", date(2026, 5, 3), date(2027, 5, 3)),
        ("12M_U", date(2026, 5, 3), date(2027, 5, 31)),
        ("1M_U", date(2026, 12, 31), date(2027, 1, 31)),
        ("1M_U", date(2027, 12, 1), date(2028, 1, 31)),
        ("13M", date(2026, 12, 31), date(2028, 1, 31)),
        ("1Y", date(2028, 2, 29), date(2029, 2, 28)),
        ("1Y_U", date(2026, 5, 3), date(2027, 12, 31)),
        ("15Y", date(2026, 5, 3), date(2041, 5, 3)),
        ("1D_D", date(2026, 5, 3), date(2026, 5, 3)),
        ("30D_D", date(2026, 5, 3), date(2026, 6, 1)),
        ("1W_D", date(2026, 5, 4), date(2026, 5, 10)),
        ("1W_D", date(2026, 5, 10), date(2026, 5, 10)),
        ("1M_D", date(2026, 5, 3), date(2026, 5, 31)),
        ("1M_D", date(2026, 1, 31), date(2026, 1, 31)),
        ("12M_D", date(2027, 2, 1), date(2028, 1, 31)),
        ("1Y_D", date(2026, 5, 3), date(2026, 12, 31)),
        ("1Y_D", date(2028, 12, 31), date(2028, 12, 31)),
        ("1Q", date(2026, 11, 30), date(2027, 2, 28)),
        ("1Q_U", date(2026, 5, 3), date(2026, 9, 30)),
        ("1Q_U", date(2026, 12, 31), date(2027, 3, 31)),
        ("1Q_D", date(2026, 5, 3), date(2026, 6, 30)),
        ("1Q_D", date(2026, 4, 1), date(2026, 6, 30)),
        ("1H", date(2026, 8, 31), date(2027, 2, 28)),
        ("1H_U", date(2026, 5, 3), date(2026, 12, 31)),
        ("1H_U", date(2026, 7, 1), date(2027, 6, 30)),
        ("1H_D", date(2026, 5, 3), date(2026, 6, 30)),
        ("1H_D", date(2026, 12, 31), date(2026, 12, 31)),
        ("2H_D", date(2026, 12, 31), date(2027, 6, 30)),
        ("dates:06-30,12-31", date(2026, 5, 3), date(2026, 6, 30)),
        ("dates:06-30,12-31", date(2026, 6, 30), date(2026, 6, 30)),
        ("dates:12-31,06-30", date(2026, 7, 1), date(2026, 12, 31)),
        ("dates:06-30", date(2026, 7, 1), date(2027, 6, 30)),
        ("dates:02-29", date(2026, 5, 3), date(2027, 2, 28)),
        ("dates:02-29", date(2027, 5, 3), date(2028, 2, 29)),
        ("dates:02-28,02-29", date(2028, 2, 29), date(2028, 2, 29)),
        ("until:2026-12-31", date(2026, 5, 3), date(2026, 12, 31)),
        ("until:2028-02-29", date(2026, 5, 3), date(2028, 2, 29)),
        ("until:2026-05-02", date(2026, 5, 3), date(2026, 5, 2)),
    ],
)
def test_a_lot_can_be_used_through_its_last_day(validity: str, earned_on: date, expected: date) -> None:
    assert from_epoch_day(last_day(validity, _noon(earned_on), "UTC")) == expected


@pytest.mark.parametrize(
    ("validity", "earned_at", "zone", "expected"),
    [
        # A period of the clock ends with the day of its last moment.
        ("30s", "2026-05-03T15:59:30", "Asia/Shanghai", date(2026, 5, 3)),
        ("31s", "2026-05-03T15:59:30", "Asia/Shanghai", date(2026, 5, 4)),
        ("90m", "2026-05-03T14:30:00", "Asia/Shanghai", date(2026, 5, 3)),
        ("90m", "2026-05-03T14:30:01", "Asia/Shanghai", date(2026, 5, 4)),
        ("24h", "2026-05-03T02:00:00", "Asia/Shanghai", date(2026, 5, 4)),
        ("1h_U", "2026-05-03T15:00:00", "Asia/Shanghai", date(2026, 5, 4)),
        ("1h_U", "2026-05-03T14:59:59", "Asia/Shanghai", date(2026, 5, 3)),
        ("1h_D", "2026-05-03T15:40:00", "Asia/Shanghai", date(2026, 5, 3)),
        ("1h_D", "2026-05-03T16:00:00", "Asia/Shanghai", date(2026, 5, 4)),
        ("30m_D", "2026-05-03T15:30:59", "Asia/Shanghai", date(2026, 5, 3)),
        ("30s_D", "2026-05-03T15:59:30.9", "Asia/Shanghai", date(2026, 5, 3)),
        ("30s", "2026-05-03T15:59:30.9", "Asia/Shanghai", date(2026, 5, 4)),
        # Hours pass as they pass: these days have 23 and 25 of them, and midnight is there once, twice or not at all.
        ("24h", "2026-03-28T23:00:00", "Europe/Berlin", date(2026, 3, 30)),
        ("24h", "2026-10-24T22:00:00", "Europe/Berlin", date(2026, 10, 25)),
        ("1h_D", "2026-03-08T04:30:00", "America/Havana", date(2026, 3, 7)),
        ("1h_D", "2026-11-01T04:30:00", "America/Havana", date(2026, 11, 1)),
        ("1h", "2026-05-03T17:30:00", "Asia/Kolkata", date(2026, 5, 3)),
        # Days are those of the zone, wherever the instant is written down.
        ("1D", "2026-05-03T16:00:00", "Asia/Shanghai", date(2026, 5, 5)),
    ],
)
def test_a_period_ends_in_the_programs_zone(validity: str, earned_at: str, zone: str, expected: date) -> None:
    instant = datetime.fromisoformat(earned_at).replace(tzinfo=UTC)
    assert from_epoch_day(last_day(validity, instant, zone)) == expected
    elsewhere = instant.astimezone(ZoneInfo("America/Havana"))
    assert from_epoch_day(last_day(validity, elsewhere, zone)) == expected


def test_unlimited_never_ends() -> None:
    assert last_day("unlimited", _noon(date(2026, 5, 3)), "UTC") == NEVER
    assert epoch_day(date.max) < NEVER


@pytest.mark.parametrize(
    "bad",
    ["", "0D", "01D", "D", "12", "12d", "12M_X", "29s", "0h", "1Qu", "12S", "12M_U_U", "-1D", "1.5M",
     "12M ", " 12M", "12M\n", "never", "１D", "1２D",
     "99999D", "9999Y", "16Y", "5491D", "785W", "181M", "61Q", "31H", "131761h", "999999999s", "9999999999s",
     "dates:", "dates:6-30", "dates:02-30", "dates:13-01", "dates:00-10", "dates:06-30,", "dates:06-30;12-31",
     "dates:" + ",".join(["06-30"] * 21), "idle:3h", "idle:dates:06-30",
     "until:", "until:2026-1-1", "until:1999-12-31", "until:2200-01-01", "until:2026-02-30", "until:2026-13-01",
     "until:2027-02-29", "until:2026-01-01T00:00", "idle:", "idle:0D", "idle:3M_U", "idle:unlimited", "idle:16Y"],
)  # fmt: skip
def test_anything_else_is_refused_and_named(bad: str) -> None:
    with pytest.raises(BadValidity) as refused:
        check_validity(bad)
    assert refused.value.facts == {"validity": bad}


@pytest.mark.parametrize(
    ("validity", "reason"),
    [("16Y", ValidityTooLong), ("5491D_D", ValidityTooLong), ("idle:181M", ValidityTooLong), ("29s", ValidityTooShort),
     ("until:2026-02-30", ValidityOnNoDay), ("dates:02-30", ValidityOnNoDay), ("12d", BadValidity)],
)  # fmt: skip
def test_what_is_refused_says_why(validity: str, reason: type[BadValidity]) -> None:
    with pytest.raises(BadValidity) as refused:
        check_validity(validity)
    assert type(refused.value) is reason


@pytest.mark.parametrize(
    ("validity", "active_on", "expected"),
    [
        ("idle:30D", date(2026, 5, 3), date(2026, 6, 2)),
        ("idle:6M", date(2026, 8, 31), date(2027, 2, 28)),
        ("idle:1Y", date(2028, 2, 29), date(2029, 2, 28)),
        ("idle:2W", date(2026, 12, 25), date(2027, 1, 8)),
        ("idle:1Q", date(2026, 11, 30), date(2027, 2, 28)),
        ("idle:2H", date(2026, 5, 3), date(2027, 5, 3)),
    ],
)
def test_an_idle_account_ends_so_long_after_its_last_activity(validity: str, active_on: date, expected: date) -> None:
    assert last_day(validity, _noon(active_on), "UTC") == IDLE
    assert from_epoch_day(idle_until(validity, active_on)) == expected


def test_only_an_asset_can_end_by_idleness() -> None:
    assert check_validity("idle:6M") == "idle:6M"
    with pytest.raises(IdleIsTheAssets):
        check_own_validity("idle:6M")
    assert check_own_validity("12M_U") == "12M_U"
    with pytest.raises(BadValidity):
        idle_until("6M", date(2026, 5, 3))


def test_what_is_idle_ends_after_every_day_and_before_never() -> None:
    assert epoch_day(date.max) < IDLE < NEVER


@pytest.mark.parametrize(
    "good",
    [
        "1D_D",
        "until:2199-12-31",
        "idle:15Y",
        "unlimited",
        "1D",
        "5490D",
        "784W",
        "180M",
        "60Q",
        "30H",
        "15Y",
        "15Y_U",
        "30s",
        "474336000s",
        "1m",
        "131760h",
        "dates:02-29",
        "dates:" + ",".join(["06-30"] * 20),
    ],
)
def test_up_to_fifteen_years_are_allowed(good: str) -> None:
    assert check_validity(good) == good


_SECOND = timedelta(seconds=1)
_ZONES = st.sampled_from(
    ["Asia/Shanghai", "UTC", "Europe/Berlin", "America/Havana", "Australia/Lord_Howe", "Pacific/Apia", "Asia/Kathmandu"]
)
_INSTANTS = st.integers(0, 15 * 366 * 86_400).map(lambda second: datetime(2020, 1, 1, tzinfo=UTC) + second * _SECOND)
_SUFFIXES = st.sampled_from(["", "_U", "_D"])


@given(st.integers(30, 400_000), st.sampled_from(["s", "m", "h"]), _SUFFIXES, _INSTANTS, _ZONES)
def test_a_lot_is_never_dead_before_its_period_is_over_nor_a_day_later(
    seconds: int, unit: str, suffix: str, earned_at: datetime, zone: str
) -> None:
    length = timedelta(seconds={"s": 1, "m": 60, "h": 3600}[unit])
    count = max(1, seconds // int(length.total_seconds()), 30 if unit == "s" else 1)
    day = from_epoch_day(last_day(f"{count}{unit}{suffix}", earned_at, zone))
    over = earned_at + count * length
    # Down takes up to a unit off what was said, up adds as much; the rest of the day is a gift.
    shortest = over - length if suffix == "_D" else over
    longest = over + length if suffix == "_U" else over
    assert shortest <= day_end(day, zone)
    assert day <= business_day(longest, zone)


@given(st.integers(1, 20), st.sampled_from(["D", "W", "M", "Q", "H"]), _INSTANTS, _ZONES)
def test_down_is_before_the_plain_day_and_up_is_not(count: int, unit: str, earned_at: datetime, zone: str) -> None:
    down, plain, up = (last_day(f"{count}{unit}{suffix}", earned_at, zone) for suffix in ("_D", "", "_U"))
    assert epoch_day(business_day(earned_at, zone)) <= down < plain <= up
    begins, ends = from_epoch_day(down + 1), from_epoch_day(up + 1)
    assert unit in "DW" or (begins.day, ends.day) == (1, 1)
    # What begins and ends there is one whole unit of the calendar.
    assert last_day(f"1{unit}", _noon(begins), "UTC") == epoch_day(ends)


_MONTH_DAYS = st.dates(date(2000, 1, 1), date(2000, 12, 31))


@given(st.lists(_MONTH_DAYS, min_size=1, max_size=20), _INSTANTS, _ZONES)
def test_the_next_of_the_dates_is_the_first_day_that_is_named(
    named: list[date], earned_at: datetime, zone: str
) -> None:
    written = {f"{day:%m-%d}" for day in named}
    day = business_day(earned_at, zone)
    # Day by day, as people look into a calendar; 28 February stands for the 29th where there is none.
    while f"{day:%m-%d}" not in written and not (
        "02-29" in written and (day.month, day.day) == (2, 28) and (day + timedelta(days=1)).month == 3
    ):
        day += timedelta(days=1)
    assert from_epoch_day(last_day(f"dates:{','.join(sorted(written))}", earned_at, zone)) == day


@given(
    st.one_of(
        st.from_regex(_ADMITTED, fullmatch=True),
        st.builds("{}{}{}".format, st.integers(1, 10**9 - 1), st.sampled_from("smhDWMQHY"), _SUFFIXES),
    )
)
def test_what_the_schema_lets_in_the_grammar_knows_or_names_the_reason(validity: str) -> None:
    try:
        check_validity(validity)
    except (ValidityTooLong, ValidityTooShort, ValidityOnNoDay):
        return
    assert re.fullmatch(_ADMITTED, validity)
