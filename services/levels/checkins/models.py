"""Tables of check-ins."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, Column, Date, Index, Integer, text
from sqlmodel import Field

from common.database import core
from services.levels import columns
from services.levels.database import Table


class CampaignRow(Table, table=True):
    """A published version of a campaign; never changed."""

    __tablename__ = "levels_checkin_campaigns"
    __table_args__ = (CheckConstraint("version > 0", name="checkin_campaigns_count_from_one"),)

    program_id: int = Field(sa_column=columns.program_key())
    code: str = Field(sa_column=columns.text_key())
    version: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    published_at: datetime = Field(sa_column=columns.instant())
    published_by: str = Field(sa_column=columns.name())
    terms: Any = Field(sa_column=columns.document())


class CheckInRow(Table, table=True):
    """One check-in. The key is the lock: one per member, campaign and business day (T4)."""

    __tablename__ = "levels_checkins"

    program_id: int = Field(sa_column=columns.program_key())
    member_id: int = Field(sa_column=columns.member_key())
    campaign: str = Field(sa_column=columns.text_key())
    day: date = Field(sa_column=columns.day_key())
    at: datetime = Field(sa_column=columns.instant())
    version: int = Field(sa_column=Column(Integer, nullable=False))
    reward: Any = Field(sa_column=columns.document())


class MilestoneRow(Table, table=True):
    """A milestone a member reached, once per campaign; due until `granted_at`. `gift`: the reward, not its fallback."""

    __tablename__ = "levels_milestones"
    __table_args__ = (
        CheckConstraint("streak > 0", name="milestones_need_a_streak"),
        CheckConstraint("(granted_at IS NULL) = (gift IS NULL)", name="milestones_say_what_was_granted"),
        Index("levels_milestones_due", "at", postgresql_where=text("granted_at IS NULL")),
    )

    program_id: int = Field(sa_column=columns.program_key())
    member_id: int = Field(sa_column=columns.member_key())
    campaign: str = Field(sa_column=columns.text_key())
    streak: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    version: int = Field(sa_column=Column(Integer, nullable=False))
    day: date = Field(sa_column=Column(Date, nullable=False))
    at: datetime = Field(sa_column=columns.instant())
    granted_at: datetime | None = Field(sa_column=columns.instant(nullable=True))
    gift: bool | None


class StockRow(Table, table=True):
    """How many of a milestone's rewards there are, and how many have been given."""

    __tablename__ = "levels_milestone_stocks"
    __table_args__ = (CheckConstraint("taken BETWEEN 0 AND stock", name="milestone_stock_is_never_exceeded"),)

    program_id: int = Field(sa_column=columns.program_key())
    campaign: str = Field(sa_column=columns.text_key())
    streak: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    stock: int = Field(sa_column=columns.big())
    taken: int = Field(sa_column=columns.big())


campaigns = core(CampaignRow)
checkins = core(CheckInRow)
milestones = core(MilestoneRow)
stocks = core(StockRow)
