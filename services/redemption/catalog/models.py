"""Tables of items: one row per version, and one row of stock that says which version is the present one.

The stock row is the only one that buyers contend on; none of its counted columns is indexed, so updates stay HOT.
"""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Column, DateTime, ForeignKeyConstraint, Text, text
from sqlmodel import Field

from common.database import core
from services.redemption.database import Table


class ItemVersionRow(Table, table=True):
    """An offer as it was set; never changed, never deleted."""

    __tablename__ = "redemption_item_versions"
    __table_args__ = (
        CheckConstraint("version > 0", name="item_versions_count_from_one"),
        CheckConstraint("price > 0", name="item_prices_are_positive"),
        CheckConstraint("per_member_limit > 0", name="item_limits_are_positive"),
        CheckConstraint("available_from < available_until", name="item_windows_open_before_they_close"),
    )

    program_id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    code: str = Field(sa_column=Column(Text, primary_key=True))
    version: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    name_en: str
    name_zh: str
    description: str
    asset: str
    price: int = Field(sa_column=Column(BigInteger, nullable=False))
    per_member_limit: int | None
    available_from: datetime | None = Field(sa_column=Column(DateTime(timezone=True)))
    available_until: datetime | None = Field(sa_column=Column(DateTime(timezone=True)))
    active: bool
    made_by: str
    made_at: datetime = Field(
        sa_column=Column(DateTime(timezone=True), nullable=False, server_default=text("clock_timestamp()"))
    )


class StockRow(Table, table=True):
    """How many pieces of an item there are; available = total − reserved − sold."""

    __tablename__ = "redemption_stock"
    __table_args__ = (
        CheckConstraint("reserved >= 0", name="stock_reserved_is_never_negative"),
        CheckConstraint("sold >= 0", name="stock_sold_is_never_negative"),
        CheckConstraint("reserved + sold <= total", name="stock_is_never_oversold"),
        ForeignKeyConstraint(
            ["program_id", "code", "version"],
            [
                "redemption_item_versions.program_id",
                "redemption_item_versions.code",
                "redemption_item_versions.version",
            ],
            name="stock_is_of_a_version_that_exists",
        ),
        {"postgresql_with": {"fillfactor": 50}},
    )

    program_id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    code: str = Field(sa_column=Column(Text, primary_key=True))
    version: int
    total: int = Field(sa_column=Column(BigInteger, nullable=False))
    reserved: int = Field(sa_column=Column(BigInteger, nullable=False, server_default=text("0")))
    sold: int = Field(sa_column=Column(BigInteger, nullable=False, server_default=text("0")))


versions = core(ItemVersionRow)
stock = core(StockRow)
