"""Tables of orders, and of how many pieces of an item each member has."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Index,
    LargeBinary,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from common.database import core
from services.redemption.database import Table


def _instant(*, nullable: bool = True) -> Any:
    return Field(sa_column=Column(DateTime(timezone=True), nullable=nullable))


def _text(*, nullable: bool = True) -> Any:
    return Field(sa_column=Column(Text, nullable=nullable))


class OrderRow(Table, table=True):
    """One order, which is also the idempotency record of the request that made it."""

    __tablename__ = "redemption_orders"
    __table_args__ = (
        UniqueConstraint("program_id", "member_id", "key", name="orders_once_per_key"),
        CheckConstraint("quantity BETWEEN 1 AND 100", name="orders_are_of_one_to_a_hundred"),
        CheckConstraint("price > 0", name="orders_cost_something"),
        CheckConstraint(
            "state IN ('reserving', 'held', 'giving_up', 'refused',"
            " 'completed', 'cancelling', 'cancelled', 'fulfilled')",
            name="orders_are_in_a_known_state",
        ),
        CheckConstraint(
            "(due_at IS NOT NULL) = (state IN ('reserving', 'held', 'giving_up', 'cancelling'))",
            name="orders_in_doubt_are_due",
        ),
        CheckConstraint("(due_at IS NULL) = (in_doubt_since IS NULL)", name="orders_due_have_been_in_doubt_since"),
        CheckConstraint(
            "(posting_id IS NOT NULL) = (state IN ('completed', 'cancelling', 'cancelled', 'fulfilled'))",
            name="orders_are_completed_when_captured",
        ),
        CheckConstraint("posting_id IS NULL OR hold_id IS NOT NULL", name="orders_capture_what_they_hold"),
        CheckConstraint("state <> 'held' OR hold_id IS NOT NULL", name="orders_held_have_a_hold"),
        CheckConstraint("(refusal_code IS NOT NULL) = (state = 'refused')", name="orders_refused_say_why"),
        CheckConstraint("(reversal_id IS NOT NULL) = (state = 'cancelled')", name="orders_cancelled_are_reversed"),
        Index("redemption_orders_by_id", "program_id", "order_id"),
        Index("redemption_orders_in_doubt", "due_at", postgresql_where=text("due_at IS NOT NULL")),
        {"postgresql_with": {"fillfactor": 70}},
    )

    program_id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    member_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    order_id: UUID = Field(sa_column=Column(Uuid, primary_key=True, server_default=text("uuidv7()")))
    key: str = _text(nullable=False)
    fingerprint: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    item: str = _text(nullable=False)
    item_version: int
    quantity: int
    asset: str = _text(nullable=False)
    price: int = Field(sa_column=Column(BigInteger, nullable=False))
    state: str = _text(nullable=False)
    in_doubt_since: datetime | None = _instant()
    wanted_until: datetime = _instant(nullable=False)
    due_at: datetime | None = _instant()
    created_at: datetime = _instant(nullable=False)
    attempts: int = Field(sa_column_kwargs={"server_default": text("0")})
    last_error: str | None = _text()
    refusal_code: str | None = _text()
    refusal_facts: dict[str, Any] | None = Field(sa_column=Column(JSONB))
    hold_id: UUID | None = Field(sa_column=Column(Uuid))
    posting_id: UUID | None = Field(sa_column=Column(Uuid))
    reversal_id: UUID | None = Field(sa_column=Column(Uuid))
    completed_at: datetime | None = _instant()
    cancelled_at: datetime | None = _instant()
    cancelled_by: str | None = _text()
    cancel_reason: str | None = _text()
    fulfilled_at: datetime | None = _instant()
    fulfilled_by: str | None = _text()
    tracking_no: str | None = _text()
    note: str | None = _text()


class TakenRow(Table, table=True):
    """How many pieces of an item a member has, those of orders in doubt included; what limits are held against."""

    __tablename__ = "redemption_taken"
    __table_args__ = (CheckConstraint("quantity >= 0", name="taken_is_never_negative"),)

    program_id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    member_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    item: str = Field(sa_column=Column(Text, primary_key=True))
    quantity: int = Field(sa_column=Column(BigInteger, nullable=False))


orders = core(OrderRow)
taken = core(TakenRow)
