"""Laws of single lines: what each kind does to an account, and what refuses it."""

import pytest

from services.points.ledger import holds, movements, refusals, reversals
from services.points.ledger.domain import LARGEST, Account, Hold, HoldState, Kind, Movement, Original
from services.points.programs.validity import NEVER
from tests.ledger import HOUR, NOW, TODAY, account, digest, line, open_hold


def moved(it: Account, movement: Movement) -> Account:
    """The account after the movement, checked to be sound."""
    movements.apply(it, movement)
    assert it.balance == sum(it.lots[1::2]) + it.held - it.debt
    assert it.available >= 0
    assert not (it.debt and it.lots)
    return it


def earned(amount: int, *, reversed_: int = 0, days: tuple[int, ...] = (10,)) -> Original:
    return Original(1, Kind.EARN, amount, reversed_, [number for day in days for number in (day, amount)])


def spent(*moves: int, reversed_: int = 0, kind: Kind = Kind.SPEND) -> Original:
    return Original(1, kind, sum(moves[1::2]), reversed_, list(moves))


def test_earning_makes_a_lot_of_its_day() -> None:
    it = account(5, 10)
    after = moved(it, movements.earn(it, line(Kind.EARN, 40, lot_day=9)))
    assert (after.balance, after.available, after.lots, after.seq) == (50, 50, [5, 10, 9, 40], 1)


def test_earning_pays_the_debt_first() -> None:
    it = account(debt=30)
    movement = movements.earn(it, line(Kind.EARN, 40, lot_day=9))
    assert movement.moves == [9, 10]
    after = moved(it, movement)
    assert (after.balance, after.debt, after.lots) == (10, 0, [9, 10])


def test_earning_less_than_the_debt_leaves_no_lot() -> None:
    it = account(debt=30)
    movement = movements.earn(it, line(Kind.EARN, 29, lot_day=9))
    assert movement.moves == []
    assert moved(it, movement).debt == 1


def test_a_balance_stays_within_what_every_reader_keeps_exact() -> None:
    it = account(9, LARGEST - 5)
    moved(it, movements.earn(it, line(Kind.EARN, 5, lot_day=9)))
    with pytest.raises(refusals.BalanceTooLarge):
        movements.earn(it, line(Kind.EARN, 1, lot_day=9))
    assert it.balance == LARGEST


def test_spending_takes_the_soonest_expiry_first() -> None:
    it = account(5, 10, 9, 40, NEVER, 100)
    movement = movements.spend(it, line(Kind.SPEND, 45))
    assert (movement.amount, movement.moves) == (-45, [5, -10, 9, -35])
    assert moved(it, movement).lots == [9, 5, NEVER, 100]


def test_spending_all_is_allowed_and_one_more_is_not() -> None:
    it = account(5, 10)
    with pytest.raises(refusals.InsufficientPoints):
        movements.spend(it, line(Kind.SPEND, 11))
    assert moved(it, movements.spend(it, line(Kind.SPEND, 10))).balance == 0


def test_what_is_held_cannot_be_spent_nor_held_again() -> None:
    it = account(5, 10, held=20)
    with pytest.raises(refusals.InsufficientPoints):
        movements.spend(it, line(Kind.SPEND, 11))
    with pytest.raises(refusals.InsufficientPoints):
        holds.hold(it, line(Kind.HOLD, 11), now_us=NOW)


def test_who_is_in_debt_can_spend_nothing() -> None:
    with pytest.raises(refusals.InsufficientPoints):
        movements.spend(account(debt=5), line(Kind.SPEND, 1))


def test_a_hold_reserves_lots_without_changing_the_balance() -> None:
    it = account(5, 10, 9, 40)
    movement, made = holds.hold(it, line(Kind.HOLD, 30, ttl_us=HOUR), now_us=NOW)
    after = moved(it, movement)
    assert (after.balance, after.held, after.available, after.lots) == (50, 30, 20, [9, 20])
    assert (made.id, made.amount, made.captured, made.state) == (digest("key"), 30, 0, HoldState.OPEN)
    assert (made.expires_at_us, made.moves) == (NOW + HOUR, [5, -10, 9, -20])


def test_capturing_spends_the_hold() -> None:
    it, held = account(9, 20, held=30), open_hold(5, -10, 9, -20)
    after = moved(it, holds.capture(it, line(Kind.CAPTURE), held, today=TODAY))
    assert (after.balance, after.held, after.lots) == (20, 0, [9, 20])
    assert (held.state, held.captured) == (HoldState.CAPTURED, 30)


def test_capturing_a_part_spends_the_soonest_and_returns_the_rest_to_its_days() -> None:
    it, held = account(9, 1, held=30), open_hold(5, -10, 9, -20)
    movement = holds.capture(it, line(Kind.CAPTURE, 12), held, today=TODAY)
    assert (movement.amount, movement.held_delta, movement.moves) == (-12, -30, [9, 18])
    after = moved(it, movement)
    assert (after.balance, after.held, after.lots) == (19, 0, [9, 19])
    assert held.captured == 12


def test_more_than_is_held_cannot_be_captured_and_the_hold_stays_open() -> None:
    it, held = account(held=30), open_hold(5, -30)
    with pytest.raises(refusals.HoldExceeded):
        holds.capture(it, line(Kind.CAPTURE, 31), held, today=TODAY)
    assert held.state == HoldState.OPEN
    assert moved(it, holds.capture(it, line(Kind.CAPTURE, 30), held, today=TODAY)).balance == 0


def test_voiding_returns_everything_to_its_days() -> None:
    it, held = account(9, 1, held=30), open_hold(5, -10, 9, -20)
    after = moved(it, holds.void(it, held, today=TODAY))
    assert (after.balance, after.held, after.lots) == (31, 0, [5, 10, 9, 21])
    assert (held.state, held.captured) == (HoldState.VOIDED, 0)


def test_a_hold_past_its_deadline_ends_as_if_voided() -> None:
    it, held = account(held=30), open_hold(5, -10, 9, -20)
    movement = holds.expire_hold(it, held, today=TODAY)
    assert movement.kind == Kind.HOLD_EXPIRED
    assert moved(it, movement).lots == [5, 10, 9, 20]
    assert held.state == HoldState.EXPIRED


def test_what_returns_from_a_hold_pays_the_debt_first() -> None:
    it, held = account(held=30, debt=12), open_hold(5, -10, 9, -20)
    after = moved(it, holds.void(it, held, today=TODAY))
    assert (after.balance, after.debt, after.lots) == (18, 0, [9, 18])


@pytest.mark.parametrize("state", [HoldState.CAPTURED, HoldState.VOIDED, HoldState.EXPIRED, None])
def test_a_hold_ends_once(state: HoldState | None) -> None:
    held: Hold | None = open_hold(5, -30, state=state) if state else None
    with pytest.raises(refusals.HoldNotOpen):
        holds.capture(account(), line(Kind.CAPTURE), held, today=TODAY)
    with pytest.raises(refusals.HoldNotOpen):
        holds.void(account(), held, today=TODAY)


def test_reversing_an_earning_takes_its_own_days_lot_first() -> None:
    it = account(5, 10, 10, 50)
    movement = reversals.reverse(it, line(Kind.REVERSE, 0), earned(50), today=TODAY)
    assert (movement.amount, movement.moves, movement.reversed, movement.reverses) == (-50, [10, -50], 50, 1)
    assert moved(it, movement).lots == [5, 10]


def test_reversing_an_earning_takes_its_own_days_lot_first_even_if_earning_merged_others() -> None:
    it = account(5, 10, 7, 50)
    merged = Original(1, Kind.EARN, 30, 0, [4, -10, 5, 10, 7, 30])
    assert reversals.reverse(it, line(Kind.REVERSE, 0), merged, today=TODAY).moves == [7, -30]


def test_reversing_an_earning_that_was_partly_spent_takes_the_soonest_then() -> None:
    it = account(5, 10, 10, 20, 30, 40)
    assert reversals.reverse(it, line(Kind.REVERSE, 0), earned(50), today=TODAY).moves == [10, -20, 5, -10, 30, -20]


def test_reversing_what_was_spent_becomes_debt_where_the_asset_allows_it() -> None:
    it = account(5, 10)
    movement = reversals.reverse(it, line(Kind.REVERSE, 0, debt_allowed=True), earned(50), today=TODAY)
    assert (movement.amount, movement.meta) == (-50, None)
    after = moved(it, movement)
    assert (after.balance, after.debt, after.available, after.lots) == (-40, 40, 0, [])


def test_reversing_what_was_spent_says_what_stays_uncollected_where_it_may_not_become_debt() -> None:
    it = account(5, 10)
    movement = reversals.reverse(it, line(Kind.REVERSE, 0), earned(50), today=TODAY)
    assert (movement.amount, movement.reversed, movement.meta) == (-10, 50, {"uncollected": 40})
    after = moved(it, movement)
    assert (after.balance, after.debt) == (0, 0)


def test_reversing_an_earning_leaves_what_is_held_alone() -> None:
    it = account(held=50)
    assert (
        moved(it, reversals.reverse(it, line(Kind.REVERSE, 0, debt_allowed=True), earned(50), today=TODAY)).held == 50
    )
    assert (it.balance, it.debt) == (0, 50)


def test_reversing_a_spending_gives_its_own_lots_back() -> None:
    it = account(20, 5)
    movement = reversals.reverse(it, line(Kind.REVERSE, 0), spent(10, -30, 20, -20), today=TODAY)
    assert (movement.amount, movement.moves) == (50, [10, 30, 20, 20])
    assert moved(it, movement).lots == [10, 30, 20, 25]


def test_reversing_a_capture_gives_the_holds_lots_back() -> None:
    it = account()
    movement = reversals.reverse(it, line(Kind.REVERSE, 0), spent(10, -30, 20, -20, kind=Kind.CAPTURE), today=TODAY)
    assert moved(it, movement).lots == [10, 30, 20, 20]


def test_reversing_a_spending_in_parts_gives_the_latest_taken_back_first() -> None:
    it = account()
    first = reversals.reverse(it, line(Kind.REVERSE, 25), spent(10, -30, 20, -20), today=TODAY)
    assert first.moves == [10, 5, 20, 20]
    rest = reversals.reverse(it, line(Kind.REVERSE, 0), spent(10, -30, 20, -20, reversed_=25), today=TODAY)
    assert (rest.amount, rest.moves) == (25, [10, 25])


def test_reversing_a_spending_pays_the_debt_first() -> None:
    it = account(debt=35)
    after = moved(it, reversals.reverse(it, line(Kind.REVERSE, 0), spent(10, -30, 20, -20), today=TODAY))
    assert (after.debt, after.lots) == (0, [20, 15])


@pytest.mark.parametrize(("reversed_", "amount"), [(0, 51), (20, 31), (50, 1), (50, 0)])
def test_reversals_together_never_exceed_the_original(reversed_: int, amount: int) -> None:
    for original in (earned(50, reversed_=reversed_), spent(10, -50, reversed_=reversed_)):
        it = account(10, 500)
        with pytest.raises(refusals.ReversalExceeded):
            reversals.reverse(it, line(Kind.REVERSE, amount, debt_allowed=True), original, today=TODAY)
        assert it.lots == [10, 500]


@pytest.mark.parametrize("kind", [Kind.HOLD, Kind.VOID, Kind.EXPIRE, Kind.HOLD_EXPIRED, Kind.REVERSE])
def test_only_earn_spend_and_capture_can_be_reversed(kind: Kind) -> None:
    with pytest.raises(refusals.NotReversible):
        reversals.reverse(account(), line(Kind.REVERSE, 1), Original(1, kind, 50, 0, [10, 50]), today=TODAY)


def test_what_was_never_posted_cannot_be_reversed() -> None:
    with pytest.raises(refusals.NotReversible):
        reversals.reverse(account(), line(Kind.REVERSE, 1), None, today=TODAY)


def test_giving_back_a_spending_may_not_lift_the_balance_out_of_range_either() -> None:
    it = account(10, LARGEST - 4)
    with pytest.raises(refusals.BalanceTooLarge):
        reversals.reverse(it, line(Kind.REVERSE, 5), spent(10, -50), today=TODAY)
    assert moved(it, reversals.reverse(it, line(Kind.REVERSE, 4), spent(10, -50), today=TODAY)).balance == LARGEST


def test_debt_may_not_sink_the_balance_out_of_range_either() -> None:
    it = account(debt=LARGEST - 4)
    with pytest.raises(refusals.BalanceTooLarge):
        reversals.reverse(it, line(Kind.REVERSE, 5, debt_allowed=True), earned(50), today=TODAY)
    assert (
        moved(it, reversals.reverse(it, line(Kind.REVERSE, 4, debt_allowed=True), earned(50), today=TODAY)).balance
        == -LARGEST
    )


def test_dead_lots_expire_and_the_rest_stays() -> None:
    it = account(5, 10, 9, 40, 10, 1)
    movement = movements.expire_lots(it, last_dead_day=9)
    assert movement is not None
    assert (movement.kind, movement.amount, movement.moves) == (Kind.EXPIRE, -50, [5, -10, 9, -40])
    assert moved(it, movement).lots == [10, 1]
    assert movements.expire_lots(it, last_dead_day=9) is None


def test_every_refusal_leaves_the_account_as_it_was() -> None:
    it, held = account(5, 10, held=20), open_hold(3, -20)
    attempts = [
        (refusals.InsufficientPoints, lambda: movements.spend(it, line(Kind.SPEND, 11))),
        (refusals.InsufficientPoints, lambda: holds.hold(it, line(Kind.HOLD, 11), now_us=NOW)),
        (refusals.HoldExceeded, lambda: holds.capture(it, line(Kind.CAPTURE, 21), held, today=TODAY)),
        (refusals.HoldNotOpen, lambda: holds.void(it, None, today=TODAY)),
        (refusals.NotReversible, lambda: reversals.reverse(it, line(Kind.REVERSE, 1), None, today=TODAY)),
        (refusals.ReversalExceeded, lambda: reversals.reverse(it, line(Kind.REVERSE, 51), earned(50), today=TODAY)),
        (refusals.BalanceTooLarge, lambda: movements.earn(it, line(Kind.EARN, LARGEST))),
    ]
    for refusal, attempt in attempts:
        with pytest.raises(refusal):
            attempt()
    assert it == account(5, 10, held=20)
    assert held == open_hold(3, -20)
