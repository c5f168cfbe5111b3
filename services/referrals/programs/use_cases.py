"""Following a program's settings."""

from sqlmodel import Session

from common.feed import Fact
from services.referrals.programs import repository

#: Where business months are cut until a program says otherwise (requirements, head).
DEFAULT_TIME_ZONE = "Asia/Shanghai"


def follow_settings(session: Session, facts: list[Fact]) -> None:
    """Take over what `program.configured` says; the last word counts."""
    for fact in facts:
        repository.put_program(session, fact.program_id, fact.payload["time_zone"])


def time_zone(session: Session, program_id: int) -> str:
    """The zone of the program's business days and months."""
    return repository.find_time_zone(session, program_id) or DEFAULT_TIME_ZONE
