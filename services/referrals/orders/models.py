"""Tables of orders, their refunds, and what could not be used."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Column, text
from sqlmodel import Field

from common.database import core
from services.referrals.database import Table, instant, optional_instant


class OrderRow(Table, table=True):
    """One order. What was paid is unknown while only its refund has been told."""

    __tablename__ = "referrals_orders"
    __table_args__ = (
        CheckConstraint("paid_fen >= 0 AND refunded_fen >= 0", name="orders_amounts_are_not_negative"),
        CheckConstraint("(paid_fen IS NULL) = (paid_at IS NULL)", name="orders_paid_at_some_time"),
    )

    program_id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    order_id: str = Field(primary_key=True)
    member_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    paid_fen: int | None = Field(sa_column=Column(BigInteger, nullable=True))
    refunded_fen: int = Field(sa_column=Column(BigInteger, nullable=False, server_default=text("0")))
    paid_at: datetime | None = Field(sa_column=optional_instant())


class OrderRefundRow(Table, table=True):
    """One refund of an order, so that a refund told twice counts once."""

    __tablename__ = "referrals_order_refunds"
    __table_args__ = (CheckConstraint("refunded_fen > 0", name="order_refunds_give_something_back"),)

    program_id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    order_id: str = Field(primary_key=True)
    member_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    refund_id: str = Field(primary_key=True)
    refunded_fen: int = Field(sa_column=Column(BigInteger, nullable=False))
    refunded_at: datetime = Field(sa_column=instant())


class SetAsideRow(Table, table=True):
    """A fact that could not be used, and why: nothing is dropped without a word."""

    __tablename__ = "referrals_set_aside_facts"

    program_id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    source: str = Field(primary_key=True)
    fact_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    topic: str
    reason: str
    at: datetime = Field(sa_column=instant())


orders = core(OrderRow)
order_refunds = core(OrderRefundRow)
set_aside_facts = core(SetAsideRow)
