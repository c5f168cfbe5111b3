"""Late, backdated and repeated events end alike, whatever came first (field.md, leap 6): balances, lots and windows."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from common.service import Service
from services.points.database import transaction
from services.points.intake import use_cases
from services.points.intake.domain import Event
from tests.earning import Shop, open_shop
from tests.thoroughness import examples

#: Friday noon in Shanghai: some days on it is another week, and another month.
START = datetime(2026, 5, 22, 4, 0, tzinfo=UTC)

_DAILY = [{"per": "day", "of": "member", "amount": 150}]
_RULES: dict[str, dict[str, Any]] = {
    "daily": {"caps": _DAILY, "asset": "points"},
    "all-of-them": {
        "caps": [
            {"per": "event", "of": "member", "amount": 110},
            {"per": "day", "of": "member", "amount": 200},
            {"per": "week", "of": "member", "amount": 260},
            {"per": "month", "of": "member", "amount": 330},
            {"per": "total", "of": "member", "amount": 400},
        ]
    },
    "twice-a-day": {"frequency": {"times": [{"per": "day", "most": 2}]}},
    "counted": {
        "caps": _DAILY,
        "frequency": {"times": [{"per": "week", "most": 3}, {"per": "month", "most": 3}, {"per": "total", "most": 4}]},
    },
    "once": {"frequency": {"times": [{"per": "total", "most": 1}]}},
    "cooling": {"frequency": {"cooldown_hours": 5}},
    "cooling-for-long": {"caps": _DAILY, "frequency": {"times": [{"per": "week", "most": 2}], "cooldown_hours": 48}},
}


@pytest.fixture(scope="module")
def shop(points_migrated: Service) -> Iterator[Shop]:
    """One shop for all examples: each has members and orders of its own."""
    for made in open_shop(points_migrated):
        made.put_asset("points", debt_allowed=True, validity="15Y")
        made.publish("free")
        for code, document in _RULES.items():
            made.publish(code, **{"asset": "growth", **document})
        made.put_asset("energy", debt_allowed=True, validity="15Y", pending="goods.received+2D")
        made.publish("waiting", asset="energy")
        made.publish("waiting-capped", asset="energy", caps=_DAILY)
        made.publish("reviewed", asset="energy", trigger="review.posted", formula="7", pending="review.approved+1D")
        yield made


_HOURS = st.integers(0, 24 * 14)


@st.composite
def orders(draw: st.DrawFn, order_id: str, hours: st.SearchStrategy[int]) -> list[dict[str, Any]]:
    """An order and up to two refunds of it, each at an hour of its own."""
    order = {"order_id": order_id, "paid_fen": draw(st.integers(0, 20_000))}
    facts = [{"at": draw(hours), "type": "order.paid", "data": order}]
    for part in range(draw(st.integers(0, 2))):
        back = {"order_id": order_id, "refund_id": f"r{part}", "refunded_fen": draw(st.integers(1, 12_000))}
        facts.append({"at": draw(hours), "type": "order.refunded", "data": back})
    return facts


@st.composite
def _histories(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Up to five orders at instants of their own; refunds and receipts of some, and reviews with their approvals.

    Whatever names an order or a review may be older than it.
    """
    facts: list[dict[str, Any]] = []
    for number in range(draw(st.integers(1, 5))):
        facts += draw(orders(f"A{number}", _HOURS))
        if draw(st.booleans()):
            facts.append({"at": draw(_HOURS), "type": "goods.received", "data": {"order_id": f"A{number}"}})
        if draw(st.booleans()):
            facts.append({"at": draw(_HOURS), "type": "review.posted", "data": {}})
            facts.append({"at": draw(_HOURS), "type": "review.approved", "data": {"review": len(facts) - 1}})
    return facts


_member = iter(range(1, 10**9))


@settings(max_examples=examples(40), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(facts=_histories(), data=st.data())
def test_any_arrival_in_any_batches_ends_alike(shop: Shop, facts: list[dict[str, Any]], data: st.DataObject) -> None:
    ends = []
    for _ in range(2):
        member_id = next(_member)
        sent = data.draw(st.permutations(list(enumerate(facts))))
        cuts = sorted(data.draw(st.lists(st.integers(0, len(sent)), max_size=4)))
        batches = [sent[start:end] for start, end in zip([0, *cuts], [*cuts, len(sent)], strict=True)]
        for batch in [*batches, batches[0]]:
            _take_in(member_id, batch)
        ends.append(_end(shop, member_id))
    assert ends[0] == ends[1]


def test_all_arrivals_of_two_orders_and_a_refund_between_them_end_alike(shop: Shop) -> None:
    facts = [
        {"at": 0, "type": "order.paid", "data": {"order_id": "A", "paid_fen": 10_000}},
        {"at": 1, "type": "order.refunded", "data": {"order_id": "A", "refund_id": "r", "refunded_fen": 5_000}},
        {"at": 2, "type": "order.paid", "data": {"order_id": "B", "paid_fen": 11_000}},
        {"at": 3, "type": "order.paid", "data": {"order_id": "C", "paid_fen": 9_000}},
    ]
    ends = _ends_of_all_arrivals(shop, facts)
    # Twice a day: A is half there still, so B is the second and C finds no room. Six hours pass before none of them.
    amounts = {code: [claim[3] for claim in ends[0]["claims"] if claim[0] == code] for code in _RULES}
    assert (amounts["twice-a-day"], amounts["once"], amounts["cooling"]) == ([100, 110, 0], [100, 0, 0], [100, 0, 0])
    # Of 150 a day: A 100, of which 50 come back; B finds 100 of its 110; C finds nothing.
    assert ends[0]["claims"][0] == ("all-of-them", "0", 100, 100, 50)
    assert [claim for claim in ends[0]["claims"] if claim[0] == "daily"] == [
        ("daily", "0", 100, 100, 50),
        ("daily", "2", 110, 100, 0),
        ("daily", "3", 90, 0, 0),
    ]
    assert all(end == ends[0] for end in ends)


def test_all_arrivals_of_an_award_that_a_refund_frees_end_alike(shop: Shop) -> None:
    facts = [
        {"at": 0, "type": "order.paid", "data": {"order_id": "A", "paid_fen": 1_000}},
        {"at": 1, "type": "order.paid", "data": {"order_id": "B", "paid_fen": 2_000}},
        {"at": 2, "type": "order.refunded", "data": {"order_id": "A", "refund_id": "r", "refunded_fen": 1_000}},
        {"at": 3, "type": "order.paid", "data": {"order_id": "C", "paid_fen": 3_000}},
        {"at": 7, "type": "order.paid", "data": {"order_id": "D", "paid_fen": 4_000}},
    ]
    ends = _ends_of_all_arrivals(shop, facts)
    amounts = {code: [claim[3] for claim in ends[0]["claims"] if claim[0] == code] for code in _RULES}
    # What A used is free from the refund on, and never before: B came in A's time.
    assert amounts["once"] == [10, 0, 30, 0]
    assert amounts["twice-a-day"] == [10, 20, 30, 0]
    assert amounts["cooling"] == [10, 0, 30, 0]
    assert amounts["cooling-for-long"] == [10, 0, 30, 0]
    assert all(end == ends[0] for end in ends)


def _ends_of_all_arrivals(shop: Shop, facts: list[dict[str, Any]]) -> list[Any]:
    """What each order of arrival leaves of a member of its own, one fact at a time."""
    ends = []
    for arrival in permutations(enumerate(facts)):
        member_id = next(_member)
        for one in arrival:
            _take_in(member_id, [one])
        ends.append(_end(shop, member_id))
    return ends


def _take_in(member_id: int, batch: list[tuple[int, dict[str, Any]]]) -> None:
    events = [
        Event(
            "shop",
            f"{member_id}-{number}",
            fact["type"],
            member_id,
            # An instant of its own for each, so that no name decides who was first.
            START + timedelta(hours=fact["at"], seconds=number),
            {"event": f"shop {member_id}-{fact['data']['review']}"} if "review" in fact["data"] else fact["data"],
            str(number).encode(),
        )
        for number, fact in batch
    ]
    with transaction() as session:
        use_cases.take_in(session, program_id=1, events=events, now=START + timedelta(days=20))


def _end(shop: Shop, member_id: int) -> dict[str, Any]:
    """Balances, lots by day, windows, claims and their releases, without what names this run."""
    mine = f"WHERE member_id = {member_id}"
    return {
        "accounts": shop.rows(
            f"SELECT asset_id, balance, held, debt, lots FROM points_accounts {mine} ORDER BY asset_id"
        ),
        "windows": shop.rows(f"SELECT rule, total, newest_at FROM points_claim_windows {mine} ORDER BY rule"),
        "claims": shop.rows(
            "SELECT rule, split_part(event, '-', 2), wanted, amount, reversed"
            f" FROM points_claims {mine} ORDER BY rule, event"
        ),
        "releases": shop.rows(
            "SELECT rule, split_part(event, '-', 2), refund, at, part, whole, amount"
            f" FROM points_claim_releases {mine} ORDER BY rule, event, refund"
        ),
    }
