"""The grammar of validity: the last day on which a lot earned on some day can be used."""

from datetime import date

import pytest

from common.clock import epoch_day, from_epoch_day
from services.points.programs.domain import NEVER, BadValidity, check_validity, last_day


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
    ],
)
def test_a_lot_can_be_used_through_its_last_day(validity: str, earned_on: date, expected: date) -> None:
    assert from_epoch_day(last_day(validity, earned_on)) == expected


def test_unlimited_never_ends() -> None:
    assert last_day("unlimited", date(2026, 5, 3)) == NEVER
    assert epoch_day(date.max) < NEVER


@pytest.mark.parametrize(
    "bad",
    ["", "0D", "01D", "D", "12", "12m", "12M_D", "12M_U_U", "-1D", "1.5M",
     "12M ", " 12M", "12M\n", "never", "１D", "1２D",
     "99999D", "9999Y", "16Y", "5491D", "785W"],
)  # fmt: skip
def test_anything_else_is_refused_and_named(bad: str) -> None:
    with pytest.raises(BadValidity) as refused:
        check_validity(bad)
    assert refused.value.facts == {"validity": bad}


@pytest.mark.parametrize("good", ["unlimited", "1D", "5490D", "784W", "177M", "15Y", "15Y_U"])
def test_up_to_fifteen_years_are_allowed(good: str) -> None:
    assert check_validity(good) == good
