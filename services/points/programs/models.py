"""Tables of programs and assets."""

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    SmallInteger,
    Text,
    UniqueConstraint,
)
from sqlmodel import Field

from common.database import core
from services.points import columns
from services.points.database import Table


class ProgramRow(Table, table=True):
    """One program."""

    __tablename__ = "points_programs"

    program_id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    name: str
    time_zone: str
    currency: str
    changed_at: datetime = columns.made_at()


class AssetRow(Table, table=True):
    """One asset of a program; `id` is its short name inside the ledger's keys."""

    __tablename__ = "points_assets"
    __table_args__ = (
        UniqueConstraint("program_id", "code", name="points_assets_once_per_code"),
        CheckConstraint("scale BETWEEN 0 AND 4", name="assets_show_up_to_four_places"),
        CheckConstraint("grace_days BETWEEN 0 AND 366", name="assets_grace_is_days"),
        CheckConstraint("transfer_most > 0 AND transfer_most_per_day > 0", name="assets_transfer_something_or_nothing"),
        CheckConstraint("most_per_member > 0", name="assets_leave_room_for_something"),
        CheckConstraint(
            "NOT jsonb_path_exists(earning_limits, '$.* ? (@ < 1)')"
            " AND NOT jsonb_path_exists(spending_limits, '$.* ? (@ < 1)')",
            name="assets_limit_to_something",
        ),
        CheckConstraint("returns IN ('available', 'pending')", name="assets_return_what_there_is_or_what_is_pending"),
    )

    program_id: int = Field(primary_key=True)
    id: int = Field(sa_column=Column(SmallInteger, primary_key=True, autoincrement=False))
    code: str
    name_en: str
    name_zh: str
    debt_allowed: bool
    validity: str
    unit_en: str = columns.value(Text, default="''")
    unit_zh: str = columns.value(Text, default="''")
    scale: int = columns.value(SmallInteger, default="0")
    pending: str = columns.value(Text, default="'none'")
    grace_days: int = columns.value(SmallInteger, default="0")
    transferable: bool = columns.value(Boolean, default="false")
    transfer_most: int | None = Field(sa_column=Column(BigInteger))
    transfer_most_per_day: int | None = Field(sa_column=Column(BigInteger))
    most_per_member: int | None = Field(sa_column=Column(BigInteger))
    returns: str = columns.value(Text, default="'available'")
    earning_limits: dict[str, int | None] | None = columns.document(nullable=True)
    spending_limits: dict[str, int | None] | None = columns.document(nullable=True)
    changed_at: datetime = columns.made_at()


programs = core(ProgramRow)
assets = core(AssetRow)
