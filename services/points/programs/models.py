"""Tables of programs and assets."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    SmallInteger,
    Text,
    UniqueConstraint,
    text,
)
from sqlmodel import Field

from common.database import core
from services.points.database import Table


def _changed_at() -> Column[datetime]:
    return Column(DateTime(timezone=True), nullable=False, server_default=text("clock_timestamp()"))


def _setting(kind: Any, default: str) -> Any:
    return Field(sa_column=Column(kind, nullable=False, server_default=text(default)))


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
    __table_args__ = (
        UniqueConstraint("program_id", "code", name="points_assets_once_per_code"),
        CheckConstraint("scale BETWEEN 0 AND 4", name="assets_show_up_to_four_places"),
        CheckConstraint("grace_days BETWEEN 0 AND 366", name="assets_grace_is_days"),
        CheckConstraint("transfer_most > 0 AND transfer_most_per_day > 0", name="assets_transfer_something_or_nothing"),
    )

    program_id: int = Field(primary_key=True)
    id: int = Field(sa_column=Column(SmallInteger, primary_key=True, autoincrement=False))
    code: str
    name_en: str
    name_zh: str
    debt_allowed: bool
    validity: str
    unit_en: str = _setting(Text, "''")
    unit_zh: str = _setting(Text, "''")
    scale: int = _setting(SmallInteger, "0")
    pending: str = _setting(Text, "'none'")
    grace_days: int = _setting(SmallInteger, "0")
    transferable: bool = _setting(Boolean, "false")
    transfer_most: int | None = Field(sa_column=Column(BigInteger))
    transfer_most_per_day: int | None = Field(sa_column=Column(BigInteger))
    changed_at: datetime = Field(sa_column=_changed_at())


programs = core(ProgramRow)
assets = core(AssetRow)
