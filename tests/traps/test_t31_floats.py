"""T31: floats show 268.28000000000003 and make −1e-14 an invalid coupon; no fraction gets in and none comes out."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Float, Numeric

from services.points.database import Table
from tests.points import Brand, pointers, refused


def test_a_thousand_tenths_sum_exactly(brand: Brand) -> None:
    lines = [{"member_id": 7, "asset": "points", "kind": "earn", "amount": 26828, "key": f"k{n}"} for n in range(999)]
    brand.shop.post("/v1/postings/batch", {"lines": lines})
    assert brand.figures()[0] == 26828 * 999


@pytest.mark.parametrize("amount", ["268.28", "268.0", "1e2", "-1e-14", "0.1", "5.0000000000000001"])
def test_no_fraction_gets_in_not_even_a_whole_one(brand: Brand, amount: str) -> None:
    raw = f'{{"member_id": 7, "asset": "points", "kind": "earn", "amount": {amount}}}'
    answer = brand.shop.post("/v1/postings", data=raw, content_type="application/json", key="k")
    assert refused(answer) == (422, "invalid_request")
    assert pointers(answer) == ["/amount"]


def test_no_fraction_comes_out(brand: Brand) -> None:
    earned = brand.earn(2**53 - 1)
    brand.reverse(earned, amount=1)
    brand.hold(3)
    shop = brand.shop
    for path in ("accounts", "accounts/points", "accounts/points/entries", "accounts/points/statement"):
        assert not [it for it in values(shop.get(f"/v1/{path}", member_id=7).json) if isinstance(it, float)]


def test_no_table_of_points_has_a_column_of_floats() -> None:
    columns = [column for table in Table.metadata.sorted_tables for column in table.columns]
    assert len(columns) > 50
    assert [str(column) for column in columns if isinstance(column.type, Float | Numeric)] == []


def values(it: Any) -> Iterator[Any]:
    inner = it.values() if isinstance(it, dict) else it if isinstance(it, list) else None
    if inner is None:
        yield it
    else:
        for item in inner:
            yield from values(item)
