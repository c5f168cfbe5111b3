"""T8: a limit counted first and inserted after is overshot by whoever is quick, and by batches (yudao, litemall).

The member's count moves by one statement that carries the limit, `+ n <= limit`.
"""

# ruff: noqa: F811 - fixtures are asked for by name

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from tests.redemption import Mall, mall, redemption, redemption_migrated  # noqa: F401 - fixtures


def test_quick_fingers_do_not_pass_the_limit(mall: Mall) -> None:
    mall.put_item(stock=100, price=1, per_member_limit=2)
    with ThreadPoolExecutor(16) as pool:
        codes = Counter(pool.map(lambda key: mall.redeem(key=str(key)).status_code, range(16)))
    assert codes == {201: 2, 409: 14}
    mall.assert_settled()


def test_a_batch_that_would_overshoot_the_limit_takes_nothing(mall: Mall) -> None:
    mall.put_item(stock=100, price=1, per_member_limit=5)
    assert mall.redeem(quantity=3).status_code == 201
    refused = mall.redeem(quantity=3, key="b")
    assert refused.json["code"] == "per_member_limit_reached"
    assert (mall.points.available(7), mall.stock()["sold"]) == (997, 3)
    assert mall.redeem(quantity=2, key="c").status_code == 201


def test_a_batch_that_would_overshoot_the_stock_takes_nothing(mall: Mall) -> None:
    mall.put_item(stock=5, price=1)
    assert mall.redeem(quantity=3).status_code == 201
    assert mall.redeem(quantity=3, key="b").json["code"] == "sold_out"
    assert mall.stock()["available"] == 2
    mall.assert_settled()
