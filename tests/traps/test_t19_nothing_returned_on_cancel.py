"""T19: a cancelled order keeps the member's points, or the shop's stock (litemall PR#397).

Cancelling gives the whole price back by reversing the very posting that took it, with stock and limit, in one story.
"""

# ruff: noqa: F811 - fixtures are asked for by name

import pytest

from services.redemption.orders import jobs
from tests.redemption import Mall, mall, redemption, redemption_migrated  # noqa: F401 - fixtures


@pytest.mark.parametrize("fault", ["", "lose_reply", "drop", "unwell"])
def test_cancelling_returns_points_stock_and_limit_whatever_goes_wrong_on_the_way(mall: Mall, fault: str) -> None:
    mall.put_item(per_member_limit=3, price=33)
    order_id = mall.redeem(quantity=3).json["order_id"]
    ((posting_id, price),) = mall.rows("SELECT posting_id, price FROM redemption_orders")
    if fault:
        mall.points.fail("reverse", fault, times=4)
    assert mall.cancel(order_id).status_code == (503 if fault else 200)
    jobs.recover_orders()
    assert [(id_, posting.amount, posting.reversed) for id_, posting in mall.points.postings.items()] == [
        (posting_id, price, True)
    ]
    assert (mall.points.available(7), mall.stock()["available"]) == (1000, 10)
    assert mall.redeem(quantity=3, key="b").status_code == 201
    mall.assert_settled()


def test_the_parts_of_several_orders_return_one_by_one(mall: Mall) -> None:
    mall.put_item(price=7)
    orders = [mall.redeem(quantity=quantity, key=str(quantity)).json["order_id"] for quantity in (1, 2, 3)]
    returned = []
    for number, order_id in enumerate(orders):
        before = mall.points.available(7)
        mall.cancel(order_id, key=f"c{number}")
        returned.append(mall.points.available(7) - before)
    assert returned == [7, 14, 21]
    mall.assert_settled()
