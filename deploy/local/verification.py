"""Ask every service of a running stack whether its invariants hold."""

import json
import os
import subprocess
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from rich.table import Table

from deploy.local.data_folder import REPOSITORY, StackNote
from deploy.local.processes import Process, load_platform

PATIENCE_SECONDS = 3600


class VerificationFailed(Exception):
    """A service could not be asked; the message shows what it said."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One invariant of one service: how many things were checked, how many broke it, and where to look."""

    service: str
    name: str
    checked: int
    violations: int
    detail: str


def verify(note: StackNote) -> list[Finding]:
    """The findings of all services, in the order of the table; raises VerificationFailed."""
    processes = load_platform(note.platform).of_kind("verify")
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as threads:
        answers = threads.map(lambda process: ask(process, note), processes)
        return [finding for answer in answers for finding in answer]


def ask(process: Process, note: StackNote) -> list[Finding]:
    """Run one service's verification; its exit status 1 only repeats what its findings say."""
    result = subprocess.run(
        process.arguments(),
        cwd=REPOSITORY,
        env={**os.environ, **note.environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_SECONDS,
    )
    service = process.name.partition(".")[0]
    try:
        # Findings are the last line: a library may have printed before them.
        rows = json.loads(result.stdout.strip().splitlines()[-1])
        findings = [read_finding(service, row) for row in rows]
    except (ValueError, IndexError, KeyError, TypeError) as error:
        raise VerificationFailed(f"{process.name} gave no findings:\n{result.stderr[-2000:]}") from error
    if result.returncode and not any(finding.violations for finding in findings):
        raise VerificationFailed(f"{process.name} ended with status {result.returncode}:\n{result.stderr[-2000:]}")
    return findings


def read_finding(service: str, row: dict[str, object]) -> Finding:
    """One finding out of a service's JSON."""
    return Finding(
        service=service,
        name=str(row["name"]),
        checked=int(str(row["checked"])),
        violations=int(str(row["violations"])),
        detail=str(row.get("detail") or ""),
    )


def findings_table(findings: Iterable[Finding]) -> Table:
    """What a person reads."""
    table = Table("service", "invariant", title="Invariants", title_justify="left")
    table.add_column("checked", justify="right")
    table.add_column("violations", justify="right")
    table.add_column("where")
    for it in findings:
        style = "bold red" if it.violations else ""
        table.add_row(it.service, it.name, f"{it.checked:,}", f"{it.violations:,}", it.detail, style=style)
    return table
