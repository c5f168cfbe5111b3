"""Laws of orders."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from services.redemption.orders import wordings
from services.redemption.orders.domain import (
    HOLD_TTL_SECONDS,
    IN_DOUBT,
    UNPAID,
    WISH,
    InsufficientPoints,
    LimitReached,
    NotCancellable,
    NotFulfillable,
    Order,
    OrderUnsettled,
    Price,
    ReasonMissing,
    State,
    Step,
    as_first_answered,
    check_limit,
    check_reason,
    next_step,
    refusal_of,
    retry_delay,
    why_not,
)

NOON = datetime(2026, 5, 3, 12, tzinfo=UTC)
TICK = timedelta(microseconds=1)
ID = UUID(int=1)


def make_order(**changes: Any) -> Order:
    """An order just made."""
    order: dict[str, Any] = {
        "program_id": 1,
        "member_id": 7,
        "order_id": ID,
        "key": "a",
        "fingerprint": b"x",
        "item": "mug",
        "item_version": 1,
        "quantity": 2,
        "price": Price("points", 200),
        "state": State.RESERVING,
        "in_doubt_since": NOON,
        "wanted_until": NOON + WISH,
        "due_at": NOON,
        "created_at": NOON,
    }
    return Order(**{**order, **changes})


@pytest.mark.parametrize(
    ("state", "step"),
    [
        (State.RESERVING, Step.HOLD),
        (State.HELD, Step.CAPTURE),
        (State.CANCELLING, Step.REVERSE),
        (State.COMPLETED, None),
        (State.CANCELLED, None),
        (State.FULFILLED, None),
        (State.REFUSED, None),
    ],
)
def test_a_state_calls_for_its_step(state: State, step: Step | None) -> None:
    assert next_step(make_order(state=state), NOON) == step


@pytest.mark.parametrize("state", State)
def test_only_orders_in_doubt_have_a_next_step_at_any_time(state: State) -> None:
    for at in (NOON, NOON + WISH, NOON + timedelta(days=9)):
        assert (next_step(make_order(state=state), at) is not None) == (state in IN_DOUBT)


@pytest.mark.parametrize("state", [State.RESERVING, State.HELD])
def test_an_order_goes_forward_until_its_wish_lapses(state: State) -> None:
    order = make_order(state=state)
    assert next_step(order, NOON + WISH - TICK) in (Step.HOLD, Step.CAPTURE)
    assert next_step(order, NOON + WISH) == Step.GIVE_UP


def test_a_cancellation_is_never_given_up() -> None:
    assert next_step(make_order(state=State.CANCELLING), NOON + timedelta(days=9)) == Step.REVERSE


def test_to_give_up_the_hold_must_be_known() -> None:
    assert next_step(make_order(state=State.GIVING_UP), NOON) == Step.HOLD
    assert next_step(make_order(state=State.GIVING_UP, hold_id=ID), NOON) == Step.VOID


def test_a_hold_outlives_the_wish() -> None:
    assert timedelta(seconds=HOLD_TTL_SECONDS) > WISH


def test_what_is_unpaid_and_not_refused_is_in_doubt() -> None:
    assert IN_DOUBT - {State.CANCELLING} == UNPAID


def test_the_first_retry_comes_at_once_and_later_ones_ever_more_rarely() -> None:
    delays = [retry_delay(attempts).total_seconds() for attempts in (1, 2, 3, 4, 5, 10, 11, 1000)]
    assert delays == [0, 1, 2, 4, 8, 256, 300, 300]


def test_an_order_alone_may_reach_the_limit_but_not_exceed_it() -> None:
    check_limit(make_order(quantity=2), 2)
    check_limit(make_order(quantity=100), None)
    with pytest.raises(LimitReached) as refused:
        check_limit(make_order(quantity=3), 2)
    assert refused.value.facts == {"item": "mug", "limit": 2}


def test_staff_give_a_reason_and_members_need_none() -> None:
    check_reason(None, by_staff=False)
    check_reason("broken", by_staff=True)
    with pytest.raises(ReasonMissing):
        check_reason(None, by_staff=True)


@pytest.mark.parametrize("state", State)
def test_what_wants_a_completed_order_is_refused_for_now_while_in_doubt_and_else_for_good(state: State) -> None:
    refusals = [why_not(make_order(state=state), kind) for kind in (NotCancellable, NotFulfillable)]
    expected = [OrderUnsettled, OrderUnsettled] if state in IN_DOUBT else [NotCancellable, NotFulfillable]
    assert [type(refusal) for refusal in refusals] == expected
    assert {refusal.facts["state"] for refusal in refusals} == {state.value}


def test_a_refusal_comes_back_as_it_was() -> None:
    facts = {"available": 5, "short_by": 195}
    order = make_order(state=State.REFUSED, refusal_code="insufficient_points", refusal_facts=facts)
    refusal = refusal_of(order, replayed=False)
    assert (type(refusal), refusal.facts) == (InsufficientPoints, facts)


def test_a_refusal_without_facts_comes_back_too() -> None:
    order = make_order(state=State.REFUSED, refusal_code="account_frozen")
    assert refusal_of(order, replayed=False).facts == {}


def test_a_refusal_nobody_knows_is_an_error() -> None:
    with pytest.raises(LookupError, match="bad_luck"):
        refusal_of(make_order(state=State.REFUSED, refusal_code="bad_luck"), replayed=False)


def test_the_first_answer_shows_nothing_of_what_came_later() -> None:
    completed = make_order(state=State.COMPLETED, completed_at=NOON)
    later = {
        "cancelled_at": NOON,
        "cancelled_by": "staff:lin",
        "cancel_reason": "broken",
        "fulfilled_at": NOON,
        "fulfilled_by": "staff:lin",
        "tracking_no": "SF1",
        "note": "x",
        "reversal_id": ID,
    }
    answered = as_first_answered(make_order(state=State.CANCELLED, completed_at=NOON, **later), replayed=False)
    assert answered == completed


def test_every_refusal_of_orders_is_worded() -> None:
    from common.errors import Refusal
    from services.redemption.orders import domain

    refusals = {kind for kind in vars(domain).values() if isinstance(kind, type) and issubclass(kind, Refusal)}
    mine = {kind for kind in refusals if kind.__module__ == domain.__name__}
    assert mine == set(wordings.WORDINGS)
