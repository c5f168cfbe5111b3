"""Fill a ledger: `python -m bench.filling <program id> <entries>` with the environment of a stack.

By the points service's own batches, without HTTP: so every entry is chained, and `verify` finds nothing wrong with it.
"""

import secrets
import sys

from bench.site import WrongResults
from bench.wire import ASSET, LINES, MEMBERS
from common.clock import now
from services.points.database import transaction
from services.points.ledger import use_cases
from services.points.ledger.domain import Kind, Status
from services.points.ledger.use_cases import Command
from services.points.programs.use_cases import program_book


def fill(program_id: int, entries: int) -> None:
    """Post so many entries, a thousand at a time, to all members in turn."""
    prefix = secrets.token_hex(6)
    with transaction() as session:
        book = program_book(session, program_id)
    zones = {program_id: book.program.time_zone}
    for first in range(0, entries, LINES):
        instant = now()
        lines = [
            use_cases.line_of(book, _command(f"{prefix}-{number}", number % MEMBERS + 1), now=instant)
            for number in range(first, first + LINES)
        ]
        with transaction() as session:
            outcomes = use_cases.post(session, lines, zones=zones)
        if any(outcome.status != Status.POSTED for outcome in outcomes):
            raise WrongResults("a posting was refused")


def _command(key: str, member_id: int) -> Command:
    return Command(
        scope="system:filling",
        key=key,
        kind=Kind.EARN,
        member_id=member_id,
        asset=ASSET,
        amount=10,
        cause=f"system:filling {key}",
    )


if __name__ == "__main__":
    fill(int(sys.argv[1]), int(sys.argv[2]))
