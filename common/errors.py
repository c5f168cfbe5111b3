"""Refusals: what the rules do not allow. The core raises them, the HTTP edge has one table that words them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar


class Refusal(Exception):
    """A rule said no. Nothing was written. `facts` are the numbers and names that a message needs.

    Subclasses are named after what was refused (`InsufficientPoints`) and carry a stable `code`. `replayed`: it was
    said before, under the same idempotency key.
    """

    code: ClassVar[str] = "refused"

    def __init__(self, **facts: int | str) -> None:
        super().__init__(self.code, facts)
        self.facts = facts
        self.replayed = False


@dataclass(frozen=True, slots=True)
class FieldFault:
    """What is wrong with one field: a JSON pointer into the request and a sentence in each language."""

    pointer: str
    en: str
    zh: str


class FieldsRefused(Refusal):
    """A rule said no to several fields at once: one fault each, shown in the problem's `errors`."""

    def __init__(self, faults: Sequence[FieldFault], **facts: int | str) -> None:
        super().__init__(**facts)
        self.faults = faults


class NotFound(Refusal):
    """No such row for this caller: also said of rows of another program or member."""

    code = "not_found"


class KeyReused(Refusal):
    """The idempotency key was used before with another request."""

    code = "idempotency_key_reused"


class Busy(Refusal):
    """Someone else holds what this request needs; the same request may be sent again."""

    code = "busy"


class NeighbourUnavailable(Refusal):
    """A service that this request needs does not answer now; the same request may be sent again."""

    code = "service_unavailable"
