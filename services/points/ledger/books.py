"""The books of a fold: what the database said of the touched accounts, locked, and what the fold changed of it."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from services.points.ledger.domain import Account, Hold, HoldState, Kind, Line, Original, Outcome
from services.points.ledger.journal import Entry

AccountKey = tuple[int, int, int]


@dataclass(slots=True)
class Known:
    """An earlier posting under the same key: its fingerprint and its answer."""

    fingerprint: bytes
    outcome: Outcome


@dataclass(slots=True)
class Tally:
    """What an account has `used` of a limit within the present period, from `start_us` until `end_us`.

    `side` is EARN or SPEND. `first_seq` is the period's first, `holds` are those made within it, however they ended.
    """

    side: Kind
    period: str
    start_us: int
    end_us: int
    first_seq: int = 0
    used: int = 0
    holds: set[bytes] = field(default_factory=set)


@dataclass(slots=True)
class Books:
    """What the database said, locked, and what the fold changed of it.

    `known` by (program, posting id); `holds` by (program, hold id): those the lines name, and all open ones of
    accounts where something is due; `originals` by account and seq; `posted_seq` finds an original by its posting id;
    `given` is what an account gave away on this business day, `tallies` what it used of its asset's limits. `settled`
    are the accounts whose deadline was looked at anew.
    """

    now_us: int
    zones: dict[int, str]
    accounts: dict[AccountKey, Account]
    reversing: bool = False
    known: dict[tuple[int, bytes], Known] = field(default_factory=dict)
    holds: dict[tuple[int, bytes], Hold] = field(default_factory=dict)
    originals: dict[tuple[AccountKey, int], Original] = field(default_factory=dict)
    posted_seq: dict[tuple[AccountKey, bytes], int] = field(default_factory=dict)
    given: dict[AccountKey, int] = field(default_factory=dict)
    tallies: dict[AccountKey, list[Tally]] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)
    new_holds: dict[tuple[int, bytes], Hold] = field(default_factory=dict)
    changed_holds: dict[tuple[int, bytes], Hold] = field(default_factory=dict)
    settled: set[AccountKey] = field(default_factory=set)
    outcomes: list[tuple[Line, Outcome]] = field(default_factory=list)

    def hold_of(self, account: Account, hold_id: bytes | None) -> Hold | None:
        """The hold of that id if it is the account's own; another's is as if it were not there."""
        held = self.holds.get((account.program_id, hold_id or b""))
        mine = held is not None and (held.member_id, held.asset_id) == (account.member_id, account.asset_id)
        return held if mine else None

    def open_holds(self, account: Account) -> Iterator[Hold]:
        """The account's open holds, as far as they were read."""
        for (program_id, _), held in self.holds.items():
            if held.state == HoldState.OPEN and (program_id, held.member_id, held.asset_id) == account.key:
                yield held

    def add_hold(self, program_id: int, held: Hold) -> None:
        """Keep a hold that was not there before."""
        self.holds[program_id, held.id] = self.new_holds[program_id, held.id] = held

    def note_changed(self, program_id: int, held: Hold) -> None:
        """Remember that a hold is not as it was read."""
        self.changed_holds[program_id, held.id] = held
