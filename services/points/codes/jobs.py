"""What the worker does for codes: a slice a transaction, so that a killed job loses a slice and nothing else."""

from services.points import wakeups
from services.points.codes import use_cases
from services.points.database import transaction


def make(program_id: int, code: str) -> None:
    """Make the codes of a set that are not made yet."""
    more = True
    while more:
        with transaction() as session:
            more = use_cases.make(session, program_id=program_id, code=code)


def resume() -> None:
    """Ask again for a job for every set whose codes are not all made."""
    with transaction() as session:
        for program_id, code in use_cases.list_unmade(session):
            wakeups.ask(session, "make_codes", program_id, code)
