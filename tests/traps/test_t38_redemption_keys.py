"""T38: a purchase with points has no idempotency key, so "do not replay" (Voucherify), and a retry buys twice.

Every POST of redemption that moves value wants a key, keeps it, and answers a retry as it answered first.
"""

# ruff: noqa: F811 - fixtures are asked for by name

from typing import Any

import pytest

from tests.redemption import ORDERS, Mall, mall, redemption, redemption_migrated  # noqa: F401 - fixtures

ROUTES = [
    ("", {"item": "mug"}, 201),
    ("/{order_id}/cancellation", {"reason": "broken"}, 200),
    ("/{order_id}/fulfilment", {"note": "sent"}, 200),
]


@pytest.mark.parametrize(("path", "body", "status"), ROUTES)
def test_a_key_is_required_kept_and_bound_to_its_request(mall: Mall, path: str, body: Any, status: int) -> None:
    mall.put_item()
    order_id = mall.redeem(key="first").json["order_id"]
    caller = mall.desk if path else mall.callers.member(7)
    address = ORDERS + path.format(order_id=order_id)
    assert caller.post(address, body).json["code"] == "idempotency_key_missing"
    before = mall.points.available(7)
    first, again = caller.post(address, body, key="k"), caller.post(address, body, key="k")
    assert (first.status_code, again.status_code) == (status, status)
    assert again.data == first.data
    assert again.headers["Idempotency-Replayed"] == "true"
    other = caller.post(address, {**body, next(iter(body)): "other"}, key="k")
    assert (other.status_code, other.json["code"]) == (422, "idempotency_key_reused")
    assert mall.points.available(7) - before in (-100, 100, 0)
    mall.assert_settled()


@pytest.mark.parametrize("key", ["", "with blank", "x" * 256, "ключ"])
def test_a_key_is_1_to_255_visible_characters(mall: Mall, key: str) -> None:
    mall.put_item()
    encoded = key.encode().decode("latin-1")
    assert mall.redeem(key=encoded).json["code"] == "idempotency_key_missing"
    assert mall.redeem(key="!" * 255).status_code == 201
