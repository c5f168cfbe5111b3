"""Laws of pending earnings, of freezing, of gifts and of idleness, on the fold alone."""

from datetime import timedelta
from typing import Any

import pytest

from common.clock import epoch_us, from_epoch_us
from services.points.ledger import lots
from services.points.ledger.domain import Gift, HoldState, Kind, Line, Pending, Status
from services.points.ledger.settling import lot_end_us
from services.points.programs.validity import IDLE, NEVER
from tests.ledger import DAY, HOUR, NOON, NOW, TODAY, ZONE, Shelf, digest, line

MINE, THEIRS = (1, 7, 1), (1, 8, 1)


def pending(amount: int, key: str = "p", *, wait_us: int = 7 * DAY, **given: Any) -> Line:
    """An earning that becomes available after `wait_us`, then good for ten days."""
    given = {"lot_day": TODAY + 17, "pending": Pending(NOW + wait_us, "10D"), **given}
    return line(Kind.EARN, amount, key, **given)


def gift(amount: int, key: str = "g", to: int = 8, **bounds: Any) -> Line:
    terms = {"allowed": True, **bounds}
    return line(Kind.TRANSFER_OUT, amount, key, gift=Gift(to, **terms))


def post(shelf: Shelf, *lines: Line, at: int = NOW) -> list[Status]:
    return [outcome.status for outcome in shelf.post(*lines, at=at)]


def figures(shelf: Shelf, key: tuple[int, int, int] = MINE) -> tuple[int, int, int, int]:
    it = shelf.accounts[key]
    return it.balance, it.available, it.held, it.debt


def test_a_pending_earning_counts_in_the_balance_and_cannot_be_spent() -> None:
    shelf = Shelf()
    (answer,) = shelf.post(pending(128))
    assert (answer.status, answer.amount, answer.balance, answer.available, answer.held) == (1, 128, 128, 0, 128)
    assert answer.hold_id == digest("p")
    (entry,) = shelf.entries
    assert (entry.kind, entry.amount, entry.held_delta, entry.moves) == (Kind.EARN, 128, 128, [])
    assert entry.meta == {"available_at": (NOON + timedelta(days=7)).isoformat(), "validity": "10D"}
    assert post(shelf, line(Kind.SPEND, 1, "s")) == [Status.INSUFFICIENT]


def test_it_becomes_available_at_its_instant_and_not_before() -> None:
    shelf = Shelf()
    post(shelf, pending(128))
    assert post(shelf, line(Kind.SPEND, 1, "s"), at=NOW + 7 * DAY - 1) == [Status.INSUFFICIENT]
    assert post(shelf, line(Kind.SPEND, 28, "t"), at=NOW + 7 * DAY) == [Status.POSTED]
    release = shelf.entries[1]
    assert (release.kind, release.amount, release.held_delta, release.cause) == (Kind.RELEASE, 0, -128, "time")
    assert (release.moves, release.hold_id) == ([TODAY + 17, 128], digest("p"))
    assert shelf.holds[1, digest("p")].state == HoldState.RELEASED


def test_an_earning_whose_instant_is_past_is_available_at_once() -> None:
    shelf = Shelf()
    post(shelf, pending(50, wait_us=0))
    assert figures(shelf) == (50, 50, 0, 0)
    assert (shelf.entries[0].hold_id, shelf.holds) == (None, {})


def test_debt_is_paid_when_it_becomes_available() -> None:
    shelf = Shelf()
    post(shelf, line(Kind.EARN, 30, "e"), line(Kind.SPEND, 30, "s"))
    post(shelf, line(Kind.REVERSE, 0, "r", reverses_posting=digest("e"), debt_allowed=True), pending(50))
    assert figures(shelf) == (20, 0, 50, 30)
    shelf.post(touch=[MINE], at=NOW + 7 * DAY)
    assert figures(shelf) == (20, 20, 0, 0)


def test_a_refund_takes_from_the_pending_part_and_the_rest_is_released() -> None:
    shelf = Shelf()
    post(shelf, pending(128), line(Kind.EARN, 5, "e"))
    assert post(shelf, line(Kind.REVERSE, 28, "r", reverses_posting=digest("p"))) == [Status.POSTED]
    entry = shelf.entries[-1]
    assert (entry.amount, entry.held_delta, entry.moves, entry.reversed) == (-28, -28, [], 28)
    assert figures(shelf) == (105, 5, 100, 0)
    shelf.post(touch=[MINE], at=NOW + 7 * DAY)
    assert figures(shelf) == (105, 105, 0, 0)
    assert post(shelf, line(Kind.REVERSE, 101, "x", reverses_posting=digest("p")), at=NOW + 8 * DAY) == [
        Status.REVERSAL_EXCEEDED
    ]
    assert post(shelf, line(Kind.REVERSE, 100, "y", reverses_posting=digest("p")), at=NOW + 8 * DAY) == [Status.POSTED]
    assert shelf.entries[-1].moves == [TODAY + 17, -100]


def test_a_pending_earning_that_is_taken_back_wholly_has_ended() -> None:
    shelf = Shelf()
    post(shelf, pending(50), line(Kind.REVERSE, 20, "a", reverses_posting=digest("p")))
    post(shelf, line(Kind.REVERSE, 0, "b", reverses_posting=digest("p")))
    held = shelf.holds[1, digest("p")]
    assert (held.state, held.captured, figures(shelf)) == (HoldState.CAPTURED, 50, (0, 0, 0, 0))
    shelf.post(touch=[MINE], at=NOW + 7 * DAY)
    assert [entry.kind for entry in shelf.entries] == [Kind.EARN, Kind.REVERSE, Kind.REVERSE]
    assert post(shelf, line(Kind.DEFER, 0, "d", hold_id=digest("p"), pending=Pending(NOW, ""))) == [Status.NOT_PENDING]


@pytest.mark.parametrize("wait_us", [HOUR, 30 * DAY])
def test_deferring_moves_the_instant_and_the_day_until_which_it_is_good(wait_us: int) -> None:
    shelf = Shelf()
    post(shelf, pending(50))
    later = line(Kind.DEFER, 0, "d", hold_id=digest("p"), pending=Pending(NOW + wait_us, ""))
    assert post(shelf, later) == [Status.POSTED]
    assert shelf.entries[-1].meta == {"available_at": from_epoch_us(NOW + wait_us).isoformat()}
    assert post(shelf, line(Kind.SPEND, 1, "s"), at=NOW + wait_us - 1) == [Status.INSUFFICIENT]
    assert post(shelf, line(Kind.SPEND, 50, "t"), at=NOW + wait_us) == [Status.POSTED]
    assert shelf.entries[-2].moves == [TODAY + wait_us // DAY + 10, 50]


def test_deferring_to_the_past_makes_it_available_now() -> None:
    shelf = Shelf()
    post(shelf, pending(50), line(Kind.DEFER, 0, "d", hold_id=digest("p"), pending=Pending(NOW - DAY, "")))
    assert figures(shelf) == (50, 50, 0, 0)


def test_nobody_captures_or_voids_what_is_pending_nor_defers_what_is_not() -> None:
    shelf = Shelf()
    post(shelf, line(Kind.EARN, 50, "e"), line(Kind.HOLD, 20, "h"), pending(50))
    taken = [line(kind, 0, f"{kind}", hold_id=digest("p")) for kind in (Kind.CAPTURE, Kind.VOID)]
    assert post(shelf, *taken) == [Status.HOLD_IS_PENDING] * 2
    deferred = [
        line(Kind.DEFER, 0, f"d{name}", hold_id=digest(name), pending=Pending(NOW, ""))
        for name in ("h", "e", "nothing")
    ]
    assert post(shelf, *deferred) == [Status.NOT_PENDING] * 3
    theirs = line(Kind.DEFER, 0, "o", member_id=8, hold_id=digest("p"), pending=Pending(NOW, ""))
    assert post(shelf, theirs) == [Status.NOT_PENDING]
    assert figures(shelf) == (100, 30, 70, 0)


def test_up_to_takes_what_is_left_and_is_refused_only_when_nothing_is() -> None:
    shelf = Shelf()
    post(shelf, line(Kind.EARN, 50, "e"), line(Kind.REVERSE, 20, "a", reverses_posting=digest("e")))
    more = [line(Kind.REVERSE, 40, key, reverses_posting=digest("e"), up_to=True) for key in ("b", "c")]
    assert post(shelf, *more) == [Status.POSTED, Status.REVERSAL_EXCEEDED]
    assert (shelf.entries[-1].amount, shelf.entries[-1].reversed) == (-30, 30)


def test_a_frozen_account_gives_nothing_and_everything_else_goes_on() -> None:
    shelf = Shelf()
    post(shelf, line(Kind.EARN, 100, "e"), line(Kind.SPEND, 10, "s"), line(Kind.HOLD, 20, "h"), line(Kind.HOLD, 5, "i"))
    assert post(shelf, line(Kind.FREEZE, 0, "f"), line(Kind.FREEZE, 0, "f2")) == [Status.POSTED, Status.ALREADY_FROZEN]
    refused = [line(Kind.SPEND, 1, "x"), line(Kind.HOLD, 1, "y"), gift(1)]
    assert post(shelf, *refused) == [Status.ACCOUNT_FROZEN] * 3
    assert (
        post(
            shelf,
            line(Kind.EARN, 7, "e2"),
            line(Kind.CAPTURE, 20, "c", hold_id=digest("h")),
            line(Kind.VOID, 0, "v", hold_id=digest("i")),
            line(Kind.REVERSE, 10, "r", reverses_posting=digest("s")),
        )
        == [Status.POSTED] * 4
    )
    assert figures(shelf) == (87, 87, 0, 0)
    assert post(shelf, line(Kind.UNFREEZE, 0, "u"), line(Kind.UNFREEZE, 0, "u2")) == [Status.POSTED, Status.NOT_FROZEN]
    assert post(shelf, line(Kind.SPEND, 87, "z")) == [Status.POSTED]


def test_a_gift_is_two_entries_of_one_posting_and_lots_keep_their_days() -> None:
    shelf = Shelf()
    post(shelf, line(Kind.EARN, 30, "a", lot_day=TODAY + 1), line(Kind.EARN, 30, "b", lot_day=TODAY + 9))
    (answer,) = shelf.post(gift(40))
    assert (answer.member_id, answer.amount, answer.balance) == (7, -40, 20)
    into, out = shelf.entries[-2:]
    assert (into.kind, into.member_id, into.amount, into.moves) == (
        Kind.TRANSFER_IN,
        8,
        40,
        [TODAY + 1, 30, TODAY + 9, 10],
    )
    assert (out.kind, out.member_id, out.amount, out.moves) == (
        Kind.TRANSFER_OUT,
        7,
        -40,
        [TODAY + 1, -30, TODAY + 9, -10],
    )
    assert into.posting_id == out.posting_id == digest("g")
    assert (into.meta, out.meta) == ({"from_member_id": 7}, {"to_member_id": 8})
    assert shelf.accounts[THEIRS].due_us == lot_end_us(TODAY + 1, ZONE)


def test_a_gift_pays_the_receivers_debt_first() -> None:
    shelf = Shelf()
    post(shelf, line(Kind.EARN, 30, "a"), line(Kind.EARN, 30, "b", member_id=8), line(Kind.SPEND, 30, "s", member_id=8))
    post(shelf, line(Kind.REVERSE, 0, "r", member_id=8, reverses_posting=digest("b"), debt_allowed=True))
    post(shelf, gift(25))
    assert (figures(shelf), figures(shelf, THEIRS)) == ((5, 5, 0, 0), (-5, 0, 0, 5))


@pytest.mark.parametrize(
    ("wanted", "status"),
    [
        (gift(1, to=7), Status.TRANSFER_TO_SELF),
        (gift(1, allowed=False), Status.TRANSFER_FORBIDDEN),
        (gift(11, most=10), Status.TRANSFER_CAPPED),
        (gift(10, most=10), Status.POSTED),
        (gift(31, most_per_day=30), Status.TRANSFER_DAY_CAPPED),
        (gift(30, most_per_day=30), Status.POSTED),
        (gift(51), Status.INSUFFICIENT),
        (gift(50), Status.POSTED),
    ],
)
def test_a_gift_has_its_bounds(wanted: Line, status: Status) -> None:
    shelf = Shelf()
    post(shelf, line(Kind.EARN, 50, "e"))
    assert post(shelf, wanted) == [status]
    assert sum(entry.amount for entry in shelf.entries) == 50


def test_a_days_gifts_are_counted_by_the_programs_day_and_within_one_list_too() -> None:
    shelf = Shelf()
    post(shelf, line(Kind.EARN, 100, "e"))
    gifts = [gift(20, f"g{number}", most_per_day=50) for number in range(3)]
    assert post(shelf, *gifts) == [Status.POSTED, Status.POSTED, Status.TRANSFER_DAY_CAPPED]
    end = lot_end_us(TODAY, ZONE)
    assert post(shelf, gift(20, "late", most_per_day=50), at=end - 1) == [Status.TRANSFER_DAY_CAPPED]
    assert post(shelf, gift(20, "next", most_per_day=50), at=end) == [Status.POSTED]


def test_a_gift_that_the_receiver_cannot_count_leaves_both_as_they_were() -> None:
    shelf = Shelf()
    post(shelf, line(Kind.EARN, 2**53 - 1, "rich", member_id=8), line(Kind.EARN, 5, "e"))
    assert post(shelf, gift(1)) == [Status.BALANCE_TOO_LARGE]
    assert figures(shelf) == (5, 5, 0, 0)


def idle(kind: Kind, amount: int, key: str, *, until: int, **given: Any) -> Line:
    more = {"lot_day": IDLE} if kind == Kind.EARN else {}
    return line(kind, amount, key, idle_day=until, **{**more, **given})


def test_what_lives_until_its_account_is_idle_lives_on_with_every_earn_and_spend() -> None:
    shelf = Shelf()
    post(shelf, idle(Kind.EARN, 50, "a", until=TODAY + 5))
    post(shelf, idle(Kind.SPEND, 1, "s", until=TODAY + 9), at=NOW + 4 * DAY)
    assert post(shelf, line(Kind.HOLD, 1, "h"), at=lot_end_us(TODAY + 9, ZONE) - 1) == [Status.POSTED]
    shelf.post(touch=[MINE], at=lot_end_us(TODAY + 9, ZONE))
    assert shelf.entries[-1].moves == [IDLE, -48]
    assert figures(shelf) == (1, 0, 1, 0)


def test_a_gift_is_an_activity_of_who_gives_and_of_who_gets() -> None:
    shelf = Shelf()
    for member in (7, 8):
        post(shelf, idle(Kind.EARN, 50, f"e{member}", until=TODAY + 5, member_id=member))
    assert post(shelf, idle(Kind.TRANSFER_OUT, 10, "g", until=TODAY + 9, gift=Gift(8, allowed=True))) == [Status.POSTED]
    assert [shelf.accounts[key].idle_day for key in (MINE, THEIRS)] == [TODAY + 9, TODAY + 9]
    shelf.post(touch=[MINE, THEIRS], at=lot_end_us(TODAY + 9, ZONE) - 1)
    assert (figures(shelf)[0], figures(shelf, THEIRS)[0]) == (40, 60)
    shelf.post(touch=[MINE, THEIRS], at=lot_end_us(TODAY + 9, ZONE))
    assert (figures(shelf)[0], figures(shelf, THEIRS)[0]) == (0, 0)


def test_a_backdated_activity_never_shortens_the_life() -> None:
    shelf = Shelf()
    post(shelf, idle(Kind.EARN, 50, "a", until=TODAY + 5), idle(Kind.EARN, 1, "b", until=TODAY - 3))
    assert (shelf.accounts[MINE].idle_day, shelf.accounts[MINE].balance) == (TODAY + 5, 51)


def test_lots_with_a_day_of_their_own_die_on_it_beside_those_of_an_idle_account() -> None:
    shelf = Shelf()
    post(shelf, idle(Kind.EARN, 50, "a", until=TODAY + 5), idle(Kind.EARN, 7, "b", until=TODAY + 5, lot_day=TODAY))
    shelf.post(touch=[MINE], at=NOW + DAY)
    assert (shelf.entries[-1].moves, shelf.accounts[MINE].due_us) == ([TODAY, -7], lot_end_us(TODAY + 5, ZONE))


def test_a_release_does_not_wake_what_had_fallen_idle_before_it_whenever_it_is_noticed() -> None:
    waits = {"lot_day": IDLE, "pending": Pending(NOW + 7 * DAY, "idle:5D"), "idle_day": TODAY + 5}
    for touches in ([], [NOW + 6 * DAY]):
        shelf = Shelf()
        post(shelf, idle(Kind.EARN, 50, "a", until=TODAY + 5), line(Kind.EARN, 20, "p", **waits))
        for at in [*touches, NOW + 8 * DAY]:
            shelf.post(touch=[MINE], at=at)
        assert figures(shelf) == (20, 20, 0, 0)
        assert shelf.accounts[MINE].idle_day == TODAY + 12


def test_a_gift_of_an_idle_asset_lives_with_its_new_owner() -> None:
    shelf = Shelf()
    post(shelf, idle(Kind.EARN, 50, "a", until=TODAY + 5), gift(20))
    assert (shelf.accounts[THEIRS].lots, shelf.accounts[THEIRS].idle_day) == ([IDLE, 20], TODAY + 5)


@pytest.mark.parametrize(("grace_days", "left"), [(0, 0), (1, 50), (3, 50)])
def test_what_a_hold_gives_back_dead_lives_for_the_grace(grace_days: int, left: int) -> None:
    shelf = Shelf()
    held = line(Kind.HOLD, 50, "h", ttl_us=3 * DAY, grace_days=grace_days)
    post(shelf, line(Kind.EARN, 50, "a", lot_day=TODAY), held)
    shelf.post(touch=[MINE], at=NOW + 3 * DAY)
    assert figures(shelf)[1] == left
    if left:
        assert shelf.accounts[MINE].lots == [TODAY + 3 + grace_days, 50]
    shelf.post(touch=[MINE], at=lot_end_us(TODAY + 3 + grace_days, ZONE))
    assert figures(shelf)[1] == 0


def test_grace_counts_from_the_deadline_however_late_it_is_noticed_and_lots_alive_get_none() -> None:
    shelf = Shelf()
    held = line(Kind.HOLD, 60, "h", ttl_us=3 * DAY, grace_days=2)
    post(shelf, line(Kind.EARN, 50, "a", lot_day=TODAY), line(Kind.EARN, 10, "b", lot_day=TODAY + 9), held)
    shelf.post(touch=[MINE], at=NOW + 8 * DAY)
    assert shelf.accounts[MINE].lots == [TODAY + 9, 10]


def test_a_spending_given_back_dead_gets_the_grace_too() -> None:
    shelf = Shelf()
    post(shelf, line(Kind.EARN, 50, "a", lot_day=TODAY), line(Kind.SPEND, 50, "s"))
    post(shelf, line(Kind.REVERSE, 30, "r", reverses_posting=digest("s"), grace_days=2), at=NOW + 4 * DAY)
    assert shelf.accounts[MINE].lots == [TODAY + 6, 30]


def test_dated_buckets_are_sorted_and_merged() -> None:
    assert lots.dated([5, 1, IDLE, 2, NEVER, 3], 9) == [5, 1, 9, 2, NEVER, 3]
    assert lots.dated([5, 1, 9, 4, IDLE, 2], 5) == [5, 3, 9, 4]
    assert lots.dated([5, 1], None) == [5, 1]


def test_instants_survive_their_text() -> None:
    assert epoch_us(from_epoch_us(NOW + 1)) == NOW + 1
