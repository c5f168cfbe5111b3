"""Single postings without HTTP: what the points service does behind its route, in one process of its own.

Run it as `python -m gevent.monkey --module bench.inside <program id> <seconds>` with the environment of a stack; it
prints JSON.
"""

import json
import secrets
import sys
import time

import gevent

from bench.site import WrongResults
from bench.wire import ASSET, MEMBERS
from common.clock import now
from services.points.database import transaction
from services.points.ledger.domain import Kind, Status
from services.points.ledger.teller import poster
from services.points.ledger.use_cases import Command, line_of
from services.points.programs.use_cases import program_book

CALLERS = 64


def run(program_id: int, seconds: float) -> dict[str, float]:
    """How many postings 64 callers made in how many seconds."""
    with transaction() as session:
        book = program_book(session, program_id)
    began = time.perf_counter()
    deadline, prefix = began + seconds, secrets.token_hex(6)

    def call(caller: int) -> int:
        posted = 0
        while time.perf_counter() < deadline:
            key = f"{prefix}-{caller}-{posted}"
            member = (caller + posted * CALLERS) * 7919 % MEMBERS + 1
            command = Command(
                scope="system:inside",
                key=key,
                kind=Kind.EARN,
                member_id=member,
                asset=ASSET,
                amount=10,
                cause=f"system:inside {key}",
            )
            if poster.submit(line_of(book, command, now=now())).status != Status.POSTED:
                raise WrongResults("a posting was refused")
            posted += 1
        return posted

    callers = [gevent.spawn(call, number) for number in range(CALLERS)]
    gevent.joinall(callers, raise_error=True)
    return {"postings": sum(caller.value for caller in callers), "seconds": time.perf_counter() - began}


if __name__ == "__main__":
    print(json.dumps(run(int(sys.argv[1]), float(sys.argv[2]))))
