"""Learning a program's settings, and telling them to the other domains of this service."""

from collections.abc import Iterable
from datetime import date, datetime

from sqlmodel import Session

from common.clock import business_day
from services.levels.programs import repository
from services.levels.programs.domain import DEFAULT_ZONE, ProgramSettings, newest


def learn(session: Session, told: list[ProgramSettings]) -> None:
    """Keep the newest settings of each program; told again, nothing changes."""
    repository.put_programs(session, newest(told))


def time_zones(session: Session, program_ids: Iterable[int]) -> dict[int, str]:
    """The zone of business days of each program; Asia/Shanghai until told."""
    wanted = set(program_ids)
    return dict.fromkeys(wanted, DEFAULT_ZONE) | repository.find_time_zones(session, wanted)


def every_time_zone(session: Session) -> dict[int, str]:
    """The zone of business days of every program that we were told of."""
    return repository.every_time_zone(session)


def time_zone(session: Session, program_id: int) -> str:
    """The zone of business days of one program."""
    return time_zones(session, [program_id])[program_id]


def today(session: Session, program_id: int, now: datetime) -> date:
    """The program's business day at that instant."""
    return business_day(now, time_zone(session, program_id))


def points_applied_at(session: Session) -> datetime:
    """The `as_of` of what follows from the points feed: facts up to then are in it."""
    return repository.points_applied_at(session)
