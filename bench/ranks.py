"""My rank on a small board and on a large one: boards of past months, filled by SQL, shown by levels' own rebuild.

Run it as `python -m bench.ranks <program id> <first day of the month> <members>` with the environment of a stack.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import cycle, islice

from sqlalchemy import text

from bench.site import Site, WrongResults
from bench.wire import Door, Kind
from services.levels.database import database, transaction
from services.levels.leaderboards.domain import RankedSet
from services.levels.leaderboards.use_cases import rebuild

FEW = 1000
#: Members beyond those of the load.
_FIRST_MEMBER = 20_000_000
#: Rows of one statement: a busy machine gives each 20 seconds.
_AT_A_TIME = 50_000

_FILL = text("""
INSERT INTO levels_board_scores (program_id, member_id, metric, period, starts_on, score, reached_at, version)
SELECT :p, :f + n, 'spend', 'month', :d, 1 + n * 7919 % 1000003, now(), 1
  FROM generate_series(CAST(:a AS bigint), :z) n
ON CONFLICT DO NOTHING""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """The ranking by spend of a month in which nobody else bought anything."""

    month: date
    members: int

    def askers(self) -> Sequence[int]:
        """A thousand of its members, from all over the board."""
        return range(_FIRST_MEMBER, _FIRST_MEMBER + self.members, self.members // FEW)[:FEW]


SMALL = Filled(month=date(2001, 1, 1), members=FEW)


def large(members: int) -> Filled:
    """A board of so many."""
    return Filled(month=date(2001, 2, 1), members=members)


@dataclass(frozen=True, slots=True, kw_only=True)
class Questions:
    """So many times: what is my rank? By the owners of `tokens` in turn."""

    board: Filled
    tokens: Sequence[str]
    count: int
    kind: Kind = "rank"

    def requests(self, door: Door) -> list[bytes]:
        """All of them."""
        path = f"/v1/leaderboards/spend/me?period=month&on={self.board.month}"
        return [door.request(path, method="GET", token=token) for token in islice(cycle(self.tokens), self.count)]


def fill(site: Site, board: Filled) -> None:
    """Fill the board and its sorted set, in a process that belongs to the stack."""
    site.run("bench.ranks", str(site.program_id), str(board.month), str(board.members))


def _fill(program_id: int, month: date, members: int) -> None:
    with transaction() as session:
        for first in range(0, members, _AT_A_TIME):
            span = {"a": first, "z": min(first + _AT_A_TIME, members) - 1}
            session.execute(_FILL, {"p": program_id, "d": month, "f": _FIRST_MEMBER, **span})
    if not rebuild(database, RankedSet(program_id, "spend", "month", month)):
        raise WrongResults("the sorted set was not built")


if __name__ == "__main__":
    _fill(int(sys.argv[1]), date.fromisoformat(sys.argv[2]), int(sys.argv[3]))
