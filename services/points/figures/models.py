"""The rollup of the journal: one row per program, asset, business day, kind of entry and whether it was by hand."""

from datetime import date

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Column, Date, Integer, SmallInteger
from sqlmodel import Field

from common.database import core
from services.points.database import Table


class DailyFigureRow(Table, table=True):
    """What a day's entries of one kind added to and took from balances, and did to what is held."""

    __tablename__ = "points_daily_figures"
    __table_args__ = (
        CheckConstraint("credited >= 0 AND debited >= 0", name="daily_figures_keep_both_directions_apart"),
        CheckConstraint("entries > 0", name="daily_figures_stand_for_entries"),
    )

    program_id: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    asset_id: int = Field(sa_column=Column(SmallInteger, primary_key=True, autoincrement=False))
    day: date = Field(sa_column=Column(Date, primary_key=True))
    kind: int = Field(sa_column=Column(SmallInteger, primary_key=True, autoincrement=False))
    by_hand: bool = Field(sa_column=Column(Boolean, primary_key=True))
    credited: int = Field(sa_column=Column(BigInteger, nullable=False))
    debited: int = Field(sa_column=Column(BigInteger, nullable=False))
    held: int = Field(sa_column=Column(BigInteger, nullable=False))
    entries: int = Field(sa_column=Column(BigInteger, nullable=False))


daily_figures = core(DailyFigureRow)
