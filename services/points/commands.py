"""The commands of points: those every service has, replaying the journal, and making daily figures anew."""

import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from common.commands import service_commands

if TYPE_CHECKING:
    from rich.table import Table

    from services.points.audit.replay import Comparison
    from services.points.rebuild import Advance

commands = service_commands("services.points")

_CAPTION = (
    "Ledger and figures from entries, caps and budgets from events. Where the order of arrival decided an award"
    " (budgets, refusals, what came a month late) the event's own account of it is taken. Not compared: deadlines"
    " of holds for spending, hints when to look again, the split of a budget into slots, what is left of each"
    " posting of a claim."
)


@commands.command()
def rebuild_figures() -> None:
    """Make the daily figures anew from the entries that were folded into them, in place of those that are there."""
    from services.points.database import transaction
    from services.points.figures import use_cases as figures

    with transaction() as session:
        rows, digest = figures.rebuild(session)
    click.echo(f"{rows} rows, digest {digest}")


@commands.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def replay(as_json: bool) -> None:
    """Rebuild what the journal and the events determine beside the live tables; exit 1 if anything differs.

    Balances, lots, holds and daily figures come from the entries; caps and budgets from the stored events, with the
    events' own account of an award where the order of arrival decided (budgets, refusals, what came a month late).

    One snapshot: the system may go on meanwhile, and nothing is left behind.
    """
    from rich.console import Console
    from rich.progress import Progress

    from services.points.audit import replay as replaying
    from services.points.service import REBUILDS

    with Progress(console=Console(stderr=True), transient=True) as bars, replaying.snapshot() as session:

        def show(name: str, steps: int) -> "Advance":
            bar = bars.add_task(name, total=steps)
            return lambda done: bars.advance(bar, done)

        compared = list(replaying.replay(session, REBUILDS, progress=show))
    if as_json:
        click.echo(json.dumps([{**asdict(one), "equal": one.equal} for one in compared], ensure_ascii=False))
    else:
        Console().print(_table(compared))
    sys.exit(0 if all(one.equal for one in compared) else 1)


def _table(compared: "list[Comparison]") -> "Table":
    from rich.table import Table

    table = Table(
        "what", "rows", "live", "rebuilt", "equal", "where", title="points", caption=_CAPTION, title_justify="left"
    )
    for one in compared:
        equal = "yes" if one.equal else f"no: {one.differing:,} rows"
        style = "" if one.equal else "red"
        where = "\n".join(one.where)
        table.add_row(one.table, f"{one.rows:,}", one.live[:16], one.rebuilt[:16], equal, where, style=style)
    return table
