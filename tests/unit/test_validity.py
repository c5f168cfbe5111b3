"""The grammar of validity: the last day on which a lot earned on some day can be used."""

from datetime import date

import pytest

from common.clock import epoch_day, from_epoch_day
from services.points.programs.validity import (
    IDLE,
    NEVER,
    BadValidity,
    IdleIsTheAssets,
    ValidityOnNoDay,
    ValidityTooLong,
    check_own_validity,
    check_validity,
    idle_until,
    last_day,
)


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
        ("until:2026-12-31", date(2026, 5, 3), date(2026, 12, 31)),
        ("until:2028-02-29", date(2026, 5, 3), date(2028, 2, 29)),
        ("until:2026-05-02", date(2026, 5, 3), date(2026, 5, 2)),
    ],
)
def test_a_lot_can_be_used_through_its_last_day(validity: str, earned_on: date, expected: date) -> None:
    assert from_epoch_day(last_day(validity, earned_on)) == expected


def test_unlimited_never_ends() -> None:
    assert last_day("unlimited", date(2026, 5, 3)) == NEVER
    assert epoch_day(date.max) < NEVER


@pytest.mark.parametrize(
    "bad",
    ["", "0D", "01D", "D", "12", "12m", "12M_X", "12M_U_U", "-1D", "1.5M",
     "12M ", " 12M", "12M\n", "never", "１D", "1２D",
     "99999D", "9999Y", "16Y", "5491D", "785W",
     "until:", "until:2026-1-1", "until:1999-12-31", "until:2200-01-01", "until:2026-02-30", "until:2026-13-01",
     "until:2027-02-29", "until:2026-01-01T00:00", "idle:", "idle:0D", "idle:3M_U", "idle:unlimited", "idle:16Y"],
)  # fmt: skip
def test_anything_else_is_refused_and_named(bad: str) -> None:
    with pytest.raises(BadValidity) as refused:
        check_validity(bad)
    assert refused.value.facts == {"validity": bad}


@pytest.mark.parametrize(
    ("validity", "reason"),
    [("16Y", ValidityTooLong), ("5491D_D", ValidityTooLong), ("idle:178M", ValidityTooLong),
     ("until:2026-02-30", ValidityOnNoDay), ("12m", BadValidity)],
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
    ],
)
def test_an_idle_account_ends_so_long_after_its_last_activity(validity: str, active_on: date, expected: date) -> None:
    assert last_day(validity, active_on) == IDLE
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
    "good", ["1D_D", "until:2199-12-31", "idle:15Y", "unlimited", "1D", "5490D", "784W", "177M", "15Y", "15Y_U"]
)
def test_up_to_fifteen_years_are_allowed(good: str) -> None:
    assert check_validity(good) == good
