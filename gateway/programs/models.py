"""The table of programs."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Column, DateTime, Identity, Integer, Text, UniqueConstraint, text
from sqlmodel import Field

from common.database import core
from gateway.database import Table


class ProgramRow(Table, table=True):
    """One program. Its id is given here and is the tenant everywhere."""

    __tablename__ = "gateway_programs"
    __table_args__ = (
        UniqueConstraint("code", name="gateway_programs_once_per_code"),
        CheckConstraint("code ~ '^[a-z][a-z0-9_-]{0,63}$'", name="gateway_programs_have_a_code"),
        CheckConstraint("length(name) BETWEEN 1 AND 100", name="gateway_programs_have_a_name"),
    )

    program_id: int = Field(sa_column=Column(Integer, Identity(always=True), primary_key=True))
    code: str = Field(sa_column=Column(Text, nullable=False))
    name: str = Field(sa_column=Column(Text, nullable=False))
    wechat_appid: str | None = Field(default=None, sa_column=Column(Text))
    created_at: datetime = Field(
        sa_column=Column(DateTime(timezone=True), nullable=False, server_default=text("clock_timestamp()"))
    )


programs = core(ProgramRow)
