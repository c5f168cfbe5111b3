"""What redemption builds on, asked of the real points service: its own client against points' real app."""

# ruff: noqa: F811 - fixtures are asked for by name

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from common.service import Service
from common.service_client import NeighbourRefused
from services.redemption.orders import clients
from services.redemption.orders.domain import InsufficientPoints, Order, PaymentRefused, Price, State
from tests.service.conftest import points, points_migrated, servers  # noqa: F401 - fixtures
from tests.support import Callers, listening

NOW = datetime.now(UTC)


def make_order(**changes: Any) -> Order:
    """An order of member 7 for 100 points, just made."""
    order: dict[str, Any] = {
        "program_id": 1,
        "member_id": 7,
        "order_id": uuid4(),
        "key": "a",
        "fingerprint": b"x",
        "item": "mug",
        "item_version": 1,
        "quantity": 1,
        "price": Price("points", 100),
        "state": State.RESERVING,
        "in_doubt_since": NOW,
        "wanted_until": NOW + timedelta(minutes=10),
        "due_at": NOW,
        "created_at": NOW,
    }
    return Order(**{**order, **changes})


def held(order: Order, hold_id: UUID) -> Order:
    """The order with its hold."""
    return make_order(order_id=order.order_id, price=order.price, state=State.HELD, hold_id=hold_id)


@pytest.fixture
def listening_points(points: Callers, points_migrated: Service) -> Iterator[Callers]:
    """The real points service on a port, with program 1 set up; member 7 has 1,000 points."""
    marketer = points.staff("marketer")
    assert marketer.put("/v1/program", {"name": "Acme"}).status_code == 200
    assert marketer.put("/v1/assets/points", {"name_en": "Points", "name_zh": "积分"}).status_code == 200
    credit = {"member_id": 7, "asset": "points", "kind": "earn", "amount": 1000}
    assert points.service("levels").post("/v1/postings", credit, key="start").status_code == 201
    with listening(points_migrated):
        yield points


def available(points: Callers) -> int:
    """What member 7 can spend."""
    (account,) = points.member(7).get("/v1/accounts").json["accounts"]
    found: int = account["available"]
    return found


def test_a_hold_is_made_once_and_repeated_for_ever(listening_points: Callers) -> None:
    order = make_order()
    assert clients.hold(order) == clients.hold(order)
    assert available(listening_points) == 900


def test_a_capture_is_made_once_and_repeated_for_ever(listening_points: Callers) -> None:
    order = make_order()
    order = held(order, clients.hold(order))
    assert clients.capture(order) == clients.capture(order)
    assert available(listening_points) == 900


def test_a_void_gives_the_hold_back_and_a_capture_then_finds_it_voided(listening_points: Callers) -> None:
    order = make_order()
    order = held(order, clients.hold(order))
    clients.void(order)
    clients.void(order)
    assert available(listening_points) == 1000
    with pytest.raises(clients.HoldNotOpen) as refused:
        clients.capture(order)
    assert refused.value.state == "voided"


def test_a_void_of_what_was_captured_says_so(listening_points: Callers) -> None:
    order = make_order()
    order = held(order, clients.hold(order))
    clients.capture(order)
    with pytest.raises(clients.HoldNotOpen) as refused:
        clients.void(order)
    assert refused.value.state == "captured"


def test_a_capture_of_what_expired_says_so_and_the_points_are_back(
    listening_points: Callers, points_migrated: Service
) -> None:
    order = make_order()
    order = held(order, clients.hold(order))
    with points_migrated.database.transaction() as session:
        for table, deadline in (("points_holds", "expires_at"), ("points_accounts", "due_at")):
            session.execute(text(f"UPDATE {table} SET {deadline} = clock_timestamp() - interval '1 second'"))
    for end in (clients.capture, clients.void):
        with pytest.raises(clients.HoldNotOpen) as refused:
            end(order)
        assert refused.value.state == "expired"
    assert available(listening_points) == 1000


def test_a_reversal_gives_the_whole_capture_back_once(listening_points: Callers) -> None:
    order = make_order()
    order = held(order, clients.hold(order))
    posting_id = clients.capture(order)
    cancelling = make_order(
        order_id=order.order_id, state=State.CANCELLING, hold_id=order.hold_id, posting_id=posting_id
    )
    assert clients.reverse(cancelling) == clients.reverse(cancelling)
    assert available(listening_points) == 1000


def test_too_few_points_come_with_how_many_are_missing_and_stay_the_answer(listening_points: Callers) -> None:
    order = make_order(price=Price("points", 1001))
    for _ in range(2):
        with pytest.raises(InsufficientPoints) as refused:
            clients.hold(order)
        assert refused.value.facts == {"available": 1000, "short_by": 1}


def test_an_asset_that_is_not_there_is_a_refusal(listening_points: Callers) -> None:
    with pytest.raises(PaymentRefused):
        clients.hold(make_order(price=Price("marbles", 1)))


def test_a_key_used_for_another_hold_decides_nothing(listening_points: Callers) -> None:
    order = make_order()
    clients.hold(order)
    with pytest.raises(NeighbourRefused, match="idempotency_key_reused"):
        clients.hold(make_order(order_id=order.order_id, price=Price("points", 200)))
