"""Every SQL statement over programs."""

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session

from services.referrals.programs.models import programs


def put_program(session: Session, program_id: int, time_zone: str) -> None:
    """Insert the program or change it."""
    row = insert(programs).values(program_id=program_id, time_zone=time_zone)
    session.execute(
        row.on_conflict_do_update(index_elements=["program_id"], set_={"time_zone": row.excluded.time_zone})
    )


def find_time_zone(session: Session, program_id: int) -> str | None:
    """The program's zone, or None when its settings have not come yet."""
    return session.scalar(select(programs.c.time_zone).where(programs.c.program_id == program_id))
