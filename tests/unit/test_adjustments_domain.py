"""The rules of adjustments: whose limit, which limit, and who can be the second person."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.points.adjustments import domain
from services.points.adjustments.domain import (
    DEFAULT_REASONS,
    Allowance,
    Limit,
    NotAwaiting,
    Policy,
    SamePerson,
    UnknownReason,
)

NOW = datetime(2026, 5, 3, tzinfo=UTC)


def test_until_somebody_sets_it_every_agent_has_500_at_once_and_2000_a_day() -> None:
    for role in domain.AGENTS:
        assert domain.allowance(Policy(), {role}, "points") == Allowance(500, 2000)


def test_who_has_no_role_that_adjusts_has_no_allowance() -> None:
    for roles in ({"finance"}, {"marketer"}, set[str]()):
        assert domain.allowance(Policy(), roles, "points") is None
    assert domain.beyond(None, 1, used=0) == "adjustment"


def test_an_assets_own_limit_comes_before_the_roles_and_the_roles_before_the_default() -> None:
    policy = Policy((Limit("customer_service", None, 10, 20), Limit("customer_service", "energy", 1, 2)))
    assert domain.allowance(policy, {"customer_service"}, "points") == Allowance(10, 20)
    assert domain.allowance(policy, {"customer_service"}, "energy") == Allowance(1, 2)
    assert domain.allowance(policy, {"admin"}, "energy") == Allowance(500, 2000)


def test_of_several_roles_the_larger_counts_limit_by_limit() -> None:
    policy = Policy((Limit("customer_service", None, 900, 1000), Limit("admin", None, 100, 5000)))
    assert domain.allowance(policy, {"customer_service", "admin"}, "points") == Allowance(900, 5000)


@given(
    most=st.integers(0, 1000), of_day=st.integers(0, 5000), used=st.integers(0, 5000), amount=st.integers(-2000, 2000)
)
def test_within_both_limits_is_not_beyond_and_anything_else_is(most: int, of_day: int, used: int, amount: int) -> None:
    found = domain.beyond(Allowance(most, of_day), amount, used=used)
    assert (found is None) == (abs(amount) <= most and used + abs(amount) <= of_day)
    assert (found == "adjustment") == (abs(amount) > most)


def test_a_person_is_the_same_by_name() -> None:
    with pytest.raises(SamePerson):
        domain.check_second_person("lin", "lin")
    domain.check_second_person("lin", "mei")


def test_only_what_waits_and_is_not_over_can_be_decided() -> None:
    domain.check_awaiting("pending_approval", NOW + timedelta(microseconds=1), now=NOW)
    for status in ("posted", "rejected", "expired", "undone"):
        with pytest.raises(NotAwaiting, match=status):
            domain.check_awaiting(status, NOW + timedelta(days=1), now=NOW)
    with pytest.raises(NotAwaiting, match="expired"):
        domain.check_awaiting("pending_approval", NOW, now=NOW)


def test_a_reason_stands_in_the_list() -> None:
    policy = Policy(reasons=DEFAULT_REASONS)
    for reason in DEFAULT_REASONS:
        domain.check_reason(policy, reason.code)
    with pytest.raises(UnknownReason):
        domain.check_reason(policy, "because")
