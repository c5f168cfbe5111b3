"""Laws of budgets in slots: never more than the whole, every point of it, whoever draws."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.points.budgets.domain import SLOTS, Pot, Slot, SlotSpent, draw, parts, slot_of

MEMBERS = st.integers(1, 2**53 - 1)


def pot(whole: int) -> Pot:
    """A pot with all of its slots."""
    return Pot(whole, {number: Slot(share, 0) for number, share in enumerate(parts(whole))})


def used(it: Pot) -> int:
    """What all slots have given."""
    return sum(slot.used for slot in it.slots.values())


@given(st.integers(0, 2**53 - 1))
def test_the_shares_of_a_pot_sum_to_the_whole_and_differ_by_one(whole: int) -> None:
    shares = parts(whole)
    assert sum(shares) == whole
    assert len(shares) == SLOTS
    assert max(shares) - min(shares) <= 1


def test_members_are_spread_over_all_slots() -> None:
    for step in (1, 2, 8, 1000):
        counts = [0] * SLOTS
        for number in range(800):
            counts[slot_of(1 + number * step)] += 1
        assert min(counts) > 50, step


@given(st.integers(0, 1000), st.lists(st.tuples(MEMBERS, st.integers(-50, 300)), max_size=20))
def test_what_is_given_is_never_more_than_the_whole_and_all_of_it_can_be_had(
    whole: int, asked: list[tuple[int, int]]
) -> None:
    it, has = pot(whole), dict.fromkeys((member for member, _ in asked), 0)
    for member, amount in asked:
        amount = max(amount, -has[member])
        got, short = draw({("rule", "budget"): it}, "rule", ["budget"], member, amount)
        has[member] += got
        assert used(it) == sum(has.values()) <= whole
        assert (short == "budget") == (got < amount)
        assert got == amount or used(it) == whole
        assert all(slot.used <= slot.share for slot in it.slots.values())


def test_an_empty_slot_borrows_only_when_all_are_locked() -> None:
    own = slot_of(7)
    alone = Pot(80, {own: Slot(10, 4)})
    assert draw({("r", "budget"): alone}, "r", ["budget"], 7, 6) == (6, None)
    with pytest.raises(SlotSpent):
        draw({("r", "budget"): alone}, "r", ["budget"], 7, 1)
    whole = pot(80)
    assert draw({("r", "budget"): whole}, "r", ["budget"], 7, 75) == (75, None)
    assert draw({("r", "budget"): whole}, "r", ["budget"], 7, 75) == (5, "budget")


def test_the_pot_with_the_least_decides_and_all_give_the_same() -> None:
    pots = {("r", "budget"): pot(100), ("r", "day 2026-05-03"): pot(30)}
    assert draw(pots, "r", ["budget", "day 2026-05-03"], 7, 50) == (30, "day 2026-05-03")
    assert [used(it) for it in pots.values()] == [30, 30]
    assert draw(pots, "r", ["budget", "day 2026-05-03"], 7, -20) == (-20, None)
    assert [used(it) for it in pots.values()] == [10, 10]
    assert draw({}, "r", [], 7, 50) == (50, None)


@given(st.integers(0, 1000), st.lists(st.integers(-20, 100), min_size=SLOTS, max_size=SLOTS))
def test_levelling_shares_out_what_is_left_of_a_whole_that_may_have_changed(whole: int, spent: list[int]) -> None:
    it = Pot(5, {number: Slot(0, amount) for number, amount in enumerate(spent)})
    it.level(whole)
    assert it.whole == sum(slot.share for slot in it.slots.values()) == whole
    left = [slot.left for slot in it.slots.values()]
    assert max(left) - min(left) <= 1
    assert it.left == max(0, whole - sum(spent))
    assert it.changed == set(range(SLOTS))
