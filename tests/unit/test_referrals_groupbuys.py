"""Laws of groups and seats, without I/O."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from services.referrals.groupbuys.domain import (
    Campaign,
    Group,
    GroupFull,
    GroupLimitReached,
    GroupOver,
    GroupState,
    Payment,
    Seat,
    SeatState,
    Terms,
    check_limit,
    choose_seat,
    hold_deadline,
    open_group,
    refuse_payment,
    view,
)
from services.referrals.orders.domain import PaidOrder
from services.referrals.refunds.domain import Reason

NOW = datetime(2026, 5, 20, 4, tzinfo=UTC)
TERMS = Terms("Tea", 3900, 3, 3600, 900, 1, False, [], [], None, None)
CAMPAIGN = Campaign(1, "tea", 1, TERMS)
GROUP = open_group(CAMPAIGN, UUID(int=1), 1, NOW)
HELD = Seat(1, UUID(int=11), SeatState.HELD, 1, NOW + timedelta(seconds=900))
SEATS = [HELD, Seat(2, UUID(int=12)), Seat(3, UUID(int=13))]
ORDER = PaidOrder(1, 1, "o1", 3900, NOW, "shop e1", str(HELD.id))


def test_deadlines_come_from_the_terms_and_never_outlast_the_group() -> None:
    assert GROUP.due_at == NOW + timedelta(seconds=3600)
    assert hold_deadline(GROUP, TERMS, NOW) == NOW + timedelta(seconds=900)
    assert hold_deadline(GROUP, TERMS, GROUP.due_at - timedelta(seconds=1)) == GROUP.due_at


def test_a_hold_lapses_at_its_deadline_not_before() -> None:
    deadline = HELD.held_until
    assert deadline is not None
    assert not HELD.takeable(deadline - timedelta(microseconds=1))
    assert HELD.takeable(deadline)


def test_the_first_seat_that_can_be_taken_is_chosen_and_none_after_the_end() -> None:
    assert choose_seat(GROUP, SEATS, 2, NOW).number == 2
    lapsed = [SEATS[0], SEATS[1], replace(SEATS[2], state=SeatState.LAPSED, holder_id=2, held_until=NOW)]
    assert choose_seat(GROUP, lapsed, 2, NOW).number == 3
    with pytest.raises(GroupFull):
        choose_seat(GROUP, [HELD], 2, NOW)
    with pytest.raises(GroupOver):
        choose_seat(GROUP, SEATS, 2, GROUP.due_at)
    with pytest.raises(GroupOver):
        choose_seat(replace(GROUP, state=GroupState.EXPIRED), SEATS, 2, NOW)
    paid = replace(HELD, state=SeatState.PAID, payment=Payment(1, "o1", "e", NOW))
    with pytest.raises(GroupFull):
        choose_seat(replace(GROUP, state=GroupState.FILLED), [paid], 2, GROUP.due_at)


def test_the_limit_admits_exactly_as_many() -> None:
    check_limit(TERMS, 0)
    with pytest.raises(GroupLimitReached):
        check_limit(TERMS, 1)


@pytest.mark.parametrize(
    ("group", "seat", "order", "others", "reason"),
    [
        (GROUP, HELD, ORDER, 0, None),
        (GROUP, HELD, ORDER, 1, None),
        (GROUP, HELD, replace(ORDER, member_id=2), 0, Reason.SEAT_LOST),
        (GROUP, SEATS[1], ORDER, 0, Reason.SEAT_LOST),
        (GROUP, replace(HELD, state=SeatState.PAID), ORDER, 0, Reason.ALREADY_PAID),
        (replace(GROUP, state=GroupState.EXPIRED), HELD, ORDER, 0, Reason.GROUP_OVER),
        (GROUP, HELD, replace(ORDER, paid_at=GROUP.due_at), 0, Reason.GROUP_OVER),
        (GROUP, HELD, replace(ORDER, paid_fen=3899), 0, Reason.UNDERPAID),
        (GROUP, HELD, replace(ORDER, paid_at=NOW + timedelta(seconds=900)), 0, None),
        (GROUP, HELD, replace(ORDER, paid_at=NOW + timedelta(seconds=900)), 1, Reason.LIMIT_REACHED),
        (GROUP, replace(HELD, state=SeatState.LAPSED), ORDER, 0, None),
        (GROUP, replace(HELD, state=SeatState.LAPSED), ORDER, 1, Reason.LIMIT_REACHED),
    ],
)
def test_a_payment_confirms_its_seat_or_goes_back_for_a_reason(
    group: Group, seat: Seat, order: PaidOrder, others: int, reason: Reason | None
) -> None:
    assert refuse_payment(group, seat, TERMS, order, others) == reason


def test_staff_see_persons_and_strangers_do_not() -> None:
    assert view(CAMPAIGN, GROUP, SEATS, None, NOW).seats[0].member_id == 1
    assert view(CAMPAIGN, GROUP, SEATS, 1, NOW).my_seat == HELD
    stranger = view(CAMPAIGN, GROUP, SEATS, 9, NOW)
    assert (stranger.seats[0].member_id, stranger.head_id, stranger.my_seat) == (None, None, None)
    assert (stranger.free_seats, view(CAMPAIGN, GROUP, SEATS, 9, GROUP.due_at).free_seats) == (2, 3)
