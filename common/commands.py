"""The commands of a service: `python -m services.X migrate | web | worker | pull | verify`.

Each command loads only what it needs, when it is called: to load everything takes longer than most of them run.
"""

import importlib
import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click

from common.settings import settings

if TYPE_CHECKING:
    from rich.table import Table

    from common.service import Finding, Service


def service_commands(package: str) -> click.Group:
    """The command group of the service declared in `<package>.service`."""

    @click.group(help=f"The commands of {package}.")
    def commands() -> None: ...

    def service() -> "Service":
        declared: Service = importlib.import_module(f"{package}.service").service
        return declared

    @commands.command()
    def migrate() -> None:
        """Bring the database to the newest schema; quick when there is nothing to do."""
        from common.feed import notice_cluster
        from common.migrations import upgrade

        # Revisions say everything themselves: the declared tables, and all that is loaded with them, are not needed.
        it = importlib.import_module(f"{package}.database")
        upgrade(it.database, package)
        with it.database.transaction() as session:
            # After a restore this must come before the first write: its transaction ids may look old to consumers.
            notice_cluster(session, it.feed)
        click.echo(f"{it.database.service}: schema is up to date")

    @commands.command()
    @click.argument("message")
    def revision(message: str) -> None:
        """Write a new migration from the difference between the declared tables and the database."""
        from common.migrations import write_revision

        write_revision(service().database, package, message)

    @commands.command()
    @click.option("--workers", default=1, show_default=True, help="Processes; one per core is enough.")
    def web(workers: int) -> None:
        """Serve HTTP (gunicorn, gevent) at the service's own URL."""
        serve(package.rsplit(".", 1)[-1], f"{package}.wsgi:app", workers=workers)

    @commands.command()
    @click.option("--heavy", "of_heavy_jobs", is_flag=True, help="Work off the service's heavy jobs, nothing else.")
    def worker(of_heavy_jobs: bool) -> None:
        """Work off the service's queue (RQ, in this process: feed jobs are many and small)."""
        from common.logs import configure_logs
        from common.queue import heavy
        from common.worker import work

        it = service()
        configure_logs(settings(), service=f"{it.name}.{'heavy' if of_heavy_jobs else 'worker'}")
        work(heavy(it.name) if of_heavy_jobs else it.name)

    @commands.command()
    @click.argument("source")
    def pull(source: str) -> None:
        """Pull the feed of SOURCE now, here, without the queue."""
        from common.worker import pull_from

        click.echo(f"{pull_from(service(), source)} facts applied")

    @commands.command()
    @click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
    def verify(as_json: bool) -> None:
        """Check the invariants on the live database; exit status 1 on any violation."""
        from rich.console import Console

        findings = run_checks(service())
        if as_json:
            click.echo(json.dumps([asdict(finding) for finding in findings], ensure_ascii=False))
        else:
            Console().print(findings_table(service().name, findings))
        sys.exit(1 if any(finding.violations for finding in findings) else 0)

    return commands


def serve(name: str, app: str, *, workers: int = 1) -> None:
    """Become the gunicorn that serves an app (`module:name`) at the URL of the service of that name."""
    from gevent import monkey

    address = urlsplit(settings().service_url(name))
    folder = Path(__file__).resolve().parent
    arguments = [
        *("--bind", f"{os.environ.get('JIFEN_BIND_HOST', address.hostname)}:{address.port}"),
        *("--workers", str(workers), "--config", str(folder / "gunicorn_config.py"), "--name", f"jifen-{name}"),
        app,
    ]
    if monkey.is_module_patched("socket"):
        # Forked from a process that has patched first and loaded then: to load all that again would take seconds.
        from gunicorn.app.wsgiapp import run

        sys.argv = ["gunicorn", *arguments]
        run()
    os.execv(sys.executable, [sys.executable, "-m", "gunicorn", *arguments])


def run_checks(service: "Service") -> "list[Finding]":
    """Every check of the service over one snapshot."""
    with service.database.reading() as session:
        session.connection().exec_driver_sql("SET LOCAL statement_timeout = 0")
        return [finding for check in service.checks for finding in check(session)]


def findings_table(title: str, findings: "list[Finding]") -> "Table":
    """A readable table of findings."""
    from rich.table import Table

    table = Table("invariant", "checked", "violations", "where", title=title, title_justify="left")
    for finding in findings:
        style = "red" if finding.violations else ""
        table.add_row(finding.name, f"{finding.checked:,}", f"{finding.violations:,}", finding.detail, style=style)
    return table
