"""Laws of bindings, without I/O."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from services.referrals.bindings.domain import (
    AlreadyBound,
    Binding,
    MonthlyCapReached,
    NotHeld,
    Reason,
    SelfInvite,
    State,
    Usage,
    Verdict,
    business_month,
    check_cap,
    check_held,
    check_not_self,
    judge,
    next_number,
)
from services.referrals.invitations.domain import FIRST_PAID_ORDER, Terms
from services.referrals.orders.domain import PaidOrder

NOW = datetime(2026, 5, 20, 4, tzinfo=UTC)
TERMS = Terms("Spring", FIRST_PAID_ORDER, 100, [], [], 30, 20, 5, None, None)
BINDING = Binding(1, 2, 1, 9, "spring", 1, "22222222", None, None, State.BOUND, NOW, NOW + timedelta(days=30))
ORDER = PaidOrder(1, 2, "o1", 100, NOW, "shop e1")
FREE = Usage(1, 0)


def test_nobody_is_bound_to_themselves() -> None:
    check_not_self(1, 2)
    with pytest.raises(SelfInvite):
        check_not_self(2, 2)


def test_the_first_touch_is_overwritten_only_at_the_end_of_its_protection_and_only_while_it_came_to_nothing() -> None:
    assert next_number(None, NOW) == 1
    with pytest.raises(AlreadyBound):
        next_number(BINDING, BINDING.protected_until - timedelta(microseconds=1))
    assert next_number(BINDING, BINDING.protected_until) == 2
    for state in set(State) - {State.BOUND}:
        with pytest.raises(AlreadyBound):
            next_number(replace(BINDING, state=state), BINDING.protected_until)


@pytest.mark.parametrize(
    ("order", "usage", "verdict"),
    [
        (ORDER, FREE, Verdict(State.QUALIFIED, None)),
        (replace(ORDER, paid_at=NOW - timedelta(microseconds=1)), FREE, Verdict(State.VOID, Reason.NOT_NEW)),
        (replace(ORDER, paid_fen=99), FREE, Verdict(State.BOUND, Reason.BELOW_MINIMUM)),
        (replace(ORDER, refunded_fen=100), FREE, Verdict(State.REVOKED, Reason.REFUNDED)),
        (replace(ORDER, refunded_fen=99), FREE, Verdict(State.QUALIFIED, None)),
        (ORDER, Usage(20, 0), Verdict(State.QUALIFIED, None)),
        (ORDER, Usage(21, 0), Verdict(State.HELD, Reason.VELOCITY)),
        (ORDER, Usage(1, 4), Verdict(State.QUALIFIED, None)),
        (ORDER, Usage(1, 5), Verdict(State.HELD, Reason.MONTHLY_CAP)),
    ],
)
def test_every_limit_is_exact(order: PaidOrder, usage: Usage, verdict: Verdict) -> None:
    assert judge(BINDING, order, TERMS, usage) == verdict


@pytest.mark.parametrize(
    ("field", "value", "usage"),
    [("minimum_paid_fen", 101, FREE), ("hourly_limit", 1, Usage(2, 0)), ("monthly_cap", 1, Usage(1, 1))],
)
def test_changing_any_one_limit_changes_the_verdict(field: str, value: int, usage: Usage) -> None:
    assert judge(BINDING, ORDER, TERMS, usage).state is State.QUALIFIED
    assert judge(BINDING, ORDER, replace(TERMS, **{field: value}), usage).state is not State.QUALIFIED


def test_a_review_needs_a_held_binding_and_room_under_the_cap() -> None:
    check_held(replace(BINDING, state=State.HELD))
    with pytest.raises(NotHeld):
        check_held(BINDING)
    check_cap(TERMS, 4)
    with pytest.raises(MonthlyCapReached):
        check_cap(TERMS, 5)


def test_months_are_cut_in_the_programs_zone() -> None:
    last_moment = datetime(2026, 5, 31, 15, 59, 59, tzinfo=UTC)
    assert business_month(last_moment, "Asia/Shanghai") == date(2026, 5, 1)
    assert business_month(last_moment + timedelta(seconds=1), "Asia/Shanghai") == date(2026, 6, 1)
