"""Table of restored days."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint
from sqlmodel import Field

from common.database import core
from services.levels import columns
from services.levels.database import Table


class RestoredDayRow(Table, table=True):
    """A day that was given back to a member. Its check-in stands beside it, without a reward."""

    __tablename__ = "levels_restored_days"
    __table_args__ = (CheckConstraint("reason <> ''", name="restored_days_have_a_reason"),)

    program_id: int = Field(sa_column=columns.program_key())
    member_id: int = Field(sa_column=columns.member_key())
    campaign: str = Field(sa_column=columns.text_key())
    day: date = Field(sa_column=columns.day_key())
    restored_at: datetime = Field(sa_column=columns.instant())
    restored_by: str = Field(sa_column=columns.name())
    reason: str = Field(sa_column=columns.name())


restored_days = core(RestoredDayRow)
