"""T18: a late callback takes an ended order back, or breaks on it (litemall #271 #91, yudao #1152).

States move by guarded updates along one direction; what comes late finds the order as it is.
"""

# ruff: noqa: F811 - fixtures are asked for by name

from typing import Any

import pytest

from services.redemption.database import transaction
from services.redemption.orders import jobs, saga, use_cases
from services.redemption.orders.domain import Order, State
from tests.redemption import ORDERS, Mall, mall, redemption, redemption_migrated  # noqa: F401 - fixtures


def late_copy(mall: Mall, state: str) -> Order:
    """An order of member 7 as a driver remembers it who fell asleep while it was held; it has ended since."""
    mall.put_item()
    mall.points.fail("capture", "drop", times=4)
    assert mall.redeem().status_code == 503
    with transaction() as session:
        (order,) = use_cases.list_orders(session, program_id=1, member_id=7, after=None, limit=1, state=None)
    if state == "refused":
        mall.clock.move(minutes=10)
    jobs.recover_orders()
    if state == "cancelled":
        assert mall.cancel(str(order.order_id)).status_code == 200
    if state == "fulfilled":
        assert mall.desk.post(f"{ORDERS}/{order.order_id}/fulfilment", {}, key="f").status_code == 200
    assert mall.show(str(order.order_id))["state"] == state
    return order


@pytest.mark.parametrize("state", ["completed", "cancelled", "fulfilled", "refused"])
def test_a_driver_that_slept_changes_nothing(mall: Mall, state: str) -> None:
    order = late_copy(mall, state)
    before: Any = (mall.points.available(7), mall.stock(), mall.facts(), mall.show(str(order.order_id)))
    assert order.state == State.HELD
    assert saga.drive(order).state == state
    after = (mall.points.available(7), mall.stock(), mall.facts(), mall.show(str(order.order_id)))
    assert after == before
    mall.assert_settled()


def test_a_double_click_is_one_order(mall: Mall) -> None:
    mall.put_item()
    assert mall.redeem().json == mall.redeem().json
    assert mall.points.available(7) == 900
