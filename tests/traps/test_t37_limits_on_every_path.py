"""T37: limits enforced on one path and ignored on another: here alone, in a batch, late, by another source.

The cap lives where awards are made, not in a route.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from common.service import Service
from tests.earning import Shop, event, open_shop

CAP = [{"per": "day", "of": "member", "amount": 10}]


@pytest.fixture
def shop(points_migrated: Service) -> Iterator[Shop]:
    """No rule yet."""
    yield from open_shop(points_migrated)


@pytest.mark.parametrize("way", ["alone", "batch", "late", "sources", "service"])
def test_ten_a_day_is_ten_a_day(shop: Shop, way: str) -> None:
    shop.publish("review", trigger="review.posted", formula="3", caps=CAP)
    times = [f"2026-05-03T{hour:02}:00:00+08:00" for hour in range(8, 16)]
    sent: list[dict[str, Any]] = [event(f"e{n}", time=time) for n, time in enumerate(times)]
    if way == "batch":
        shop.send(*sent)
    elif way == "service":
        for one in sent:
            assert shop.callers.service("referrals").post("/v1/events", one).status_code == 200
    else:
        if way == "sources":
            sent = [{**one, "source": f"shop-{n}", "id": "e"} for n, one in enumerate(sent)]
        for one in reversed(sent) if way == "late" else sent:
            shop.send_one(one)
    assert shop.balance() == 10
    assert shop.rows("SELECT amount FROM points_claims ORDER BY at") == [(3,)] * 3 + [(1,)] + [(0,)] * 4
