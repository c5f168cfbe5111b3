"""What is compared with what, and the arithmetic of it. Pure.

A ratio is taken within each round, because a noisy machine is noisy for both sides; the median of the rounds counts.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from statistics import median

Rounds = Sequence[Mapping[str, float]]


class UnknownRow(ValueError):
    """There is no row of that number; the message names those there are."""


@dataclass(frozen=True, slots=True)
class Row:
    """One comparison: `ours` ÷ `limit`, both names of contenders, of things a second; more is better."""

    number: str
    what: str
    ours: str
    limit: str
    target: float | None = None
    stretch: float | None = None
    unit: str = "/s"


@dataclass(frozen=True, slots=True)
class Bound:
    """One figure with an upper bound instead of a limit; less is better."""

    number: str
    what: str
    unit: str
    ours: str
    target: float
    stretch: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A row as measured: medians over the rounds; `value` is the ratio of a Row, the figure of a Bound."""

    row: Row | Bound
    rounds: int
    ours: float
    limit: float | None
    value: float
    lowest: float
    highest: float

    @property
    def verdict(self) -> str:
        """`stretch`, `target` or `below`; empty for a row that only informs."""
        if self.row.target is None or self.row.stretch is None:
            return ""
        if self._reaches(self.row.stretch):
            return "stretch"
        return "target" if self._reaches(self.row.target) else "below"

    def _reaches(self, goal: float) -> bool:
        return self.value <= goal if isinstance(self.row, Bound) else self.value >= goal


def compare(row: Row | Bound, rounds: Rounds) -> Result:
    """The row over the rounds, each a mapping from contender to figure. Raises KeyError when one was not measured."""
    ours = [figures[row.ours] for figures in rounds]
    limits = None if isinstance(row, Bound) else [figures[row.limit] for figures in rounds]
    values = ours if limits is None else [mine / limit for mine, limit in zip(ours, limits, strict=True)]
    return Result(
        row=row,
        rounds=len(rounds),
        ours=median(ours),
        limit=None if limits is None else median(limits),
        value=median(values),
        lowest=min(values),
        highest=max(values),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Latencies:
    """Seconds to the answers of `what` through the gateway, at a rate that is a `share` of the highest."""

    what: str
    per_second: float
    share: float
    p50: float
    p95: float
    p99: float


def latencies(what: str, sorted_seconds: Sequence[float], *, per_second: float, share: float) -> Latencies:
    """Percentiles over all answers."""
    p50, p95, p99 = (percentile(sorted_seconds, part) for part in (0.5, 0.95, 0.99))
    return Latencies(what=what, per_second=per_second, share=share, p50=p50, p95=p95, p99=p99)


def chosen(rows: Iterable[Row | Bound], numbers: str) -> list[Row | Bound]:
    """The rows of `1,2,13`, all when empty; `1` also chooses `1a` and `1b`. Raises `UnknownRow`."""
    known = list(rows)
    if not numbers.strip():
        return known
    found: list[Row | Bound] = []
    for number in (part.strip() for part in numbers.split(",")):
        mine = [row for row in known if number in (row.number, row.number.rstrip("abcdef"))]
        if not mine:
            there = ", ".join(row.number for row in known)
            raise UnknownRow(f"there is no row {number!r}; there are {there}")
        found += [row for row in mine if row not in found]
    return found


def contenders_of(rows: Iterable[Row | Bound]) -> list[str]:
    """Everything the rows compare, each once: a limit stands right before what is measured against it."""
    names: dict[str, None] = {}
    for row in rows:
        if isinstance(row, Row):
            names[row.limit] = None
        names[row.ours] = None
    return list(names)


def percentile(sorted_values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` (0 to 1) of the values do not exceed; the values are sorted."""
    if not sorted_values:
        raise ValueError("nothing was measured")
    return sorted_values[max(0, ceil(len(sorted_values) * share) - 1)]
