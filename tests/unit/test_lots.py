"""Laws of lots: buckets by last day, taken soonest expiry first, stretched into parts that sum to the whole."""

import pytest

from services.points.ledger import lots
from services.points.programs.validity import NEVER


def full(first: int = 100, step: int = 2) -> list[int]:
    """As many buckets as there may be, ten each, on every second day."""
    return [number for place in range(lots.MOST_BUCKETS) for number in (first + step * place, 10)]


def test_adding_keeps_days_sorted() -> None:
    buckets = [10, 5, 30, 5]
    assert lots.add(buckets, [20, 7]) == [20, 7]
    assert buckets == [10, 5, 20, 7, 30, 5]


def test_adding_to_a_day_that_is_there_makes_no_second_bucket() -> None:
    buckets = [10, 5]
    assert lots.add(buckets, [10, 7]) == [10, 7]
    assert buckets == [10, 12]


def test_what_never_expires_stands_last() -> None:
    buckets = [NEVER, 5]
    lots.add(buckets, [10, 1])
    assert buckets == [10, 1, NEVER, 5]


def test_taking_takes_the_soonest_expiry_first() -> None:
    buckets = [10, 5, 20, 7, NEVER, 9]
    assert lots.take(buckets, 8) == [10, -5, 20, -3]
    assert buckets == [20, 4, NEVER, 9]


def test_taking_all_leaves_no_empty_bucket() -> None:
    buckets = [10, 5, 20, 7]
    assert lots.take(buckets, 12) == [10, -5, 20, -7]
    assert buckets == []


def test_taking_exactly_one_bucket_removes_it_and_touches_no_other() -> None:
    buckets = [10, 5, 20, 7]
    assert lots.take(buckets, 5) == [10, -5]
    assert buckets == [20, 7]


def test_taking_nothing_moves_nothing() -> None:
    buckets = [10, 5]
    assert lots.take(buckets, 0) == []
    assert buckets == [10, 5]


def test_taking_from_a_day_prefers_it_and_then_the_soonest() -> None:
    buckets = [10, 5, 20, 7, 30, 9]
    assert lots.take_from(buckets, [20], 10) == [20, -7, 10, -3]
    assert buckets == [10, 2, 30, 9]


def test_taking_from_a_day_that_is_gone_falls_back_to_the_soonest() -> None:
    buckets = [10, 5, 30, 9]
    assert lots.take_from(buckets, [20], 6) == [10, -5, 30, -1]


def test_taking_from_days_takes_no_more_than_there_is() -> None:
    buckets = [10, 5, 20, 7]
    assert lots.take_from(buckets, [20], 100) == [20, -7, 10, -5]
    assert buckets == []


def test_taking_from_days_stops_when_there_is_enough() -> None:
    buckets = [10, 5, 20, 7]
    assert lots.take_from(buckets, [20, 10], 7) == [20, -7]
    assert buckets == [10, 5]


@pytest.mark.parametrize(("dead", "left"), [(9, [10, 5, 20, 7]), (10, [20, 7]), (19, [20, 7]), (20, []), (99, [])])
def test_a_day_is_dead_when_it_has_passed_wholly(dead: int, left: list[int]) -> None:
    buckets = [10, 5, 20, 7]
    moves = lots.take_dead(buckets, dead)
    assert buckets == left
    assert lots.total(buckets) - lots.total(moves) == 12


def test_the_ledgers_own_example_of_a_stretch() -> None:
    assert lots.stretch([1, -30, 2, -20], 20, 20) == [1, 10, 2, 10]


@pytest.mark.parametrize(
    ("start", "amount", "piece"),
    [
        (0, 0, []),
        (0, 30, [1, 30]),
        (30, 20, [2, 20]),
        (0, 50, [1, 30, 2, 20]),
        (29, 2, [1, 1, 2, 1]),
        (49, 1, [2, 1]),
        (50, 5, []),
        (0, 99, [1, 30, 2, 20]),
    ],
)
def test_a_stretch_is_a_slice_of_the_taking(start: int, amount: int, piece: list[int]) -> None:
    assert lots.stretch([1, -30, 2, -20], start, amount) == piece


def test_the_earliest_day_is_when_something_expires_next() -> None:
    assert lots.earliest([10, 5, 20, 7]) == 10
    assert lots.earliest([]) == NEVER
    assert lots.earliest([NEVER, 4]) == NEVER


def test_total_sums_amounts_and_no_days() -> None:
    assert lots.total([10, 5, 20, 7]) == 12
    assert lots.total([]) == 0


def test_there_are_never_more_than_64_buckets() -> None:
    buckets = full()
    lots.add(buckets, [101, 3])
    lots.add(buckets, [9999, 3])
    assert len(buckets) == 2 * lots.MOST_BUCKETS
    assert lots.total(buckets) == 646


def test_a_full_account_merges_into_the_later_day_so_that_nobody_loses_a_day() -> None:
    buckets = full()
    assert lots.add(buckets, [101, 3]) == [102, 3]
    assert buckets[2:4] == [102, 13]


def test_a_full_account_takes_a_later_day_by_merging_its_two_earliest_towards_the_later() -> None:
    buckets = full()
    done = lots.add(buckets, [9999, 3])
    assert done == [100, -10, 102, 10, 9999, 3]
    assert buckets[:2] == [102, 20]
    assert buckets[-2:] == [9999, 3]


def test_a_full_account_still_takes_more_of_a_day_it_has() -> None:
    buckets = full()
    assert lots.add(buckets, [100, 3]) == [100, 3]
    assert buckets[:2] == [100, 13]


def test_what_add_says_it_did_is_what_it_did() -> None:
    buckets = full()
    before = dict(lots.pairs(list(buckets)))
    done = lots.add(buckets, [9998, 1, 9999, 2])
    for day, amount in lots.pairs(done):
        before[day] = before.get(day, 0) + amount
    assert {day: amount for day, amount in before.items() if amount} == dict(lots.pairs(buckets))


def test_half_a_pair_is_no_lot() -> None:
    with pytest.raises(ValueError, match="zip"):
        list(lots.pairs([1, 2, 3]))
