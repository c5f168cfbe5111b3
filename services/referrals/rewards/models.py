"""Table of grants."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Column
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from common.database import core
from services.referrals.database import Table, instant, optional_instant


class GrantRow(Table, table=True):
    """One grant, for ever; reversed at most once."""

    __tablename__ = "referrals_grants"
    __table_args__ = (
        CheckConstraint("(reversed_at IS NULL) = (reversal_cause IS NULL)", name="grants_are_reversed_for_a_cause"),
    )

    program_id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    member_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    grant_id: str = Field(primary_key=True)
    reward: list[dict[str, Any]] = Field(sa_column=Column(JSONB, nullable=False))
    cause: str
    rule: str
    at: datetime = Field(sa_column=instant())
    reversed_at: datetime | None = Field(sa_column=optional_instant())
    reversal_cause: str | None


grants = core(GrantRow)
