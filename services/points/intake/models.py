"""Tables of intake: events with their outcome, orders with their awards, and who the subjects are."""

from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, BigInteger, CheckConstraint, Column, DateTime, Index, LargeBinary, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from common.database import core
from services.points.database import Table


class EventRow(Table, table=True):
    """One event for ever, with what came of it and why: back-tests and questions read it."""

    __tablename__ = "points_events"
    __table_args__ = (Index("points_events_of_member", "program_id", "member_id", "time"),)

    program_id: int = Field(primary_key=True)
    source: str = Field(primary_key=True)
    id: str = Field(primary_key=True)
    type: str
    member_id: int = Field(sa_column=Column(BigInteger, nullable=False))
    time: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    received_at: datetime = Field(
        sa_column=Column(DateTime(timezone=True), nullable=False, server_default=text("clock_timestamp()"))
    )
    fingerprint: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    data: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    result: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))


class OrderRow(Table, table=True):
    """One order: what was paid and refunded, and what it was awarded, so that refunds reverse what really happened."""

    __tablename__ = "points_orders"
    __table_args__ = (
        CheckConstraint("paid_fen >= 0 AND refunded_fen >= 0", name="orders_pay_and_refund_no_less_than_nothing"),
    )

    program_id: int = Field(primary_key=True)
    member_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    order_id: str = Field(primary_key=True)
    paid_event: str | None
    paid_fen: int = Field(sa_column=Column(BigInteger, nullable=False))
    refunded_fen: int = Field(sa_column=Column(BigInteger, nullable=False))
    refunds: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    awards: list[dict[str, Any]] = Field(sa_column=Column(JSONB, nullable=False))


class IdentityRow(Table, table=True):
    """Who a subject is, as levels once said; a cache that saves asking again."""

    __tablename__ = "points_identities"

    program_id: int = Field(primary_key=True)
    type: str = Field(primary_key=True)
    app: str = Field(primary_key=True)
    value: str = Field(primary_key=True)
    member_id: int = Field(sa_column=Column(BigInteger, nullable=False))


events = core(EventRow)
orders = core(OrderRow)
identities = core(IdentityRow)
