"""Making sets of codes, taking them out to be printed, and redeeming one."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session

from common.settings import settings
from services.points import wakeups
from services.points.codes import domain, repository
from services.points.codes.domain import (
    MOST_SETS,
    CodeExpired,
    CodeLimitReached,
    CodeSetFixed,
    CodeTaken,
    CodeUsed,
    CodeWithoutReward,
    Terms,
    TooManyCodeSets,
    UnknownCode,
)
from services.points.intake import use_cases as intake
from services.points.intake.domain import our_event
from services.points.programs.use_cases import program_book

#: Codes made in one transaction.
_SLICE = 5_000


@dataclass(frozen=True, slots=True)
class Redeemed:
    """What a code brought: its set, and what each rule decided."""

    code_set: str
    name_en: str
    name_zh: str
    redeemed_at: datetime
    decisions: list[dict[str, Any]]


def put_set(session: Session, *, program_id: int, code: str, terms: Terms, by: str, now: datetime) -> dict[str, Any]:
    """Make a set of codes; the same again changes nothing. Its codes are made at once, or soon by a job.

    Raises `BadCodeSet`, `CodeSetFixed`, `CodeTaken`, `TooManyCodeSets`.
    """
    domain.check(terms)
    program_book(session, program_id)
    repository.lock_sets(session, program_id)
    known = repository.find_set(session, program_id, code)
    if known is None:
        if repository.count_sets(session, program_id) >= MOST_SETS:
            raise TooManyCodeSets(most=MOST_SETS)
        repository.add_set(session, program_id, code, terms, by=by, now=now)
        if make(session, program_id=program_id, code=code):
            wakeups.ask(session, "make_codes", program_id, code)
    elif _terms(known) != terms:
        raise CodeSetFixed(code_set=code)
    return show_set(session, program_id=program_id, code=code)


def make(session: Session, *, program_id: int, code: str) -> bool:
    """Make the next codes of a set; whether there are more to make. Raises `UnknownCodeSet`, `CodeTaken`."""
    row = repository.get_set(session, program_id, code, lock=True)
    secret = _secret()
    numbers = range(row.next_number, row.next_number + min(_SLICE, row.count - row.made))
    made = [
        (number, domain.digest_of(_text(row, number, secret), secret=secret, program_id=program_id))
        for number in numbers
    ]
    added = repository.add_codes(session, program_id, code, made)
    if domain.is_public(row.pattern) and added < len(made):
        raise CodeTaken(pattern=row.pattern)
    repository.mark_made(session, program_id, code, more=added, next_number=numbers.stop)
    return bool(row.made + added < row.count)


def list_unmade(session: Session) -> list[tuple[int, str]]:
    """Sets whose codes are not all made: `(program_id, code)`."""
    return [(row.program_id, row.code) for row in repository.list_unmade(session)]


def show_set(session: Session, *, program_id: int, code: str) -> dict[str, Any]:
    """A set, how many of its codes are made, and how they were redeemed. Raises `UnknownCodeSet`."""
    row = repository.get_set(session, program_id, code)
    uses, used, members = repository.count_uses(session, program_id, code)
    return {**row._mapping, "uses": uses, "used": used, "members": members}


def list_sets(session: Session, *, program_id: int) -> Any:
    """The program's sets by code."""
    return repository.list_sets(session, program_id)


def close_set(session: Session, *, program_id: int, code: str, by: str, now: datetime) -> dict[str, Any]:
    """Let no code of the set be redeemed from now on; closed again, it stays as it is. Raises `UnknownCodeSet`."""
    if repository.get_set(session, program_id, code, lock=True).closed_at is None:
        repository.mark_closed(session, program_id, code, by=by, now=now)
    return show_set(session, program_id=program_id, code=code)


def take_out(session: Session, *, program_id: int, code: str, after: int, limit: int) -> Iterator[dict[str, Any]]:
    """`number, code, uses` of the set's codes behind the number `after`, to be printed. Raises `UnknownCodeSet`."""
    row, secret = repository.get_set(session, program_id, code), _secret()
    page = repository.list_codes(session, program_id, code, after=after, limit=limit)
    return ({"number": one.number, "code": _text(row, one.number, secret), "uses": one.uses} for one in page)


def redeem(session: Session, *, program_id: int, member_id: int, text: str, now: datetime) -> Redeemed:
    """Redeem a code: it counts as used, and rules reward `code.redeemed`, both or neither.

    Raises `UnknownCode`, `CodeNotStarted`, `CodeExpired`, `CodeUsed`, `CodeLimitReached`, `CodeWithoutReward`.
    """
    digest = domain.digest_of(text, secret=_secret(), program_id=program_id)
    found = repository.find_code(session, program_id, digest)
    if found is None:
        raise UnknownCode()
    _check_open(found, now)
    already = repository.lock_member(session, program_id, member_id, found.code)
    if found.uses_per_member is not None and already >= found.uses_per_member:
        raise CodeLimitReached(most=found.uses_per_member)
    decisions = _reward(session, program_id, member_id, found, already + 1, now)
    # Last of all: whoever redeems the same code waits for this commit only, not for what was decided before it.
    if not repository.use_code(session, program_id, digest, most=found.uses_per_code):
        raise CodeUsed()
    repository.add_use(session, program_id, member_id, found.code, nth=already + 1, number=found.number, now=now)
    return Redeemed(found.code, found.name_en, found.name_zh, now, decisions)


def _check_open(found: Any, now: datetime) -> None:
    domain.check_open(starts_at=found.starts_at, ends_at=found.ends_at, now=now)
    if found.closed_at is not None:
        raise CodeExpired(ended_at=found.closed_at.isoformat())
    if found.uses_per_code is not None and found.uses >= found.uses_per_code:
        raise CodeUsed()


def _reward(
    session: Session, program_id: int, member_id: int, found: Any, nth: int, now: datetime
) -> list[dict[str, Any]]:
    """What the rules decide about the use; raises `CodeWithoutReward` when none of them awards anything."""
    name = f"{found.code}/{found.number}/{member_id}/{nth}"
    data = {"code_set": found.code, "number": found.number}
    event = our_event("codes", name, "code.redeemed", member_id=member_id, time=now, data=data)
    [taken] = intake.take_in(session, program_id=program_id, events=[event], now=now)
    decisions: list[dict[str, Any]] = json.loads(taken.result)["decisions"]
    if not any(one["amount"] for one in decisions):
        raise CodeWithoutReward(reason=", ".join(f"{one['rule']}: {one['reason']}" for one in decisions) or "no rule")
    return decisions


def _terms(row: Any) -> Terms:
    return Terms(**{name: getattr(row, name) for name in Terms.__dataclass_fields__})


def _text(row: Any, number: int, secret: bytes) -> str:
    return domain.text_of(row.pattern, secret=secret, program_id=row.program_id, code_set=row.code, number=number)


def _secret() -> bytes:
    return settings().secret("code").encode()
