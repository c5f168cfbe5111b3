"""A fact, and a page of a feed, as plain values."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that happened, once, in the service `source`.

    `id` never changes and is unique in its source, so `natural_key` names the fact for ever. `at` is when it was
    appended; what the fact is about, including business time, stands in `payload`.
    """

    source: str
    id: int
    topic: str
    program_id: int
    member_id: int | None
    at: datetime
    payload: dict[str, Any]

    @property
    def natural_key(self) -> str:
        """E.g. `levels:1234`."""
        return f"{self.source}:{self.id}"


@dataclass(frozen=True, slots=True)
class Page:
    """A stretch of a feed in commit order, the cursor behind it, and whether more stood ready."""

    facts: list[Fact]
    cursor: str
    more: bool
