"""`verify` finds what is broken: the database is broken by hand, law by law."""

import pytest
from sqlalchemy import text

from common.commands import run_checks
from common.migrations import drift
from services.redemption.database import transaction
from tests.redemption import Mall

STOCK = "stock is what the orders say, never oversold"
TAKEN = "members' counts are what their orders say"
DOUBT = "no order is in doubt for more than an hour"
PAID = "orders are completed exactly when points were captured"


@pytest.fixture
def busy(mall: Mall) -> Mall:
    """A mall with an order of every settled kind, and one just come into doubt."""
    mall.put_item(stock=10)
    mall.put_item("cup", stock=10)
    mall.redeem(key="completed")
    mall.cancel(mall.redeem(key="cancelled").json["order_id"])
    fulfilled = mall.redeem(key="fulfilled").json["order_id"]
    mall.desk.post(f"/v1/redemptions/{fulfilled}/fulfilment", {}, key="f")
    mall.redeem(key="refused", quantity=50)
    mall.points.fail("capture", "drop", times=4)
    mall.redeem(key="held")
    assert found(mall) == {}
    return mall


def found(mall: Mall) -> dict[str, tuple[int, str]]:
    """The violated invariants: how often, and where."""
    findings = run_checks(mall.service)
    assert [finding.name for finding in findings] == [STOCK, TAKEN, DOUBT, PAID]
    return {finding.name: (finding.violations, finding.detail) for finding in findings if finding.violations}


def break_it(*statements: str) -> None:
    """Change rows behind the service's back."""
    with transaction() as session:
        for statement in statements:
            session.execute(text(statement))


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE redemption_stock SET reserved = reserved + 1 WHERE code = 'mug'",
        "UPDATE redemption_stock SET reserved = reserved - 1 WHERE code = 'mug'",
        "UPDATE redemption_stock SET sold = sold + 1 WHERE code = 'mug'",
        "UPDATE redemption_stock SET sold = sold - 1 WHERE code = 'mug'",
        "DELETE FROM redemption_stock WHERE code = 'mug'",
    ],
)
def test_stock_that_orders_do_not_explain_is_found(busy: Mall, change: str) -> None:
    break_it(change)
    assert found(busy) == {STOCK: (1, "item 1/mug")}


def test_sold_pieces_without_any_order_are_found(busy: Mall) -> None:
    break_it("UPDATE redemption_stock SET sold = 1 WHERE code = 'cup'")
    assert found(busy) == {STOCK: (1, "item 1/cup")}


def test_an_oversold_stock_is_found(busy: Mall) -> None:
    law = "ALTER TABLE redemption_stock {} CONSTRAINT stock_is_never_oversold"
    break_it(law.format("DROP"), "UPDATE redemption_stock SET total = 2 WHERE code = 'mug'")
    try:
        assert found(busy) == {STOCK: (1, "item 1/mug")}
    finally:
        break_it(
            "UPDATE redemption_stock SET total = 10 WHERE code = 'mug'",
            law.format("ADD") + " CHECK (reserved + sold <= total)",
        )


@pytest.mark.parametrize(
    "change",
    ["UPDATE redemption_taken SET quantity = quantity + 1", "DELETE FROM redemption_taken"],
)
def test_a_count_that_orders_do_not_explain_is_found(busy: Mall, change: str) -> None:
    break_it(change)
    assert found(busy) == {TAKEN: (1, "member 1/7 of mug")}


def test_an_order_long_in_doubt_is_found_with_what_points_said(busy: Mall) -> None:
    break_it("UPDATE redemption_orders SET in_doubt_since = now() - interval '59 minutes' WHERE due_at IS NOT NULL")
    assert found(busy) == {}
    break_it("UPDATE redemption_orders SET in_doubt_since = now() - interval '61 minutes' WHERE due_at IS NOT NULL")
    ((count, where),) = found(busy).values()
    assert count == 1
    assert " held " in where
    assert "service_unavailable" in where


@pytest.mark.parametrize(
    ("law", "change"),
    [
        ("orders_are_completed_when_captured", "posting_id = NULL WHERE state = 'completed'"),
        ("orders_are_completed_when_captured", "posting_id = hold_id WHERE state = 'held'"),
        ("orders_cancelled_are_reversed", "reversal_id = NULL WHERE state = 'cancelled'"),
        ("orders_cancelled_are_reversed", "reversal_id = hold_id WHERE state = 'fulfilled'"),
    ],
)
def test_a_story_that_the_constraints_forbid_is_found_all_the_same(busy: Mall, law: str, change: str) -> None:
    ((definition,),) = busy.rows(f"SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = '{law}'")
    break_it(
        f"ALTER TABLE redemption_orders DROP CONSTRAINT {law}",
        f"UPDATE redemption_orders SET {change}",
    )
    try:
        assert found(busy)[PAID][0] == 1
    finally:
        break_it(
            "TRUNCATE redemption_orders",
            f"ALTER TABLE redemption_orders ADD CONSTRAINT {law} {definition}",
        )


def test_the_migrations_make_the_declared_tables(mall: Mall) -> None:
    assert drift(mall.service.database) == []
