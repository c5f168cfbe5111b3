"""T7: stock read, compared and written back sells one piece twice (mall #353 #185 #376, shopxo #38).

Reserving is one conditional statement, the constraint repeats it, a hold has an end, and points that were taken late
belong to an order that kept its stock.
"""

# ruff: noqa: F811 - fixtures are asked for by name

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy.exc import IntegrityError

from services.redemption.catalog import repository
from services.redemption.database import transaction
from services.redemption.orders import jobs
from tests.redemption import Mall, mall, redemption, redemption_migrated  # noqa: F401 - fixtures


def test_reserving_decides_by_what_is_there_now_not_by_what_was_read(mall: Mall) -> None:
    mall.put_item(stock=1)

    def reserve(_: int) -> bool:
        with transaction() as session:
            return repository.reserve(session, 1, "mug", 1)

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(reserve, range(16))) == [False] * 15 + [True]
    assert mall.stock() == {"total": 1, "reserved": 1, "sold": 0, "available": 0}


def test_a_statement_that_forgets_the_condition_is_stopped_by_the_database(mall: Mall) -> None:
    mall.put_item(stock=1)
    for statement in (repository.release, repository.take_back, repository.sell):
        with pytest.raises(IntegrityError, match="never_negative"), transaction() as session:
            statement(session, 1, "mug", 1)
    with pytest.raises(IntegrityError, match="stock_is_never_oversold"), transaction() as session:
        repository.release(session, 1, "mug", -2)


def test_points_taken_after_the_order_was_given_up_find_their_piece_still_reserved(mall: Mall) -> None:
    mall.put_item(stock=1)
    mall.points.give(8, 1000)
    mall.points.fail("capture", "lose_reply", times=4)
    assert mall.redeem(7).status_code == 503
    assert mall.redeem(8).json["code"] == "sold_out", "a piece in doubt is nobody else's"
    mall.clock.move(minutes=11)
    jobs.recover_orders()
    assert (mall.points.available(7), mall.stock()["sold"]) == (900, 1)
    mall.assert_settled()


def test_a_piece_whose_buyer_never_paid_can_be_bought_by_another(mall: Mall) -> None:
    mall.put_item(stock=1)
    mall.points.give(8, 1000)
    mall.points.fail("capture", "drop", times=4)
    assert mall.redeem(7).status_code == 503
    mall.clock.move(minutes=16)
    jobs.recover_orders()
    assert mall.points.available(7) == 1000
    assert mall.redeem(8, key="b").status_code == 201
    mall.assert_settled()
