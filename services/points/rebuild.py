"""What can be computed again from the journal and the events: packages list theirs, `replay` compares them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sqlmodel import Session

#: Called with how many steps were done since the last call.
Advance = Callable[[int], None]
#: How many steps a rebuild has, for the progress bar.
Steps = Callable[[Session], int]
#: Computes tables anew into their empty scratch copies, whose names `Mapping` gives by the tables' own.
Build = Callable[[Session, Mapping[str, str], Advance], None]


@dataclass(frozen=True, slots=True)
class Compared:
    """A table, its key in order, and what is compared besides: columns or SQL expressions that a rebuild determines.

    A hint that only says when to look again is not among them. `where` leaves rows out, live and rebuilt.
    When `grouped` the key names several rows, and the columns are aggregates over them.
    """

    table: str
    key: tuple[str, ...]
    columns: tuple[str, ...]
    where: str = "true"
    grouped: bool = False


@dataclass(frozen=True, slots=True)
class Rebuild:
    """Tables that one pass computes anew, from anything but themselves."""

    name: str
    tables: tuple[Compared, ...]
    steps: Steps
    build: Build
