"""Tables of programs and assets."""

from datetime import datetime

from sqlalchemy import Column, DateTime, SmallInteger, UniqueConstraint, text
from sqlmodel import Field

from common.database import core
from services.points.database import Table


def _changed_at() -> Column[datetime]:
    return Column(DateTime(timezone=True), nullable=False, server_default=text("clock_timestamp()"))


class ProgramRow(Table, table=True):
    """One program."""

    __tablename__ = "points_programs"

    program_id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    name: str
    time_zone: str
    currency: str
    changed_at: datetime = Field(sa_column=_changed_at())


class AssetRow(Table, table=True):
    """One asset of a program; `id` is its short name inside the ledger's keys."""

    __tablename__ = "points_assets"
    __table_args__ = (UniqueConstraint("program_id", "code", name="points_assets_once_per_code"),)

    program_id: int = Field(primary_key=True)
    id: int = Field(sa_column=Column(SmallInteger, primary_key=True, autoincrement=False))
    code: str
    name_en: str
    name_zh: str
    debt_allowed: bool
    validity: str
    changed_at: datetime = Field(sa_column=_changed_at())


programs = core(ProgramRow)
assets = core(AssetRow)
