"""The table of grants."""

from datetime import datetime
from typing import Any

from sqlmodel import Field

from common.database import core
from services.levels import columns
from services.levels.database import Table


class GrantRow(Table, table=True):
    """A reward handed out; append-only, and the key is what makes it happen once."""

    __tablename__ = "levels_grants"

    program_id: int = Field(sa_column=columns.program_key())
    member_id: int = Field(sa_column=columns.member_key())
    grant_id: str = Field(sa_column=columns.text_key())
    reward: Any = Field(sa_column=columns.document())
    cause: str = Field(sa_column=columns.name())
    rule: str = Field(sa_column=columns.name())
    at: datetime = Field(sa_column=columns.instant())


grants = core(GrantRow)
