"""The grammar of pending: when what was earned becomes available."""

from datetime import UTC, datetime, timedelta

import pytest

from services.points.programs.pending import UNCONFIRMED, BadPending, after, available_at, awaited, check_pending

EARNED = datetime(2026, 5, 3, 4, 30, tzinfo=UTC)


def test_none_is_available_at_once() -> None:
    assert check_pending("none") == "none"
    assert available_at("none", EARNED, "Asia/Shanghai") is None
    assert after("none", EARNED, "Asia/Shanghai") is None


def test_days_later_is_the_same_time_of_day() -> None:
    assert available_at("7D", EARNED, "Asia/Shanghai") == datetime(2026, 5, 10, 4, 30, tzinfo=UTC)
    assert after("7D", EARNED, "Asia/Shanghai") is None


def test_days_are_the_programs_own_also_when_its_clocks_change() -> None:
    before = datetime(2026, 3, 7, 17, 0, tzinfo=UTC)  # noon in New York; its clocks change in the night
    assert available_at("1D", before, "America/New_York") == datetime(2026, 3, 8, 16, 0, tzinfo=UTC)


def test_what_waits_for_its_order_waits_until_the_days_after_its_confirmation() -> None:
    assert available_at("order.confirmed+7D", EARNED, "UTC") == UNCONFIRMED
    assert after("order.confirmed+7D", EARNED, "UTC") == datetime(2026, 5, 10, 4, 30, tzinfo=UTC)
    assert after("order.confirmed+0D", EARNED, "UTC") == EARNED


def test_what_waits_for_a_day_waits_for_its_beginning_in_the_programs_zone() -> None:
    assert available_at("until:2026-12-01", EARNED, "Asia/Shanghai") == datetime(2026, 11, 30, 16, 0, tzinfo=UTC)
    begins = datetime(2026, 5, 2, 16, 0, tzinfo=UTC)
    assert available_at("until:2026-05-03", begins - timedelta(microseconds=1), "Asia/Shanghai") == begins
    assert available_at("until:2026-05-03", begins, "Asia/Shanghai") is None
    assert after("until:2026-12-01", EARNED, "Asia/Shanghai") is None


def test_what_waits_for_an_event_says_for_which() -> None:
    assert awaited("review.approved+0D") == "review.approved"
    assert awaited("order.confirmed+7D") == "order.confirmed"
    assert [awaited(pending) for pending in ("none", "7D", "until:2026-12-01")] == [None, None, None]


@pytest.mark.parametrize("bad", ["", "7", "0D", "07D", "7d", "367D", "7W", "order.confirmed", "order.confirmed+367D",
                                 "Order.paid+7D", "7D ", "+7D", "until:2026-02-30", "until:2026-1-1",
                                 "until:2200-01-01", "a" * 65 + "+7D"])  # fmt: skip
def test_anything_else_is_refused_and_named(bad: str) -> None:
    with pytest.raises(BadPending) as refused:
        check_pending(bad)
    assert refused.value.facts == {"pending": bad}


@pytest.mark.parametrize(
    "good", ["1D", "366D", "order.confirmed+0D", "order.confirmed+366D", "goods.received+7D", "until:2199-12-31"]
)
def test_up_to_a_leap_year_is_allowed(good: str) -> None:
    assert check_pending(good) == good
