"""Laws of deductions: no cap is passed, no point is wasted, parts of a refund make the whole."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.points.deductions import domain
from services.points.deductions.domain import Back, Cap, Limit, NotDeductible, Policy, RefundTooLarge

POLICIES = st.builds(
    Policy,
    asset=st.just("points"),
    points=st.integers(1, 300),
    fen=st.integers(1, 300),
    most_percent=st.integers(0, 100),
    most_points=st.none() | st.integers(1, 5_000),
    least_cash_fen=st.integers(0, 500),
    step=st.sampled_from([1, 10, 100]),
    least_points=st.integers(1, 300),
)
ORDERS = st.integers(1, 50_000)


def policy(**given: Any) -> Policy:
    return Policy(**{"asset": "points", "points": 100, "fen": 100, **given})


def points(order_fen: int, available: int | None = None, wanted: int | None = None, **given: Any) -> tuple[int, int]:
    it = domain.quote(policy(**given), order_fen=order_fen, available=available, wanted=wanted)
    assert it.deducted_fen + it.cash_fen == order_fen
    return it.points, it.deducted_fen


def because(order_fen: int, available: int | None = None, wanted: int | None = None, **given: Any) -> list[Limit]:
    it = domain.quote(policy(**given), order_fen=order_fen, available=available, wanted=wanted)
    return [cap.limit for cap in it.caps if cap.bites]


def test_requirement_p6_by_name() -> None:
    assert points(10_000, 3_000, most_percent=20) == (2_000, 2_000)
    assert because(10_000, 3_000, most_percent=20) == [Limit.PERCENT]


@pytest.mark.parametrize(
    ("given", "expected", "limit"),
    [
        ({"available": 150}, (150, 150), Limit.BALANCE),
        ({"available": 9_999, "wanted": 70}, (70, 70), Limit.WANTED),
        ({"most_points": 500}, (500, 500), Limit.POINTS),
        ({"most_percent": 50}, (5_000, 5_000), Limit.PERCENT),
        ({}, (9_999, 9_999), Limit.LEAST_CASH),
        ({"least_cash_fen": 0}, (10_000, 10_000), Limit.PERCENT),
        ({"least_cash_fen": 2_500}, (7_500, 7_500), Limit.LEAST_CASH),
        ({"least_cash_fen": 20_000}, (0, 0), Limit.LEAST_POINTS),
        ({"most_percent": 0}, (0, 0), Limit.LEAST_POINTS),
        ({"available": 150, "step": 100}, (100, 100), Limit.BALANCE),
        ({"available": 99, "step": 100}, (0, 0), Limit.LEAST_POINTS),
        ({"available": 499, "least_points": 500}, (0, 0), Limit.LEAST_POINTS),
        ({"available": 500, "least_points": 500}, (500, 500), Limit.BALANCE),
        ({"available": 0}, (0, 0), Limit.LEAST_POINTS),
    ],
)
def test_the_lowest_cap_bites(given: dict[str, Any], expected: tuple[int, int], limit: Limit) -> None:
    assert points(10_000, **given) == expected
    assert limit in because(10_000, **given)


def test_every_cap_says_what_it_alone_would_allow() -> None:
    it = domain.quote(policy(most_percent=20, most_points=5_000), order_fen=10_000, available=3_000, wanted=4_000)
    assert it.caps == [
        Cap(Limit.PERCENT, 2_000, True),
        Cap(Limit.LEAST_CASH, 9_999, False),
        Cap(Limit.POINTS, 5_000, False),
        Cap(Limit.BALANCE, 3_000, False),
        Cap(Limit.WANTED, 4_000, False),
    ]
    assert it.because == Limit.PERCENT


def test_nobody_pays_for_nothing() -> None:
    cheap = {"points": 100, "fen": 1}
    assert points(10_000, 250, **cheap) == (200, 2)
    assert points(10_000, 99, **cheap) == (0, 0)
    assert points(10_000, 250, **cheap, least_points=230) == (230, 2)
    assert points(10_000, 250, points=3, fen=2) == (249, 166)
    assert points(10_000, 19, **{**cheap, "points": 7}, step=5) == (15, 2)


def test_m9s_last_step_leaves_a_fen_of_161_yuan_50() -> None:
    assert points(16_150, 100_000) == (16_149, 16_149)


@given(POLICIES, ORDERS, st.none() | st.integers(0, 9_000), st.none() | st.integers(1, 9_000))
def test_no_cap_is_ever_passed(it: Policy, order_fen: int, available: int | None, wanted: int | None) -> None:
    found = domain.quote(it, order_fen=order_fen, available=available, wanted=wanted)
    assert found.deducted_fen + found.cash_fen == order_fen
    assert found.deducted_fen == it.worth(found.points)
    if not found.points:
        assert found.deducted_fen == 0
        return
    assert found.deducted_fen > 0
    assert found.deducted_fen * 100 <= order_fen * it.most_percent
    assert found.cash_fen >= it.least_cash_fen
    assert found.points % it.step == 0
    assert it.least_points <= found.points
    for most in (it.most_points, available, wanted):
        assert most is None or found.points <= most
    if found.points - it.step >= it.least_points:
        assert it.worth(found.points - it.step) < found.deducted_fen


@given(POLICIES, ORDERS, st.integers(0, 9_000))
def test_what_was_quoted_can_be_deducted(it: Policy, order_fen: int, available: int) -> None:
    found = domain.quote(it, order_fen=order_fen, available=available)
    if found.points:
        assert domain.check_deductible(it, order_fen=order_fen, points=found.points).deducted_fen == found.deducted_fen


@pytest.mark.parametrize(
    ("wanted", "given", "most", "why"),
    [
        (2_001, {"most_percent": 20}, 2_000, "most_percent"),
        (150, {"step": 100}, 100, "step"),
        (250, {"fen": 1}, 200, "step"),
        (99, {"least_points": 100}, 0, "least_points"),
        (10_000, {}, 9_999, "least_cash_fen"),
    ],
)
def test_exactly_what_was_asked_for_or_nothing(wanted: int, given: dict[str, Any], most: int, why: str) -> None:
    with pytest.raises(NotDeductible) as refusal:
        domain.check_deductible(policy(**given), order_fen=10_000, points=wanted)
    assert refusal.value.facts == {"most": most, "because": why}


@given(st.integers(1, 5_000), ORDERS, st.lists(st.integers(1, 9_000), min_size=1, max_size=8))
def test_parts_of_a_refund_make_the_whole(points_: int, order_fen: int, parts: list[int]) -> None:
    deducted = min(points_, order_fen)
    before, backs = 0, []
    for part in [*parts, order_fen]:
        part = min(part, order_fen - before)
        if not part:
            break
        backs.append(
            domain.give_back(
                points=points_, deducted_fen=deducted, order_fen=order_fen, refunded_before=before, refunded_fen=part
            )
        )
        before += part
        assert sum(it.points for it in backs) == points_ * before // order_fen
    assert sum(it.points for it in backs) == points_
    assert sum(it.deducted_fen for it in backs) == deducted
    assert sum(it.cash_fen for it in backs) == order_fen - deducted
    assert all(min(it.points, it.deducted_fen, it.cash_fen) >= 0 for it in backs)


def test_a_refund_gives_back_in_proportion_and_never_more_than_the_order() -> None:
    given = {"points": 2_000, "deducted_fen": 2_000, "order_fen": 10_000}
    assert domain.give_back(**given, refunded_before=0, refunded_fen=3_333) == Back(666, 666, 2_667)
    assert domain.give_back(**given, refunded_before=3_333, refunded_fen=6_667) == Back(1_334, 1_334, 5_333)
    with pytest.raises(RefundTooLarge) as refusal:
        domain.give_back(**given, refunded_before=3_333, refunded_fen=6_668)
    assert refusal.value.facts == {"left_fen": 6_667}
