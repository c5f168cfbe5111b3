"""Laws of memberships: a backdated event meets the tier and the lists of its own time."""

from datetime import UTC, datetime, timedelta

import pytest

from services.points.audiences.domain import (
    NOBODY,
    AddedAndRemoved,
    History,
    Membership,
    Stay,
    check_apart,
    membership_at,
    memberships_at,
)

NOON = datetime(2026, 5, 3, 4, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_a_member_has_the_tier_of_the_last_change_not_later() -> None:
    history = History([(NOON, "silver", "gold"), (NOON + HOUR, "gold", None)])
    seen = [membership_at(history, NOON + HOUR * hours / 2).tier for hours in range(-1, 4)]
    assert seen == ["silver", "gold", "gold", None, None]


def test_of_two_changes_at_one_instant_the_later_fact_holds() -> None:
    assert membership_at(History([(NOON, None, "a"), (NOON, "a", "b")]), NOON).tier == "b"


def test_a_stay_counts_from_its_first_instant_until_right_before_its_last() -> None:
    history = History([], [Stay("tags", "vip", NOON, NOON + HOUR), Stay("segments", "s", NOON)])
    tick = timedelta(microseconds=1)
    assert membership_at(history, NOON - tick) is NOBODY
    assert membership_at(history, NOON) == Membership(None, frozenset({"vip"}), frozenset({"s"}))
    assert membership_at(history, NOON + HOUR - tick).tags == {"vip"}
    assert membership_at(history, NOON + HOUR) == Membership(None, frozenset(), frozenset({"s"}))


def test_everybody_asked_about_gets_an_answer_for_every_instant() -> None:
    found = memberships_at({7: History([(NOON, None, "gold")])}, {7: [NOON, NOON - HOUR], 8: [NOON]})
    assert found == {(7, NOON): Membership("gold"), (7, NOON - HOUR): NOBODY, (8, NOON): NOBODY}


def test_nobody_is_added_and_removed_at_once() -> None:
    check_apart([1, 2], [3])
    with pytest.raises(AddedAndRemoved) as refusal:
        check_apart([5, 1, 2], [2, 3, 5])
    assert refusal.value.facts == {"member_id": 2}
