"""The grammar of pending: when what was earned becomes available."""

from datetime import UTC, datetime

import pytest

from services.points.programs.pending import UNCONFIRMED, BadPending, available_at, check_pending, confirmed

EARNED = datetime(2026, 5, 3, 4, 30, tzinfo=UTC)


def test_none_is_available_at_once() -> None:
    assert check_pending("none") == "none"
    assert available_at("none", EARNED, "Asia/Shanghai") is None
    assert confirmed("none", EARNED, "Asia/Shanghai") is None


def test_days_later_is_the_same_time_of_day() -> None:
    assert available_at("7D", EARNED, "Asia/Shanghai") == datetime(2026, 5, 10, 4, 30, tzinfo=UTC)
    assert confirmed("7D", EARNED, "Asia/Shanghai") is None


def test_days_are_the_programs_own_also_when_its_clocks_change() -> None:
    before = datetime(2026, 3, 7, 17, 0, tzinfo=UTC)  # noon in New York; its clocks change in the night
    assert available_at("1D", before, "America/New_York") == datetime(2026, 3, 8, 16, 0, tzinfo=UTC)


def test_what_waits_for_its_order_waits_until_the_days_after_its_confirmation() -> None:
    assert available_at("order.confirmed+7D", EARNED, "UTC") == UNCONFIRMED
    assert confirmed("order.confirmed+7D", EARNED, "UTC") == datetime(2026, 5, 10, 4, 30, tzinfo=UTC)
    assert confirmed("order.confirmed+0D", EARNED, "UTC") == EARNED


@pytest.mark.parametrize("bad", ["", "7", "0D", "07D", "7d", "367D", "7W", "order.confirmed", "order.confirmed+367D",
                                 "order.paid+7D", "7D ", "none+7D"])  # fmt: skip
def test_anything_else_is_refused_and_named(bad: str) -> None:
    with pytest.raises(BadPending) as refused:
        check_pending(bad)
    assert refused.value.facts == {"pending": bad}


@pytest.mark.parametrize("good", ["1D", "366D", "order.confirmed+0D", "order.confirmed+366D"])
def test_up_to_a_leap_year_is_allowed(good: str) -> None:
    assert check_pending(good) == good
