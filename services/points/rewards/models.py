"""The table of grants applied."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Column, DateTime, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from common.database import core
from services.points.database import Table


class GrantRow(Table, table=True):
    """One grant: what was posted for it, what of it was taken back, or why nothing was posted."""

    __tablename__ = "points_grants"

    program_id: int = Field(primary_key=True)
    member_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    grant_id: str = Field(primary_key=True)
    parts: list[dict[str, Any]] = Field(sa_column=Column(JSONB, nullable=False))
    refused: str | None
    cause: str = Field(sa_column=Column(Text, nullable=False))
    rule: str = Field(sa_column=Column(Text, nullable=False))
    applied_at: datetime = Field(
        sa_column=Column(DateTime(timezone=True), nullable=False, server_default=text("clock_timestamp()"))
    )


grants = core(GrantRow)
