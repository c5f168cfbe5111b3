"""Setting up a program and its assets, and looking them up on the way of every posting."""

import time
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session

from common import feed as facts
from services.points.database import feed
from services.points.programs import repository
from services.points.programs.domain import Asset, Program, UnknownAsset
from services.points.programs.pending import check_pending
from services.points.programs.validity import check_validity

#: For how long a process may go on with settings that another one has changed.
_REMEMBERED_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class ProgramBook:
    """A program with its assets by code and by id."""

    program: Program
    by_code: dict[str, Asset]
    by_id: dict[int, Asset]

    def asset(self, code: str) -> Asset:
        """The asset of that code; raises `UnknownAsset`."""
        if code not in self.by_code:
            raise UnknownAsset(asset=code)
        return self.by_code[code]


_books: dict[int, tuple[float, ProgramBook]] = {}


def remembered_book(program_id: int) -> ProgramBook | None:
    """The program's settings if this process read them within the last two seconds.

    When they are older, one caller is told to read them anew, and the others go on with those of before.
    """
    read_at, book = _books.get(program_id, (0.0, None))
    now = time.monotonic()
    if book is None or now - read_at < _REMEMBERED_SECONDS:
        return book
    _books[program_id] = (now, book)
    return None


def program_book(session: Session, program_id: int) -> ProgramBook:
    """The program's settings, at most a moment older than two seconds; raises `UnknownProgram`."""
    return remembered_book(program_id) or read_book(session, program_id)


def read_book(session: Session, program_id: int) -> ProgramBook:
    """The program's settings as they are now, remembered for the others; raises `UnknownProgram`."""
    assets = repository.list_assets(session, program_id)
    program = repository.get_program(session, program_id)
    book = ProgramBook(program, {a.code: a for a in assets}, {a.id: a for a in assets})
    _books[program_id] = (time.monotonic(), book)
    return book


def forget_books() -> None:
    """Read settings anew at next use."""
    _books.clear()


def configure_program(session: Session, *, program_id: int, name: str, time_zone: str, currency: str) -> Program:
    """Create or change the program; its neighbours learn of it by the fact `program.configured`."""
    program = Program(program_id, name, time_zone, currency)
    repository.put_program(session, program)
    payload = {"name": name, "time_zone": time_zone, "currency": currency}
    _books.pop(program_id, None)
    facts.append(session, feed, "program.configured", program_id=program_id, member_id=None, payload=payload)
    return program


def show_program(session: Session, *, program_id: int) -> Program:
    """The program as it stands; raises `UnknownProgram`."""
    return repository.get_program(session, program_id)


def configure_asset(session: Session, *, program_id: int, code: str, **settings: Any) -> Asset:
    """Create an asset or change it; `settings` are the rest of `Asset`'s, and what they do not name has its default.

    Lots already earned keep their day. Raises `UnknownProgram`, `BadValidity`, `BadPending`.
    """
    check_validity(settings["validity"])
    check_pending(settings.get("pending", "none"))
    repository.lock_program(session, program_id)
    try:
        asset_id = repository.get_asset(session, program_id, code).id
    except UnknownAsset:
        asset_id = repository.next_asset_id(session, program_id)
    asset = Asset(program_id, asset_id, code, **settings)
    repository.put_asset(session, asset)
    _books.pop(program_id, None)
    return asset


def list_assets(session: Session, *, program_id: int) -> list[Asset]:
    """What members of the program can own."""
    return repository.list_assets(session, program_id)
