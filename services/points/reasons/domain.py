"""The report as values: which months it covers, and its rows. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from common.errors import Refusal

#: A report covers at most so many months.
MOST_MONTHS = 36
#: What is shown when nobody says which months.
_USUAL_MONTHS = 12


class BadMonths(Refusal):
    """The months are in the wrong order or too many: `most`."""

    code = "bad_months"


@dataclass(frozen=True, slots=True)
class Sums:
    """What was done for a reason: `count` of adjustments without undoings, and Σ of their points.

    `undone` is what undoings changed of it, signed; `moved` the points with another last day, less those undone.
    """

    count: int
    given: int
    taken: int
    undone: int
    moved: int

    @property
    def net(self) -> int:
        """What it changed balances by."""
        return self.given - self.taken + self.undone


@dataclass(frozen=True, slots=True)
class Row:
    """One month, asset, reason and agent. The month is that of the posting, in the program's time zone."""

    month: str
    asset: str
    reason_code: str
    agent: str
    sums: Sums


@dataclass(frozen=True, slots=True)
class Total:
    """A reason of an asset over all months and agents."""

    asset: str
    reason_code: str
    sums: Sums


def months(first: str | None, last: str | None, *, today: date) -> tuple[str, str]:
    """The first and last month of the report; without them the last twelve. Raises `BadMonths`."""
    end = _number(last) if last else max(_number(f"{today:%Y-%m}"), _number(first) if first else 0)
    begin = _number(first) if first else end - _USUAL_MONTHS + 1
    if not 0 <= end - begin < MOST_MONTHS:
        raise BadMonths(most=MOST_MONTHS)
    return _month(begin), _month(end)


def totals(rows: Iterable[Row]) -> list[Total]:
    """The rows summed by asset and reason, in that order."""
    found: dict[tuple[str, str], list[Sums]] = {}
    for row in rows:
        found.setdefault((row.asset, row.reason_code), []).append(row.sums)
    return [Total(asset, reason, _sum(mine)) for (asset, reason), mine in sorted(found.items())]


def _sum(many: Iterable[Sums]) -> Sums:
    columns = zip(*((one.count, one.given, one.taken, one.undone, one.moved) for one in many), strict=True)
    return Sums(*map(sum, columns))


def _number(month: str) -> int:
    year, of_year = month.split("-")
    return int(year) * 12 + int(of_year) - 1


def _month(number: int) -> str:
    return f"{number // 12:04d}-{number % 12 + 1:02d}"
