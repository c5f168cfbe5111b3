"""Tables of tiers."""

from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, CheckConstraint, Column, Index, Integer, text
from sqlmodel import Field

from common.database import core
from services.levels import columns
from services.levels.database import Table


class LadderRow(Table, table=True):
    """A published version of a program's ladder; never changed."""

    __tablename__ = "levels_ladders"
    __table_args__ = (CheckConstraint("version > 0", name="ladders_count_from_one"),)

    program_id: int = Field(sa_column=columns.program_key())
    version: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    since: datetime = Field(sa_column=columns.instant())
    published_by: str = Field(sa_column=columns.name())
    tiers: Any = Field(sa_column=columns.document())


class StandingRow(Table, table=True):
    """Where a member stands. `window_ends_at` is the timer; the growth columns stay out of every index."""

    __tablename__ = "levels_standings"
    __table_args__ = (
        CheckConstraint("(tier IS NULL) = (ladder_version = 0)", name="standings_have_a_tier_once_there_is_a_ladder"),
        Index("levels_standings_due", "window_ends_at", postgresql_where=text("window_ends_at IS NOT NULL")),
        Index("levels_standings_by_ladder", "program_id", "ladder_version", "tier"),
        {"postgresql_with": {"fillfactor": 80}},
    )

    program_id: int = Field(sa_column=columns.program_key())
    member_id: int = Field(sa_column=columns.member_key())
    growth: int = Field(sa_column=columns.big())
    growth_seq: int = Field(sa_column=columns.big())
    tier: str | None = Field(sa_column=columns.name(nullable=True))
    ladder_version: int = Field(sa_column=Column(Integer, nullable=False))
    since: datetime | None = Field(sa_column=columns.instant(nullable=True))
    window_ends_at: datetime | None = Field(sa_column=columns.instant(nullable=True))
    changes: int = Field(sa_column=Column(Integer, nullable=False))


class TierChangeRow(Table, table=True):
    """A decision, with cause and ladder version; append-only but for `reward_due`, which the reward job clears."""

    __tablename__ = "levels_tier_changes"
    __table_args__ = (
        CheckConstraint("kind IN ('promoted', 'demoted', 'renewed')", name="tier_changes_are_of_a_kind"),
        CheckConstraint("(kind = 'renewed') = (from_tier = to_tier)", name="tier_changes_change"),
        Index("levels_tier_changes_due", "at", postgresql_where=text("reward_due")),
    )

    program_id: int = Field(sa_column=columns.program_key())
    member_id: int = Field(sa_column=columns.member_key())
    number: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    kind: str = Field(sa_column=columns.name())
    from_tier: str = Field(sa_column=columns.name())
    to_tier: str = Field(sa_column=columns.name())
    at: datetime = Field(sa_column=columns.instant())
    cause: str = Field(sa_column=columns.name())
    ladder_version: int = Field(sa_column=Column(Integer, nullable=False))
    growth: int = Field(sa_column=columns.big())
    reward_due: bool = Field(sa_column=Column(Boolean, nullable=False))


ladders = core(LadderRow)
standings = core(StandingRow)
tier_changes = core(TierChangeRow)
