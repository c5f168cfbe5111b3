"""Table of programs."""

from sqlmodel import Field

from common.database import core
from services.referrals.database import Table


class ProgramRow(Table, table=True):
    """The settings of one program, projected from `program.configured`."""

    __tablename__ = "referrals_programs"

    program_id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    time_zone: str


programs = core(ProgramRow)
