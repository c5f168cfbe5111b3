"""Changesets as values: their states, who may move them on, and what a dry run found. Pure.

draft → checking → checked | faulty → approved → applied → undo_requested → undoing → undone. What is checked or faulty
can be checked again; what could not be applied is faulty, what could not be undone stays applied, with the lines.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from common.errors import Refusal

MOST_LINES = 100_000
MOST_PARTS = 100
#: How many of the largest lines a summary shows.
_LARGEST_SHOWN = 20


class State(StrEnum):
    """Where a changeset stands."""

    DRAFT = "draft"
    CHECKING = "checking"
    CHECKED = "checked"
    FAULTY = "faulty"
    APPROVED = "approved"
    APPLIED = "applied"
    UNDO_REQUESTED = "undo_requested"
    UNDOING = "undoing"
    UNDONE = "undone"
    REJECTED = "rejected"


_NEXT: dict[State, tuple[State, ...]] = {
    State.DRAFT: (State.CHECKING, State.REJECTED),
    State.CHECKING: (State.CHECKED, State.FAULTY),
    State.CHECKED: (State.CHECKING, State.APPROVED, State.REJECTED),
    State.FAULTY: (State.CHECKING, State.REJECTED),
    State.APPROVED: (State.APPLIED, State.FAULTY),
    State.APPLIED: (State.UNDO_REQUESTED,),
    State.UNDO_REQUESTED: (State.UNDOING, State.APPLIED),
    State.UNDOING: (State.UNDONE, State.APPLIED),
    State.UNDONE: (),
    State.REJECTED: (),
}
#: States in which a job has work to do.
WORKING = (State.CHECKING, State.APPROVED, State.UNDOING)


class Kind(StrEnum):
    """`opening`: what an old system owed its members, once an account, credits only. `adjustment`: anything else."""

    ADJUSTMENT = "adjustment"
    OPENING = "opening"


class WrongState(Refusal):
    """The changeset cannot do that from where it stands: `state`, `wanted`."""

    code = "changeset_state"


class SamePerson(Refusal):
    """Who uploaded it, or asked to undo it, cannot be the second person, by whatever role."""

    code = "second_person_needed"


class NotYours(Refusal):
    """Sheets are added by whoever began the changeset."""

    code = "changeset_of_another"


class TooManyParts(Refusal):
    """A changeset has at most `most` parts."""

    code = "too_many_parts"


class LinesRefused(Exception):
    """Some lines cannot be posted or reversed, so none is; `faults` say which and why."""

    def __init__(self, faults: list["Fault"]) -> None:
        super().__init__(len(faults))
        self.faults = faults


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one cell, or (`column` empty) with a whole line. `facts` are what the sentence needs."""

    part: int
    line: int
    column: str
    code: str
    facts: dict[str, int | str] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Line:
    """One line of a changeset. `subject` is the identity as sent, `member_id` whom it leads to, None when nobody yet.

    `before` and `after` are what the account's balance was and would be in the dry run.
    """

    part: int
    line: int
    member_id: int | None
    subject: str | None
    asset: str
    amount: int
    reason: str
    validity: str | None = None
    note: str = ""
    before: int | None = None
    after: int | None = None

    def fault(self, code: str, column: str = "", **facts: int | str) -> Fault:
        """What is wrong with this line."""
        return Fault(self.part, self.line, column, code, facts)


@dataclass(slots=True)
class AssetTotals:
    """What the lines of one asset come to; `debits` is positive."""

    lines: int = 0
    credits: int = 0
    debits: int = 0


def check_move(state: str, wanted: State) -> None:
    """Raise `WrongState` unless the changeset can go there from where it stands."""
    if wanted not in _NEXT[State(state)]:
        raise WrongState(state=state, wanted=wanted)


def check_second_person(first: str, second: str) -> None:
    """Raise `SamePerson`: people are known by their name, never by the role they act in (traps T37)."""
    if first == second:
        raise SamePerson()


def duplicates(lines: Iterable[Line], kind: str) -> list[Fault]:
    """Lines that say again what an earlier one says: for opening balances of the same account, else the very same."""
    first: dict[tuple[Any, ...], Line] = {}
    found = []
    for line in lines:
        key: tuple[Any, ...] = (line.member_id or line.subject, line.asset)
        if kind == Kind.ADJUSTMENT:
            key = (*key, line.amount, line.reason, line.validity, line.note)
        earlier = first.setdefault(key, line)
        if earlier is not line:
            found.append(line.fault("duplicate_line", of_part=earlier.part, of_line=earlier.line))
    return found


def summary(lines: list[Line], faults: int) -> dict[str, Any]:
    """What approving the lines would mean: how many, whose, how much of each asset, and the largest of them."""
    totals: dict[str, AssetTotals] = {}
    for line in lines:
        total = totals.setdefault(line.asset, AssetTotals())
        total.lines += 1
        total.credits += max(line.amount, 0)
        total.debits += max(-line.amount, 0)
    largest = sorted(lines, key=lambda line: (-abs(line.amount), line.part, line.line))[:_LARGEST_SHOWN]
    return {
        "lines": len(lines),
        "faults": faults,
        "members": len({line.member_id or line.subject for line in lines}),
        "new_members": len({line.subject for line in lines if line.member_id is None}),
        "assets": [{"asset": asset, **asdict(total)} for asset, total in sorted(totals.items())],
        "largest": [
            {
                "part": line.part,
                "line": line.line,
                "member_id": line.member_id,
                "asset": line.asset,
                "amount": line.amount,
            }
            for line in largest
        ],
    }
