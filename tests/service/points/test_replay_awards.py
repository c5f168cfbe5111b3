"""Replay of caps and budgets: claims, refunds and what pots gave, counted again from the stored events."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.points import jobs
from services.points.budgets.domain import slot_of
from services.points.intake import claims, recount
from tests.earning import Shop, event, paid, refunded
from tests.points import sql
from tests.service.points.test_replay import differing, replayed

START = datetime(2026, 3, 2, 3, tzinfo=UTC)
MEMBER = [{"per": "day", "of": "member", "amount": 70}, {"per": "month", "of": "member", "amount": 400}]
TABLES = {"points_claims", "points_claim_releases", "points_claim_windows", "points_budget_slots"}


def at(hours: float) -> str:
    """So long after the beginning."""
    return (START + timedelta(hours=hours)).isoformat()


def publish(shop: Shop) -> None:
    """Rules of every kind of limit, over payments, confirmations and reviews."""
    paid_for = {"formula": "data.paid_fen / 100"}
    shop.publish("capped", caps=MEMBER, **paid_for)
    shop.publish("weekly", caps=[{"per": "week", "of": "member", "amount": 150}, *_each(60)], **paid_for)
    shop.publish(
        "kept", trigger="order.confirmed", formula="30", caps=[{"per": "total", "of": "member", "amount": 200}]
    )
    shop.publish("pot", budget=2_000, caps=[{"per": "day", "of": "rule", "amount": 90}], **paid_for)
    shop.publish("both", asset="growth", budget=900, caps=[{"per": "day", "of": "member", "amount": 80}], **paid_for)
    shop.publish("review", trigger="review.posted", formula="7", caps=[{"per": "day", "of": "member", "amount": 10}])
    shop.publish("free", asset="growth", **paid_for)
    shop.publish("counted", frequency={"times": [{"per": "day", "most": 1}, {"per": "total", "most": 9}]}, **paid_for)
    shop.publish("cooling", caps=MEMBER, frequency={"cooldown_hours": 30}, **paid_for)


def _each(amount: int) -> list[dict[str, Any]]:
    return [{"per": "event", "of": "member", "amount": amount}]


def live(chance: random.Random, shop: Shop, *, days: int, orders: int) -> None:
    """Orders, confirmations, reviews and refunds over so many days, sent in an order of their own, some together."""
    events = []
    for number in range(orders):
        member, hours, fen = chance.choice([7, 8, 9]), chance.uniform(0, days * 24), chance.randint(0, 90) * 100
        order = f"A{number}"
        events.append(paid(order, fen, member_id=member, time=at(hours)))
        for part in range(chance.choice([0, 0, 1, 2])):
            back: dict[str, Any] = {
                "refund_id": f"r{part}",
                "member_id": member,
                "time": at(hours + chance.uniform(-1, 90)),
            }
            events.append(refunded(chance.randint(1, max(1, fen // 2)), order, **back))
        if chance.random() < 0.5:
            given: dict[str, Any] = {
                "data": {"order_id": order},
                "member_id": member,
                "time": at(hours + chance.uniform(1, 60)),
            }
            events.append(event(f"c{number}", "order.confirmed", **given))
        if chance.random() < 0.3:
            events.append(event(f"v{number}", member_id=member, time=at(hours)))
    chance.shuffle(events)
    while events:
        many = chance.choice([1, 1, 1, 5])
        shop.send(*events[:many])
        events = events[many:]
        if chance.random() < 0.1:
            jobs.level_budgets()


@pytest.fixture
def awarded(shop: Shop) -> Shop:
    """A day in which a cap bit, a refund came, and a pot was nearly spent."""
    shop.publish("order", caps=[{"per": "day", "of": "member", "amount": 70}])
    shop.publish("pot", asset="growth", budget=150)
    shop.send(paid("A1", time=at(1)), paid("A2", time=at(2)))
    shop.send_one(refunded(5_000, "A1", time=at(1.5)))
    jobs.fold_figures()
    assert differing() == {}
    return shop


@pytest.mark.parametrize(("seed", "days"), [(1, 20), (2, 28), (3, 90), (4, 150)])
def test_a_random_history_of_caps_budgets_refunds_and_late_events_replays(shop: Shop, seed: int, days: int) -> None:
    publish(shop)
    live(random.Random(seed), shop, days=days, orders=60)
    jobs.fold_figures()
    compared = replayed()
    assert {table: one.where for table, one in compared.items() if not one.equal} == {}
    assert all(compared[table].rows >= 10 for table in TABLES)
    assert sql("SELECT count(*) FROM points_claims WHERE amount < wanted")[0][0] >= 10
    assert sql("SELECT count(*) FROM points_events WHERE result ? 'amended'")[0][0] >= 1


def test_what_arrived_in_time_is_folded_and_not_believed(shop: Shop) -> None:
    shop.publish("order", caps=MEMBER)
    shop.send(paid("A1", 5_000, time=at(1)), paid("A2", 5_000, time=at(2)))
    everywhere = "points_events SET result = jsonb_set(result, '{decisions,0,amount}', '50') WHERE id = 'paid-A2'"
    sql(f"UPDATE {everywhere}")
    sql("UPDATE points_claims SET amount = 50 WHERE event = 'shop paid-A2'")
    sql("UPDATE points_claim_windows SET total = 100")
    assert differing()["points_claims"] == ["1/7/order/shop paid-A2: amount"]
    sql("UPDATE points_claims SET amount = 20 WHERE event = 'shop paid-A2'")
    sql("UPDATE points_claim_windows SET total = 70")
    jobs.fold_figures()
    assert differing() == {}


def test_what_came_too_late_changes_nobody_in_a_replay_either(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recount, "MEANWHILE", timedelta(0))
    shop.publish("order", caps=[{"per": "month", "of": "member", "amount": 100}])
    month = 24 * 33
    shop.send_one(paid("A1", 7_000, time=at(1)))
    shop.send_one(paid("A2", 7_000, time=at(9)))
    shop.send_one(paid("B1", 3_000, time=at(month)))
    shop.send_one(paid("A0", 9_000, time=at(0)))
    shop.send_one(refunded(7_000, "A1", time=at(8)))
    jobs.fold_figures()
    assert [row[0] for row in sql("SELECT amount FROM points_claims ORDER BY at")] == [0, 70, 30, 30]
    assert differing() == {}


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        ("points_budget_slots SET used = used - 1 WHERE used > 0",
         {"points_budget_slots": ["1/pot/budget: sum(used)"]}),
        ("points_claims SET wanted = wanted + 1 WHERE event = 'shop paid-A2'",
         {"points_claims": ["1/7/order/shop paid-A2: wanted"]}),
        ("points_claims SET amount = amount - 1 WHERE event = 'shop paid-A2'",
         {"points_claims": ["1/7/order/shop paid-A2: amount"]}),
        ("points_claims SET reversed = reversed + 1, at = at + interval '1 s' WHERE event = 'shop paid-A1'",
         {"points_claims": ["1/7/order/shop paid-A1: at, reversed"]}),
        ("points_claims SET terms = jsonb_set(terms, '{version}', '2') WHERE event = 'shop paid-A1'",
         {"points_claims": ["1/7/order/shop paid-A1: terms ->> 'version'"]}),
        ("points_claim_releases SET amount = amount + 1",
         {"points_claim_releases": ["1/7/order/shop paid-A1/r1: amount"]}),
        ("points_claim_releases SET part = part - 1", {"points_claim_releases": ["1/7/order/shop paid-A1/r1: part"]}),
        ("points_claim_windows SET total = total + 1", {"points_claim_windows": ["1/7/order: total"]}),
    ],
)  # fmt: skip
def test_one_change_in_sql_is_named(awarded: Shop, edit: str, expected: dict[str, list[str]]) -> None:
    tables = {table: sql(f"SELECT * FROM {table}") for table in TABLES}
    where = " AND slot = (SELECT min(slot) FROM points_budget_slots WHERE used > 0)" if "slots" in edit else ""
    sql(f"UPDATE {edit}{where}")
    assert differing() == expected
    _put_back(edit.split(" ")[0], tables)
    assert differing() == {}


def _put_back(table: str, kept: dict[str, Any]) -> None:
    """The shop's fixture wants everything sound in the end."""
    from services.points.budgets.models import slots
    from services.points.database import transaction
    from services.points.intake.models import claim_releases, claim_windows, claims

    tables = {one.name: one for one in (slots, claims, claim_releases, claim_windows)}
    with transaction() as session:
        session.execute(tables[table].delete())
        session.execute(tables[table].insert(), [dict(row._mapping) for row in kept[table]])


@pytest.mark.parametrize("table", sorted(TABLES - {"points_budget_slots"}))
def test_a_row_that_is_gone_is_named(awarded: Shop, table: str) -> None:
    kept = {table: sql(f"SELECT * FROM {table}")}
    sql(f"DELETE FROM {table}")
    [first, *_] = differing()[table]
    assert first.endswith("missing in the live table")
    _put_back(table, kept)


def test_slots_shared_out_anew_are_the_same_pot(awarded: Shop) -> None:
    other = (slot_of(7) + 1) % 8
    sql(f"UPDATE points_budget_slots SET used = used - 9, share = share - 9 WHERE slot = {slot_of(7)}")
    sql(f"UPDATE points_budget_slots SET used = used + 9, share = share + 9 WHERE slot = {other}")
    assert differing() == {}


def test_awards_that_the_ledger_refuses_replay(shop: Shop) -> None:
    shop.publish("order", budget=500, caps=[{"per": "day", "of": "member", "amount": 90}])
    shop.publish("pot", budget=500)
    shop.move("earn", 2**53 - 1)
    shop.send(paid("A1", time=at(1)), refunded(2_000, "A1", time=at(2)))
    shop.spend(2**53 - 1)
    shop.send(paid("A2", time=at(3)), refunded(2_000, "A2", refund_id="r2", time=at(4)))
    jobs.fold_figures()
    assert sql("SELECT sum(used) FROM points_budget_slots WHERE rule = 'pot'")[0][0] == 80
    assert differing() == {}


def test_growth_that_the_ledger_refuses_is_told_by_the_event_and_replays(shop: Shop) -> None:
    shop.publish("order", caps=[{"per": "day", "of": "member", "amount": 100}])
    shop.send_one(paid("A1", 8_000, time=at(1)))
    shop.send_one(paid("A2", 5_000, time=at(3)))
    shop.move("earn", 2**53 - 1 - 100)
    shop.send_one(refunded(4_000, "A1", time=at(2)))
    [[amended]] = sql("SELECT result -> 'amended' FROM points_events WHERE id = 'paid-A2'")[0]
    assert (amended["from"], amended["to"], amended["reason"]) == (20, 20, "ledger_refused: balance_too_large")
    jobs.fold_figures()
    assert differing() == {}


def test_of_two_rules_that_grow_only_the_one_whose_growth_the_ledger_refuses_says_so(shop: Shop) -> None:
    caps = [{"per": "day", "of": "member", "amount": 100}]
    shop.publish("order", caps=caps)
    shop.publish("status", asset="growth", caps=caps)
    shop.send_one(paid("A1", 8_000, time=at(1)))
    shop.send_one(paid("A2", 5_000, time=at(3)))
    shop.move("earn", 2**53 - 1 - 100)
    shop.send_one(refunded(4_000, "A1", time=at(2)))
    [[notes]] = sql("SELECT result -> 'amended' FROM points_events WHERE id = 'paid-A2'")
    assert {one["rule"]: (one["from"], one["to"], one.get("reason")) for one in notes} == {
        "order": (20, 20, "ledger_refused: balance_too_large"),
        "status": (20, 50, None),
    }
    assert shop.balance(asset="growth") == 90
    jobs.fold_figures()
    assert differing() == {}


def test_a_refund_that_takes_nothing_leaves_the_budget_as_it_was(shop: Shop) -> None:
    shop.publish("order", budget=500)
    shop.send_one(paid("A1"))
    [entry] = shop.entries()
    body = {"member_id": 7, "asset": "points", "posting_id": entry["posting_id"]}
    assert shop.callers.system("ledger").post("/v1/reversals", body, key="by-hand").status_code == 201
    for part in ("r1", "r2"):
        back = shop.send_one(refunded(5_000, "A1", refund_id=part))
        assert back["reversed"][0]["reason"].startswith("ledger_refused")
    assert sql("SELECT sum(used) FROM points_budget_slots")[0][0] == 100
    jobs.fold_figures()
    assert differing() == {}


def test_an_award_that_grows_while_it_is_refunded_wholly_is_told_by_its_event(shop: Shop) -> None:
    shop.publish("order", caps=[{"per": "day", "of": "member", "amount": 100}])
    shop.send(paid("A1", 8_000, time=at(1)), paid("A2", 5_000, time=at(3)))
    shop.send_one(refunded(5_000, "A2", time=at(4)))
    shop.send_one(refunded(4_000, "A1", time=at(2)))
    [[amended]] = sql("SELECT result -> 'amended' FROM points_events WHERE id = 'paid-A2'")[0]
    assert (amended["from"], amended["to"]) == (20, 50)
    jobs.fold_figures()
    assert differing() == {}


def test_more_events_than_a_customer_makes_replay(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claims, "MOST_CLAIMS", 3)
    shop.publish("review", trigger="review.posted", formula="1", budget=50, caps=[*MEMBER])
    shop.send(*(event(f"e{number}", time=at(number)) for number in range(5)))
    jobs.fold_figures()
    assert differing() == {}


def test_members_are_written_in_chunks(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    from services.points.intake import rebuild

    shop.publish("order", caps=MEMBER)
    shop.send(*(paid(f"A{member}", member_id=member) for member in range(1, 8)))
    jobs.fold_figures()
    for size in (1, 2, 7, 8):
        monkeypatch.setattr(rebuild, "_AT_ONCE", size)
        assert differing() == {}
