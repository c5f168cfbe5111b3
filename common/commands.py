"""The commands of a service: `python -m services.X migrate | web | worker | pull | verify`."""

import importlib
import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from urllib.parse import urlsplit

import click
from rich.console import Console
from rich.table import Table

from common.feed import notice_cluster
from common.logs import configure_logs
from common.migrations import upgrade, write_revision
from common.service import Finding, Service
from common.settings import settings


def service_commands(package: str, load: str = "service") -> click.Group:
    """The command group of the service declared in `<package>.service`."""

    @click.group(help=f"The commands of {package}.")
    def commands() -> None: ...

    def service() -> Service:
        return importlib.import_module(f"{package}.{load}").service  # type: ignore[no-any-return]

    @commands.command()
    def migrate() -> None:
        """Bring the database to the newest schema; quick when there is nothing to do."""
        it = service()
        upgrade(it.database, package)
        with it.database.transaction() as session:
            # After a restore this must come before the first write: its transaction ids may look old to consumers.
            notice_cluster(session, it.feed)
        click.echo(f"{it.name}: schema is up to date")

    @commands.command()
    @click.argument("message")
    def revision(message: str) -> None:
        """Write a new migration from the difference between the declared tables and the database."""
        write_revision(service().database, package, message)

    @commands.command()
    @click.option("--workers", default=1, show_default=True, help="Processes; one per core is enough.")
    def web(workers: int) -> None:
        """Serve HTTP (gunicorn, gevent) at the service's own URL."""
        name = package.rsplit(".", 1)[-1]
        address = urlsplit(settings().service_url(name))
        folder = Path(__file__).resolve().parent
        arguments = [
            *("--bind", f"{os.environ.get('JIFEN_BIND_HOST', address.hostname)}:{address.port}"),
            *("--workers", str(workers), "--config", str(folder / "gunicorn_config.py"), "--name", f"jifen-{name}"),
        ]
        os.execv(sys.executable, [sys.executable, "-m", "gunicorn", *arguments, f"{package}.wsgi:app"])

    @commands.command()
    def worker() -> None:
        """Work off the service's queue (RQ, in this process: feed jobs are many and small)."""
        from common.worker import work

        it = service()
        configure_logs(settings(), service=f"{it.name}.worker")
        work(it)

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
        findings = run_checks(service())
        if as_json:
            click.echo(json.dumps([asdict(finding) for finding in findings], ensure_ascii=False))
        else:
            Console().print(findings_table(service().name, findings))
        sys.exit(1 if any(finding.violations for finding in findings) else 0)

    return commands


def run_checks(service: Service) -> list[Finding]:
    """Every check of the service over one snapshot."""
    with service.database.reading() as session:
        session.connection().exec_driver_sql("SET LOCAL statement_timeout = 0")
        return [finding for check in service.checks for finding in check(session)]


def findings_table(title: str, findings: list[Finding]) -> Table:
    """A readable table of findings."""
    table = Table("invariant", "checked", "violations", "where", title=title, title_justify="left")
    for finding in findings:
        style = "red" if finding.violations else ""
        table.add_row(finding.name, f"{finding.checked:,}", f"{finding.violations:,}", finding.detail, style=style)
    return table
