"""`python -m deploy.local`: start the whole platform on this machine, look at it, check it, remove it."""

import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from deploy.local import data_folder, running
from deploy.local.data_folder import FolderRefused, StackNote
from deploy.local.hosting import EmbeddedServerError
from deploy.local.migrations import MigrationFailed
from deploy.local.readiness import PortTaken
from deploy.local.stack import StackFailed, StackOptions

REFUSALS = (FolderRefused, EmbeddedServerError, MigrationFailed, PortTaken, StackFailed)

Command = Callable[..., Any]


def folder_option(command: Command) -> Command:
    return click.option(
        "--data-dir",
        "folder",
        type=click.Path(path_type=Path, resolve_path=True),
        default=data_folder.default_data_folder,
        help="Folder for data, secrets and logs. [default: $JIFEN_DATA_DIR or .jifen]",
    )(command)


def stack_options(command: Command) -> Command:
    for option in (
        click.option("--port-base", type=click.IntRange(1024, 65000), help="Gateway here, services after it. [8100]"),
        click.option("--ready-seconds", type=float, default=60.0, show_default=True, help="Patience with the start."),
        click.option("--platform", default=StackOptions.platform, hidden=True),
        folder_option,
    ):
        command = option(command)
    return command


@click.group(help=__doc__)
def main() -> None: ...


@main.command()
@stack_options
@click.option("--quiet", is_flag=True, help="Keep the processes' lines out of the terminal; the files get them.")
@click.option("--attached", is_flag=True, hidden=True)
def run(*, quiet: bool, attached: bool, **options: Any) -> None:
    """Start everything and keep it up until Ctrl-C.

    PostgreSQL and Valkey are started here, unless JIFEN_<SERVICE>_DATABASE_URL or JIFEN_REDIS_URL name your own.
    """
    try:
        running.run(StackOptions(**options), quiet=quiet, attached=attached, on_ready=show_urls)
    except REFUSALS as refusal:
        raise click.ClickException(str(refusal)) from refusal


@main.command()
@stack_options
@click.option("--full/--sample", default=False, help="All 69,659 purchases, or a tenth of the customers (the default).")
@click.option("--exit", "leave", is_flag=True, help="Stop after the demo instead of staying up.")
def demo(*, full: bool, leave: bool, **options: Any) -> None:
    """Start everything and replay real purchases through the gateway."""
    from deploy.local.background import start_in_background
    from deploy.local.demo import run_demo

    try:
        click.echo("Starting the platform …")
        stack = start_in_background(StackOptions(**options))
    except REFUSALS as refusal:
        raise click.ClickException(str(refusal)) from refusal
    try:
        run_demo(stack, full=full)
        if not leave:
            click.echo("The platform stays up until Ctrl-C.")
            signal.pause()
    except KeyboardInterrupt:
        click.echo("Stopping …")
    finally:
        stack.stop()


@main.command()
@folder_option
def verify(folder: Path) -> None:
    """Check the invariants of the running stack; exit status 1 on any violation, 2 when a service cannot be asked."""
    from rich.console import Console

    from deploy.local.verification import VerificationFailed, findings_table
    from deploy.local.verification import verify as verify_stack

    note = running_note(folder)
    try:
        findings = verify_stack(note)
    except VerificationFailed as failure:
        click.echo(f"Error: {failure}", err=True)
        raise SystemExit(2) from failure
    Console().print(findings_table(findings))
    broken = sum(finding.violations > 0 for finding in findings)
    click.echo(f"{len(findings)} invariants checked, " + (f"{broken} broken" if broken else "all hold"))
    raise SystemExit(1 if broken else 0)


@main.command()
@folder_option
def status(folder: Path) -> None:
    """Show which processes are up; exit status 1 when one is down."""
    from rich.console import Console

    from deploy.local.status import process_table

    table, all_up = process_table(running_note(folder))
    Console().print(table)
    raise SystemExit(0 if all_up else 1)


@main.command()
@folder_option
@click.option("--yes", is_flag=True, help="Do not ask.")
def clean(*, folder: Path, yes: bool) -> None:
    """Remove the local data, secrets and logs (asks first)."""
    if not folder.exists():
        click.echo(f"{folder} does not exist: nothing to remove")
        return
    if not (folder / data_folder.MARKER).exists():
        raise click.ClickException(f"{folder} is not a data folder of Jifen: not touched")
    if data_folder.is_locked(folder):
        raise click.ClickException(f"a stack is running on {folder}: stop it first")
    if not yes:
        click.confirm(f"Remove {folder} with all data in it?", abort=True)
    shutil.rmtree(folder)
    click.echo(f"removed {folder}")


def running_note(folder: Path) -> StackNote:
    """What the running stack says about itself; a message for people when there is none."""
    note = data_folder.read_note(folder)
    if note is None or not data_folder.is_locked(folder):
        raise click.ClickException(f"no stack is running on {folder}: start one with `make run`")
    return note


def show_urls(note: StackNote) -> None:
    """Tell where everything answers."""
    # Loaded only now, when everything is up: it would lengthen the start.
    from rich.console import Console
    from rich.table import Table

    table = Table("service", "URL", title="Jifen is up", title_justify="left")
    for name, url in note.urls.items():
        table.add_row(name, url)
    console = Console()
    console.print(table)
    console.print("[dim]Ctrl-C stops everything; data and logs stay in the data folder.[/dim]")


if __name__ == "__main__":
    main()
