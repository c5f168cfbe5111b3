"""`python -m bench`: measure the platform and the limits of this machine in turns, and print the ratios."""

import json
import os
import sys
from pathlib import Path
from statistics import median

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from bench import busy, growth, latency, ranks, whole
from bench.contenders import CONTENDERS, SINGLE_CONNECTIONS, Measuring, generator_process
from bench.limit import pgbench
from bench.load import WrongAnswer, ceiling
from bench.ratios import Bound, Latencies, Row, UnknownRow, chosen, compare, contenders_of, latencies
from bench.report import Report, as_json, latencies_of, lines_of, table_of
from bench.rows import BROUGHT_BY, OF_GROWTH, OF_THE_BUSY, OF_THE_WHOLE, ROWS
from bench.site import Site, WrongResults, running_site
from bench.wire import Kind

_CEILING_SECONDS = 2.0
#: Of which contenders latencies are told too; `latency` has those of the whole platform at work.
_WAITED_FOR: dict[str, tuple[Kind, str]] = {
    "singles": ("single", "single posting"),
    "balances": ("balance", "home screen: a balance"),
}


@click.command(help=__doc__)
@click.option("--rows", "numbers", default="", help="Only these, e.g. 1,2,13. [default: all]")
@click.option("--seconds", default=5.0, show_default=True, help="How long each contender runs in each round.")
@click.option("--rounds", default=3, show_default=True, type=click.IntRange(1), help="Three or more mean something.")
@click.option(
    "--entries",
    default=1_000_000,
    show_default=True,
    type=click.IntRange(growth.FEW),
    help="How many are many, for row 11. The target speaks of ten million, which take a quarter of an hour to make.",
)
@click.option(
    "--ranked",
    default=200_000,
    show_default=True,
    type=click.IntRange(ranks.FEW),
    help="How many members are many, for row 9. The target speaks of a million, which take some minutes.",
)
@click.option(
    "--json", "json_file", type=click.Path(path_type=Path, dir_okay=False), help="Write the figures there too."
)
def main(numbers: str, seconds: float, rounds: int, entries: int, ranked: int, json_file: Path | None) -> None:
    try:
        rows = chosen(ROWS, numbers)
    except UnknownRow as error:
        raise click.ClickException(str(error)) from error
    # A stack would take the servers named here for its own: what is measured is thrown away, theirs is not.
    for name in list(os.environ):
        if name.startswith("JIFEN_") and name.endswith(("_DATABASE_URL", "_REDIS_URL")):
            del os.environ[name]
    # Into a file or a pipe the table goes unbroken.
    console = Console() if sys.stdout.isatty() else Console(width=150)
    try:
        with _progress(console) as progress:
            report = measure(rows, seconds=seconds, rounds=rounds, entries=entries, ranked=ranked, progress=progress)
    except (WrongAnswer, WrongResults) as error:
        raise click.ClickException(f"wrong results are no results: {error}") from error
    console.print(table_of(report))
    if table := latencies_of(report):
        console.print(table)
    for line in lines_of(report):
        console.print(line, highlight=False)
    if json_file:
        json_file.write_text(json.dumps(as_json(report), ensure_ascii=False, indent=2) + "\n")


def measure(
    rows: list[Row | Bound], *, seconds: float, rounds: int, entries: int, ranked: int, progress: Progress
) -> Report:
    """Everything the rows need, limit and ours in turns; raises `WrongResults`."""
    figures: list[dict[str, float]] = [{} for _ in range(rounds)]
    needed = [name for name in contenders_of(rows) if name not in (*OF_THE_WHOLE, *OF_GROWTH, *OF_THE_BUSY)]
    names = [name for name in CONTENDERS if name in {BROUGHT_BY.get(name, name) for name in needed}]
    sent: float | None = None
    waits: list[Latencies] = []
    if names:
        task = progress.add_task("starting a stack", total=rounds * len({*names, "verify"}) + 2)
        with generator_process() as generator:
            sent = generator.submit(ceiling, connections=SINGLE_CONNECTIONS, seconds=_CEILING_SECONDS).result()
            progress.advance(task)
            with running_site() as site:
                for name in names:
                    if prepare := CONTENDERS[name].prepare:
                        prepare(site)
                for number, found in enumerate(figures, 1):
                    it = Measuring(site=site, seconds=seconds, generator=generator)
                    for name in dict.fromkeys([*names, "verify"]):
                        progress.update(task, description=f"round {number}: {CONTENDERS[name].what}")
                        found[name] = CONTENDERS[name].run(it)
                        progress.advance(task)
                    found |= it.extra
                progress.update(task, description="latencies")
                waits += [
                    _latencies(it, name, median(found[name] for found in figures))
                    for name in _WAITED_FOR
                    if name in names
                ]
                _check(site, names)
                progress.advance(task)
    if any(row.ours in OF_GROWTH for row in rows):
        task = progress.add_task(f"a ledger of {entries:,} entries beside a small one", total=2 + 2 * rounds)
        with generator_process() as generator:
            grown = growth.measure(
                entries=entries,
                seconds=seconds,
                rounds=rounds,
                generator=generator,
                advance=lambda: progress.advance(task),
            )
        for found, more in zip(figures, grown, strict=True):
            found |= more
    if working := [row.ours for row in rows if row.ours in OF_THE_BUSY]:
        asked = {"busy_singles", *working}
        task = progress.add_task("the whole platform at work", total=1 + rounds * len(asked) + len(latency.MEASURED))

        def look_at_latencies(it: busy.Busy) -> None:
            for name in latency.MEASURED:
                if name in asked:
                    waits.append(latency.measure(name, it))
                progress.advance(task)

        with generator_process() as generator:
            worked = busy.measure(
                working,
                seconds=seconds,
                rounds=rounds,
                ranked=ranked,
                generator=generator,
                advance=lambda: progress.advance(task),
                afterwards=look_at_latencies,
            )
        for found, more in zip(figures, worked, strict=True):
            found |= more
    if any(row.ours in OF_THE_WHOLE for row in rows):
        task = progress.add_task("the whole stack at rest", total=rounds)
        for found in figures:
            found |= whole.measure()
            progress.advance(task)
    return Report(
        results=[compare(row, figures) for row in rows],
        connections={name: contender.connections for name, contender in CONTENDERS.items()} | busy.CONNECTIONS,
        seconds=seconds,
        ceiling=sent,
        latencies=waits,
    )


def _latencies(it: Measuring, name: str, highest: float) -> Latencies:
    kind, what = _WAITED_FOR[name]
    rate = latency.SHARE * highest
    found = it.send(it.site.gateway, kind, connections=SINGLE_CONNECTIONS, per_second=rate).latencies
    return latencies(what, found, per_second=rate, share=latency.SHARE)


def _check(site: Site, names: list[str]) -> None:
    site.seal()
    site.verify()
    if "pgbench" in names:
        pgbench.verify(site)


def _progress(console: Console) -> Progress:
    columns = (TextColumn("{task.description:42}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console, transient=True)


if __name__ == "__main__":
    main()
