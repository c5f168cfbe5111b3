"""A return that is tried out says exactly what the real one then does, whatever happened before, and writes nothing."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from common.service import Service
from services.points.database import rehearsal, transaction
from services.points.intake import use_cases
from services.points.intake.domain import Event
from services.points.intake.returns import try_return
from tests.earning import Shop, open_shop
from tests.property.test_arrivals import orders
from tests.thoroughness import examples

START = datetime(2026, 5, 22, 4, 0, tzinfo=UTC)
NOW = START + timedelta(days=20)
_DAILY = [{"per": "day", "of": "member", "amount": 150}]
_ASSETS = ("points", "growth", "energy")
#: Every table that a refund may touch.
_TABLES = ("events", "orders", "accounts", "entries", "postings", "holds", "outbox", "claims", "claim_releases")


@pytest.fixture(scope="module")
def shop(points_migrated: Service) -> Iterator[Shop]:
    """Awards that are free, capped, on a budget, pending; points cannot be owed, growth can."""
    for made in open_shop(points_migrated):
        made.publish("free")
        made.publish("daily", asset="growth", caps=_DAILY)
        made.publish("funded", asset="growth", budget=100_000)
        made.put_asset("energy", pending="order_confirmed+7D")
        made.publish("waiting", asset="energy")
        yield made


_HOURS = st.integers(0, 24 * 14)
_member = iter(range(1, 10**9))


@st.composite
def _histories(draw: st.DrawFn) -> list[dict[str, Any]]:
    facts: list[dict[str, Any]] = []
    for number in range(draw(st.integers(1, 4))):
        facts += draw(orders(f"A{number}", _HOURS))
        if draw(st.booleans()):
            facts.append({"at": draw(_HOURS), "type": "order.confirmed", "data": {"order_id": f"A{number}"}})
    return list(draw(st.permutations(facts)))


@settings(max_examples=examples(60), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    facts=_histories(),
    spent=st.integers(0, 300),
    order=st.integers(0, 4),
    refund=st.sampled_from(["r0", "new"]),
    fen=st.integers(1, 20_000),
    hour=_HOURS,
)
def test_a_return_tried_out_is_what_the_return_then_does(
    shop: Shop, facts: list[dict[str, Any]], spent: int, order: int, refund: str, fen: int, hour: int
) -> None:
    member_id = next(_member)
    for number, fact in enumerate(facts):
        _take_in(_event(member_id, str(number), fact))
    there = min(spent, shop.account(member_id)["available"])
    if there:
        shop.spend(there, member_id=member_id)
    data = {"order_id": f"A{order}", "refund_id": refund, "refunded_fen": fen}
    event = _event(member_id, "return", {"at": hour, "type": "order.refunded", "data": data})

    before, stood = _written(shop), _figures(shop, member_id)
    with rehearsal() as session:
        tried = try_return(session, program_id=1, event=event, now=NOW)
    assert _written(shop) == before
    assert _figures(shop, member_id) == stood

    assert tried.result == _take_in(event)
    stands = _figures(shop, member_id)
    told = {one.account.asset: (one.change, _told(one.account)) for one in tried.effects}
    changed = [asset for asset in _ASSETS if stands[asset] != stood[asset]]
    assert told == {asset: (stands[asset][0] - stood[asset][0], stands[asset]) for asset in changed}


def _event(member_id: int, name: str, fact: dict[str, Any]) -> Event:
    at = START + timedelta(hours=fact["at"], seconds=len(name))
    return Event("shop", f"{member_id}-{name}", fact["type"], member_id, at, fact["data"], name.encode())


def _take_in(event: Event) -> Any:
    with transaction() as session:
        [taken] = use_cases.take_in(session, program_id=1, events=[event], now=NOW)
    return json.loads(taken.result)


def _figures(shop: Shop, member_id: int) -> dict[str, tuple[int, ...]]:
    names = ("balance", "available", "pending", "held", "debt")
    accounts = {asset: shop.account(member_id, asset) for asset in _ASSETS}
    return {asset: tuple(account[name] for name in names) for asset, account in accounts.items()}


def _told(account: Any) -> tuple[int, ...]:
    return account.balance, account.available, account.pending, account.held, account.debt


def _written(shop: Shop) -> list[Any]:
    counts = ", ".join(f"(SELECT count(*) FROM points_{table})" for table in _TABLES)
    return shop.rows(f"SELECT {counts}, (SELECT coalesce(sum(seq), 0) FROM points_accounts)")
