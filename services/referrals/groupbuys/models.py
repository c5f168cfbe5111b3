"""Tables of group-buys."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, SmallInteger, UniqueConstraint, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from common.database import core
from services.referrals.database import Table, instant, optional_instant


class CampaignRow(Table, table=True):
    """One version of a campaign; rows are only ever added."""

    __tablename__ = "referrals_groupbuy_campaigns"
    __table_args__ = (
        CheckConstraint("size BETWEEN 2 AND 100", name="groupbuy_campaigns_are_for_two_to_a_hundred"),
        CheckConstraint(
            "price_fen >= 1 AND window_seconds >= 1 AND seat_hold_seconds >= 1 AND per_member_limit >= 1",
            name="groupbuy_campaigns_have_positive_terms",
        ),
        CheckConstraint("ends_at > starts_at", name="groupbuy_campaigns_end_after_they_start"),
    )

    program_id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    code: str = Field(primary_key=True)
    version: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    item: str
    price_fen: int = Field(sa_column=Column(BigInteger, nullable=False))
    size: int = Field(sa_column=Column(SmallInteger, nullable=False))
    window_seconds: int
    seat_hold_seconds: int
    per_member_limit: int
    new_members_only: bool
    reward_on_fill: list[dict[str, Any]] = Field(sa_column=Column(JSONB, nullable=False))
    reward_for_head: list[dict[str, Any]] = Field(sa_column=Column(JSONB, nullable=False))
    starts_at: datetime | None = Field(sa_column=optional_instant())
    ends_at: datetime | None = Field(sa_column=optional_instant())
    created_by: str
    created_at: datetime = Field(sa_column=instant())


class GroupRow(Table, table=True):
    """One group. Its row is the lock under which its seats change."""

    __tablename__ = "referrals_groupbuys"
    __table_args__ = (
        CheckConstraint("state IN ('open', 'filled', 'expired')", name="groupbuys_have_a_known_state"),
        CheckConstraint("(state = 'open') = (closed_at IS NULL)", name="groupbuys_close_once"),
        CheckConstraint("due_at > opened_at", name="groupbuys_last_some_time"),
        Index("groupbuys_to_join", "program_id", "campaign", "due_at", "id", postgresql_where=text("state = 'open'")),
        Index("groupbuys_due", "due_at", "program_id", "id", postgresql_where=text("state = 'open'")),
    )

    program_id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    campaign: str
    version: int
    head_id: int = Field(sa_column=Column(BigInteger, nullable=False))
    state: str
    opened_at: datetime = Field(sa_column=instant())
    due_at: datetime = Field(sa_column=instant())
    closed_at: datetime | None = Field(sa_column=optional_instant())


class SeatRow(Table, table=True):
    """One seat: all seats of a group stand from its opening, so that no more can ever be taken."""

    __tablename__ = "referrals_groupbuy_seats"
    __table_args__ = (
        UniqueConstraint("program_id", "seat_id", name="groupbuy_seats_once_per_id"),
        UniqueConstraint("program_id", "group_id", "holder_id", name="groupbuy_seats_one_a_member"),
        UniqueConstraint("program_id", "order_id", "holder_id", name="groupbuy_seats_one_an_order"),
        CheckConstraint("number BETWEEN 1 AND 100", name="groupbuy_seats_are_numbered"),
        CheckConstraint(
            "CASE state"
            " WHEN 'free' THEN holder_id IS NULL AND held_until IS NULL AND order_id IS NULL"
            " WHEN 'held' THEN holder_id IS NOT NULL AND held_until IS NOT NULL AND order_id IS NULL"
            " WHEN 'lapsed' THEN holder_id IS NOT NULL AND held_until IS NOT NULL AND order_id IS NULL"
            " WHEN 'paid' THEN holder_id IS NOT NULL AND order_id IS NOT NULL AND paid_at IS NOT NULL"
            " ELSE false END",
            name="groupbuy_seats_are_free_held_or_paid",
        ),
        CheckConstraint("refunded_at IS NULL OR state = 'paid'", name="groupbuy_seats_refunded_were_paid"),
        Index("groupbuy_seats_of_a_member", "program_id", "holder_id"),
        Index("groupbuy_seats_to_release", "held_until", postgresql_where=text("state = 'held'")),
    )

    program_id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    group_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    number: int = Field(sa_column=Column(SmallInteger, primary_key=True, autoincrement=False))
    seat_id: UUID = Field(sa_column=Column(Uuid, nullable=False))
    state: str = Field(sa_column_kwargs={"server_default": text("'free'")})
    holder_id: int | None = Field(sa_column=Column(BigInteger, nullable=True))
    held_until: datetime | None = Field(sa_column=optional_instant())
    order_id: str | None
    cause: str | None
    paid_at: datetime | None = Field(sa_column=optional_instant())
    refunded_at: datetime | None = Field(sa_column=optional_instant())


class ParticipantRow(Table, table=True):
    """A member in a campaign: the lock under which their seats are counted against the limit."""

    __tablename__ = "referrals_groupbuy_participants"

    program_id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    member_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    campaign: str = Field(primary_key=True)


campaigns = core(CampaignRow)
groups = core(GroupRow)
seats = core(SeatRow)
participants = core(ParticipantRow)
