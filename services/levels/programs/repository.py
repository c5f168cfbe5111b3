"""Every SQL statement over program settings, and over how far the points feed has been applied."""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session

from services.levels.database import feed
from services.levels.programs.domain import ProgramSettings
from services.levels.programs.models import programs


def put_programs(session: Session, told: list[ProgramSettings]) -> None:
    """Keep what is newer than what we have; at most one row per program."""
    statement = insert(programs).values([asdict(one) for one in told])
    new = statement.excluded
    changes = {"name": new.name, "time_zone": new.time_zone, "currency": new.currency, "fact_id": new.fact_id}
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["program_id"], set_=changes, where=programs.c.fact_id < new.fact_id
        )
    )


def find_time_zones(session: Session, program_ids: Iterable[int]) -> dict[int, str]:
    """The zones of those programs that we were told of."""
    wanted = select(programs.c.program_id, programs.c.time_zone).where(programs.c.program_id.in_(set(program_ids)))
    return {row.program_id: row.time_zone for row in session.execute(wanted)}


def every_time_zone(session: Session) -> dict[int, str]:
    """The zone of every program that we were told of."""
    rows = session.execute(select(programs.c.program_id, programs.c.time_zone))
    return {row.program_id: row.time_zone for row in rows}


def points_applied_at(session: Session) -> datetime:
    """When facts of points were last applied; this instant when there never were any."""
    applied = select(feed.cursors.c.applied_at).where(feed.cursors.c.source == "points").scalar_subquery()
    at: datetime = session.execute(select(func.coalesce(applied, func.clock_timestamp()))).scalar_one()
    return at
