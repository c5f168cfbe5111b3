"""What a reader sees: a table of ratios, and the same as JSON."""

import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.table import Table
from rich.text import Text

from bench.ratios import Bound, Latencies, Result

_STYLES = {"stretch": "bold green", "target": "green", "below": "yellow", "": ""}


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Everything that was measured. `connections` by contender; `ceiling`: what the load generator can send at all."""

    results: Sequence[Result]
    connections: Mapping[str, str]
    seconds: float
    ceiling: float | None = None
    latencies: Sequence[Latencies] = ()
    notes: Sequence[str] = ()


def table_of(report: Report) -> Table:
    """The table of ratios."""
    table = Table(title="Ratios to the limits of this machine", title_justify="left")
    table.add_column("#", justify="right")
    table.add_column("what", min_width=24)
    for name in ("limit", "ours", "ratio", "min - max", "target", "stretch", "connections", "rounds"):
        table.add_column(name, justify="right")
    for result in report.results:
        table.add_row(*_cells(result, report.connections))
    return table


def latencies_of(report: Report) -> Table | None:
    """The table of latencies in milliseconds, if any were measured."""
    if not report.latencies:
        return None
    shares = " / ".join(sorted({f"{it.share:.0%}" for it in report.latencies}))
    table = Table(title=f"Latencies through the gateway at {shares} of the highest rate", title_justify="left")
    table.add_column("what", min_width=24)
    for name in ("rate", "p50", "p95", "p99"):
        table.add_column(name, justify="right")
    for it in report.latencies:
        table.add_row(
            it.what, f"{it.per_second:,.0f} /s", *(f"{1000 * seconds:.1f} ms" for seconds in (it.p50, it.p95, it.p99))
        )
    return table


def lines_of(report: Report) -> list[str]:
    """What stands below the tables."""
    lines = []
    if report.ceiling:
        lines.append(
            f"The load generator alone sends {report.ceiling:,.0f} requests/s to a responder that does nothing, "
            f"64 connections; it shares the {os.cpu_count()} cores with what it measures."
        )
    return [*lines, *report.notes]


def as_json(report: Report) -> dict[str, Any]:
    """The report for machines: figures unrounded, units as in the table."""
    return {
        "machine": {"cores": os.cpu_count(), "system": platform.platform(), "python": platform.python_version()},
        "seconds": report.seconds,
        "generator_requests_per_second": report.ceiling,
        "latencies": [
            {
                "what": it.what,
                "per_second": it.per_second,
                "share": it.share,
                "p50_seconds": it.p50,
                "p95_seconds": it.p95,
                "p99_seconds": it.p99,
            }
            for it in report.latencies
        ],
        "rows": [
            {
                "number": result.row.number,
                "what": result.row.what,
                "unit": result.row.unit,
                "limit": result.limit,
                "ours": result.ours,
                "value": result.value,
                "lowest": result.lowest,
                "highest": result.highest,
                "target": result.row.target,
                "stretch": result.row.stretch,
                "verdict": result.verdict,
                "rounds": result.rounds,
            }
            for result in report.results
        ],
    }


def _cells(result: Result, connections: Mapping[str, str]) -> list[str | Text]:
    row, bound = result.row, isinstance(result.row, Bound)
    limit = "" if isinstance(row, Bound) else row.limit
    used = [connections.get(name, "") for name in (limit, row.ours)]
    at_most = "≤ " if bound else ""
    value = "" if bound else _number(result.value)
    return [
        row.number,
        row.what,
        "" if result.limit is None else f"{_number(result.limit)} {row.unit}",
        Text(f"{_number(result.ours)} {row.unit}", _STYLES[result.verdict] if bound else ""),
        Text(value, _STYLES[result.verdict]),
        f"{_number(result.lowest)} - {_number(result.highest)}",
        "" if row.target is None else at_most + _number(row.target),
        "" if row.stretch is None else at_most + _number(row.stretch),
        " / ".join(filter(None, used)),
        str(result.rounds),
    ]


def _number(value: float) -> str:
    """Two digits behind the point where they mean something, none where they do not."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"
