"""The table of program settings."""

from sqlmodel import Field

from common.database import core
from services.levels import columns
from services.levels.database import Table


class ProgramRow(Table, table=True):
    """One program as the points feed told it."""

    __tablename__ = "levels_programs"

    program_id: int = Field(sa_column=columns.program_key())
    name: str = Field(sa_column=columns.name())
    time_zone: str = Field(sa_column=columns.name())
    currency: str = Field(sa_column=columns.name())
    fact_id: int = Field(sa_column=columns.big())


programs = core(ProgramRow)
