"""T19: points paid into an order were lost on cancel, and refunds rounded one by one under-claw (litemall, shopxo).

Here a cancelled order's points return to their lots and days; however an order is refunded, the parts make the whole.
"""

from typing import Any

import pytest

from tests.ledger import NOON
from tests.points import Brand, Clock, done


def deducted(brand: Brand, points: int, order_fen: int) -> dict[str, Any]:
    marketer = brand.callers.staff("marketer")
    done(marketer.put("/v1/deduction-policy", {"asset": "points", "points": 7, "fen": 3}))
    brand.earn(40, validity="3D")
    brand.earn(1_000, validity="30D")
    body = {"member_id": 7, "order_id": "A1", "order_fen": order_fen, "points": points}
    return done(brand.shop.post("/v1/deductions", body, key="deduct"))


def test_a_cancelled_order_gives_its_points_back_to_their_days(brand: Brand, clock: Clock) -> None:
    clock.set(NOON)
    deduction = deducted(brand, 91, 1_000)
    assert brand.account()["available"] == 949
    done(brand.shop.post(f"/v1/deductions/{deduction['id']}/void", {"member_id": 7}, key="void"))
    assert brand.account()["lots"] == [{"on": "2026-05-06", "amount": 40}, {"on": "2026-06-02", "amount": 1_000}]


@pytest.mark.parametrize("parts", [[1] * 37 + [963], [333, 333, 334], [999, 1], [1_000]])
def test_refunds_in_any_parts_give_back_every_point_and_every_fen(brand: Brand, clock: Clock, parts: list[int]) -> None:
    clock.set(NOON)
    deduction = deducted(brand, 91, 1_000)
    path = f"/v1/deductions/{deduction['id']}"
    done(brand.shop.post(f"{path}/capture", {"member_id": 7, "order_fen": 1_000}, key="capture"))
    backs = [
        done(
            brand.shop.post(
                f"{path}/refunds",
                {"member_id": 7, "refund_id": f"r{number}", "refunded_fen": part},
                key=f"refund-{number}",
            )
        )
        for number, part in enumerate(parts)
    ]
    assert sum(back["points"] for back in backs) == 91
    assert sum(back["deducted_fen"] for back in backs) == deduction["deducted_fen"] == 39
    assert sum(back["cash_fen"] for back in backs) == 961
    assert brand.account()["lots"] == [{"on": "2026-05-06", "amount": 40}, {"on": "2026-06-02", "amount": 1_000}]
