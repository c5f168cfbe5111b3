"""The teller: takes a command or a question over the counter, has it done together with what else is there, answers."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from threading import BoundedSemaphore
from time import monotonic, sleep

from common.clock import from_epoch_us, now
from common.together import Together
from services.points.database import UNAVAILABLE, database, retried, transaction
from services.points.ledger import present_repository, use_cases
from services.points.ledger.books import AccountKey
from services.points.ledger.domain import Line, Outcome, Status
from services.points.ledger.present_repository import Found, Held, Owner
from services.points.ledger.use_cases import Command
from services.points.programs.use_cases import ProgramBook, read_book, remembered_book

#: How long who waits for news of an account lets it be before looking again.
_LOOK_AGAIN_SECONDS = 0.5
#: So many may wait in a process: a fifth of the connections that it serves.
_MOST_WAITING = 200
_places_to_wait = BoundedSemaphore(_MOST_WAITING)


@dataclass(frozen=True)
class Posted:
    """An outcome as it is shown."""

    posting_id: uuid.UUID
    kind: str
    member_id: int
    asset: str
    amount: int
    wanted: int | None
    capped: str | None
    seq: int
    balance: int
    available: int
    held: int
    debt: int
    at: datetime
    replayed: bool


def _post_together(lines: Sequence[Line]) -> list[Outcome]:
    zones = {program_id: book_of(program_id).program.time_zone for program_id in {line.program_id for line in lines}}
    return retried(lambda session: use_cases.post(session, lines, zones=zones))


def _find_together(keys: Sequence[AccountKey]) -> list[Found | None]:
    with database.autocommit() as connection:
        return present_repository.find_accounts(connection, keys)


def _list_together(owners: Sequence[Owner]) -> list[list[Held]]:
    with database.autocommit() as connection:
        return present_repository.list_accounts(connection, owners)


poster: Together[Line, Outcome] = Together(_post_together, of=attrgetter("account"), unavailable=UNAVAILABLE)
_finder: Together[AccountKey, Found | None] = Together(_find_together, of=lambda key: key, unavailable=UNAVAILABLE)
_lister: Together[Owner, list[Held]] = Together(_list_together, of=lambda owner: owner, unavailable=UNAVAILABLE)


def book_of(program_id: int) -> ProgramBook:
    """The program's settings; raises `UnknownProgram`."""
    book = remembered_book(program_id)
    if book is None:
        with transaction() as session:
            book = read_book(session, program_id)
    return book


def find(key: AccountKey) -> Found | None:
    """The account with all that was committed before this was asked."""
    return _finder.submit(key)


def list_of(owner: Owner) -> list[Held]:
    """All accounts of a member, as `find` finds one, without their sums."""
    return _lister.submit(owner)


def wait_for_news(account: AccountKey, *, after_seq: int, seconds: float) -> None:
    """Return once the account has an entry behind the seq, or when so many seconds are over; at once in a crowd.

    Whoever waits looks now and then, those who look together by one statement, and holds nothing in between.
    """
    if not seconds or not _places_to_wait.acquire(blocking=False):
        return
    try:
        until = monotonic() + seconds
        while not _has_news(account, after_seq) and (left := until - monotonic()) > 0:
            sleep(min(_LOOK_AGAIN_SECONDS, left))
    finally:
        _places_to_wait.release()


def submit(program_id: int, command: Command) -> Posted:
    """Post one command; raises why it was refused."""
    outcome = poster.submit(use_cases.line_of(book_of(program_id), command, now=now()))
    if outcome.status != Status.POSTED:
        raise use_cases.refusal_of(outcome)
    return Posted(
        uuid.UUID(bytes=outcome.posting_id),
        outcome.kind.name.lower(),
        outcome.member_id,
        command.asset,
        outcome.amount,
        outcome.wanted,
        outcome.capped,
        outcome.seq,
        outcome.balance,
        outcome.available,
        outcome.held,
        outcome.debt,
        from_epoch_us(outcome.at_us),
        outcome.replayed,
    )


def _has_news(account: AccountKey, after_seq: int) -> bool:
    *owner, asset_id = account
    return any(it.asset_id == asset_id and it.seq > after_seq for it, _ in list_of((owner[0], owner[1])))
