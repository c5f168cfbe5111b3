"""Tables of intake: events with their outcome, orders with their awards, capped claims, and who the subjects are."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from common.database import core
from services.points import columns
from services.points.database import Table


class EventRow(Table, table=True):
    """One event for ever, with what came of it and why: back-tests and questions read it."""

    __tablename__ = "points_events"
    __table_args__ = (
        Index("points_events_of_member", "program_id", "member_id", "time"),
        Index("points_events_in_time", "program_id", "time", "source", "id"),
        Index(
            "points_events_of_order",
            "program_id",
            text("(data ->> 'order_id')"),
            postgresql_where=text("data ->> 'order_id' IS NOT NULL"),
        ),
    )

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
        Index(
            "points_orders_refunded",
            "program_id",
            "member_id",
            "order_id",
            postgresql_where=text("refunded_fen > 0"),
        ),
    )

    program_id: int = Field(primary_key=True)
    member_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    order_id: str = Field(primary_key=True)
    paid_event: str | None
    paid_fen: int = Field(sa_column=Column(BigInteger, nullable=False))
    refunded_fen: int = Field(sa_column=Column(BigInteger, nullable=False))
    refunds: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    #: Time (µs since 1970 UTC) and 分 of each of `refunds`, in their order.
    refunds_at: list[int] = Field(sa_column=Column(ARRAY(BigInteger), nullable=False, server_default="{}"))
    refunds_fen: list[int] = Field(sa_column=Column(ARRAY(BigInteger), nullable=False, server_default="{}"))
    awards: list[dict[str, Any]] = Field(sa_column=Column(JSONB, nullable=False))
    claims: list[list[Any]] = Field(sa_column=Column(JSONB, nullable=False, server_default="[]"))
    confirmed_event: str | None
    confirmed_at: datetime | None = Field(sa_column=Column(DateTime(timezone=True)))
    #: By type of event that something of it waits for: when the first one happened, null while there was none.
    told: dict[str, str | None] = Field(sa_column=Column(JSONB, nullable=False, server_default="{}"))


class ClaimWindowRow(Table, table=True):
    """One member's claims on one capped rule: locked by whoever changes any of them. `total` is what they have net.

    `widest` says how far claims reach: 0 not at all, 1 the day, 2 the week, 3 the month, 4 for ever; `cooldown_hours`
    too, by hours.
    """

    __tablename__ = "points_claim_windows"

    program_id: int = columns.key(Integer)
    member_id: int = columns.key()
    rule: str = Field(primary_key=True)
    total: int = Field(sa_column=Column(BigInteger, nullable=False, server_default="0"))
    newest_at: datetime | None = Field(sa_column=Column(DateTime(timezone=True)))
    widest: int = Field(sa_column=Column(SmallInteger, nullable=False, server_default="0"))
    cooldown_hours: int = Field(sa_column=Column(SmallInteger, nullable=False, server_default="0"))


class ClaimRow(Table, table=True):
    """An award that caps bind, by the event that caused it: what was wanted, awarded and taken back."""

    __tablename__ = "points_claims"
    __table_args__ = (
        CheckConstraint("amount BETWEEN 0 AND wanted", name="claims_get_no_more_than_wanted"),
        CheckConstraint("reversed BETWEEN 0 AND amount", name="claims_give_back_no_more_than_they_got"),
        Index("points_claims_in_time", "program_id", "member_id", "rule", "at"),
    )

    program_id: int = columns.key(Integer)
    member_id: int = columns.key()
    rule: str = Field(primary_key=True)
    event: str = Field(primary_key=True)
    at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    wanted: int = Field(sa_column=Column(BigInteger, nullable=False))
    most: int | None = Field(sa_column=Column(BigInteger))
    amount: int = Field(sa_column=Column(BigInteger, nullable=False))
    reversed: int = Field(sa_column=Column(BigInteger, nullable=False))
    parts: list[int] = Field(sa_column=Column(ARRAY(BigInteger), nullable=False))
    terms: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))


class ClaimReleaseRow(Table, table=True):
    """What one refund gave back of a claim, from its own time on."""

    __tablename__ = "points_claim_releases"
    __table_args__ = (
        CheckConstraint("amount >= 0", name="releases_give_back"),
        Index("points_claim_releases_in_time", "program_id", "member_id", "rule", "at"),
    )

    program_id: int = columns.key(Integer)
    member_id: int = columns.key()
    rule: str = Field(primary_key=True)
    event: str = Field(primary_key=True)
    refund: str = Field(primary_key=True)
    at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    event_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    part: int = Field(sa_column=Column(BigInteger, nullable=False))
    whole: int = Field(sa_column=Column(BigInteger, nullable=False))
    amount: int = Field(sa_column=Column(BigInteger, nullable=False))


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
claim_windows = core(ClaimWindowRow)
claims = core(ClaimRow)
claim_releases = core(ClaimReleaseRow)
