"""The demo on the local stack: set up, replay, show, verify."""

from pathlib import Path

from rich.console import Console

from deploy.demo import program, purchases, replay, report
from deploy.demo.client import Gateway
from deploy.local import data_folder
from deploy.local.background import BackgroundStack
from deploy.local.verification import findings_table, verify


def run_demo(stack: BackgroundStack, *, full: bool) -> None:
    """Replay the log (whole, or its 1/10 sample) into the running stack and show what came of it.

    Raises `DemoFailed` when the gateway answers with a problem, `SystemExit` when an invariant is broken.
    """
    console = Console()
    folder = Path(stack.folder)
    log = purchases.read(purchases.fetch(folder / "downloads"), full=full)
    gateway = Gateway(stack.url("gateway"))
    credentials = program.open_program(folder, stack.env)
    marketer, shop = program.set_up(gateway, credentials)

    done = replay.replay(shop, log, ends_on=replay.last_day(folder), console=console)
    console.print(
        f"{done.orders:,} orders in {done.seconds:.1f} s = [bold]{done.orders_per_second:,.0f} orders/s[/bold]; "
        f"{done.new:,} were new, {done.orders - done.new:,} known from before"
    )
    lag = replay.wait_for_levels(marketer, shop, console=console)
    console.print(f"tiers and boards had caught up after {lag:.1f} s more\n")

    report.show_figures(console, shop, marketer)
    report.redeem_as(console, gateway, shop, max(log, key=lambda purchase: (purchase.on, purchase.amount_fen)).customer)
    note = data_folder.read_note(folder)
    assert note is not None, "the stack that ran the demo has its note"
    findings = verify(note)
    console.print(findings_table(findings))
    if any(finding.violations for finding in findings):
        raise SystemExit("an invariant is broken, see the table above")
    console.print(f"{len(findings)} invariants checked, all hold\n")
    report.show_doors(console, gateway, credentials)
