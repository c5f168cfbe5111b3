"""The process dies between any two effects of a saga, for every such place; what is left ends as one story.

The places are found by running the saga once: every commit and every call to points has one before and one behind it.
"""

from collections.abc import Callable

import pytest

from services.redemption.orders import jobs
from tests.redemption import Boundaries, Killed, Mall

REDEEM = [
    *("before commit", "after commit"),
    *("before hold", "after hold", "before commit", "after commit"),
    *("before capture", "after capture", "before commit", "after commit"),
]
CANCEL = [
    *("before commit", "after commit"),
    *("before reverse", "after reverse", "before commit", "after commit"),
]
LEASE = DECIDE = COMMIT = ["before commit", "after commit"]
HOLD = ["before hold", "after hold", *COMMIT]
#: What giving up passes, by the place of REDEEM where the order was left. The last commit finds nothing more due.
GIVE_UP = {
    3: [*LEASE, *DECIDE, *HOLD, "before void", "after void", *COMMIT, *COMMIT],
    4: [*LEASE, *DECIDE, *HOLD, "before void", "after void", *COMMIT, *COMMIT],
    7: [*LEASE, *DECIDE, "before void", "after void", *COMMIT, *COMMIT],
    8: [*LEASE, *DECIDE, "before void", "before capture", "after capture", *COMMIT, *COMMIT],
}


def every(places: list[str]) -> pytest.MarkDecorator:
    """A test per place."""
    names = [f"{number}-{name.replace(' ', '-')}" for number, name in enumerate(places, 1)]
    return pytest.mark.parametrize("place", range(1, len(places) + 1), ids=names)


def by_recovery(mall: Mall) -> None:
    """Nobody comes back; the recovery finds the order."""
    mall.recover()


def by_the_member(mall: Mall) -> None:
    """The member sends the same request again."""
    assert mall.redeem().status_code == 201


def die(boundaries: Boundaries, place: int, act: Callable[[], object]) -> None:
    """Do something, and die at that place."""
    boundaries.passed.clear()
    boundaries.kill_at = place
    with pytest.raises(Killed):
        act()
    boundaries.kill_at = None


def test_these_are_all_the_places(mall: Mall, boundaries: Boundaries) -> None:
    mall.put_item()
    order_id = mall.redeem().json["order_id"]
    assert boundaries.passed == REDEEM
    boundaries.passed.clear()
    mall.cancel(order_id)
    assert boundaries.passed == CANCEL


@pytest.mark.parametrize("left_at", GIVE_UP)
def test_these_are_all_the_places_of_giving_up(mall: Mall, boundaries: Boundaries, left_at: int) -> None:
    mall.put_item()
    die(boundaries, left_at, mall.redeem)
    mall.clock.move(minutes=10)
    boundaries.passed.clear()
    jobs.recover_orders()
    assert boundaries.passed == GIVE_UP[left_at]


@every(REDEEM)
@pytest.mark.parametrize("way_out", [by_recovery, by_the_member])
def test_dying_while_redeeming(mall: Mall, boundaries: Boundaries, place: int, way_out: Callable[[Mall], None]) -> None:
    mall.put_item(per_member_limit=1)
    die(boundaries, place, mall.redeem)
    way_out(mall)
    mall.assert_settled()
    never_began = place == 1 and way_out is by_recovery
    assert mall.stock()["sold"] == (0 if never_began else 1)
    assert mall.redeem().status_code == 201
    assert mall.points.available(7) == 900
    mall.assert_settled()


@every(CANCEL)
def test_dying_while_cancelling(mall: Mall, boundaries: Boundaries, place: int) -> None:
    mall.put_item(per_member_limit=1)
    order_id = mall.redeem().json["order_id"]
    die(boundaries, place, lambda: mall.cancel(order_id))
    mall.recover()
    mall.assert_settled()
    assert mall.show(order_id)["state"] == ("completed" if place == 1 else "cancelled")
    assert mall.cancel(order_id).json["state"] == "cancelled"
    assert (mall.points.available(7), mall.stock()["available"]) == (1000, 10)
    mall.assert_settled()


@pytest.mark.parametrize(
    ("left_at", "place"),
    [(left_at, place) for left_at, places in GIVE_UP.items() for place in range(1, len(places) + 1)],
)
def test_dying_while_giving_up(mall: Mall, boundaries: Boundaries, left_at: int, place: int) -> None:
    mall.put_item(per_member_limit=1)
    die(boundaries, left_at, mall.redeem)
    mall.clock.move(minutes=10)
    die(boundaries, place, jobs.recover_orders)
    mall.recover()
    mall.assert_settled()
    taken = left_at == 8  # points had taken the price before the process died: then the order stands
    assert mall.points.available(7) == (900 if taken else 1000)
    assert mall.stock()["sold"] == taken
