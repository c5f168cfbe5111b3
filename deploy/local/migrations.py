"""Run the migrations before anything else, and skip them in a moment when there is nothing to do."""

import hashlib
import json
import subprocess
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from deploy.local.data_folder import REPOSITORY
from deploy.local.hosting import EmbeddedServerError
from deploy.local.postgres import EmbeddedPostgres
from deploy.local.processes import Process

MEMORY = "migrated.json"


class MigrationFailed(Exception):
    """The databases could not be brought to the newest schema; the message shows what the migration said."""


def launch(process: Process, *, environment: Mapping[str, str]) -> "subprocess.Popen[str]":
    """Start the migration; its whole output is one text."""
    return subprocess.Popen(
        process.arguments(),
        cwd=REPOSITORY,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def finish(
    process: Process, running: "subprocess.Popen[str]", *, log_file: Path, say: Callable[[str, str], None]
) -> None:
    """Wait for the migration and pass its output on; raises MigrationFailed."""
    output, _ = running.communicate()
    with log_file.open("a") as file:
        file.write(output)
    for line in output.splitlines():
        say(process.name, line)
    if running.returncode:
        raise MigrationFailed(f"{process.name} failed (exit status {running.returncode}). It says:\n{output[-4000:]}")


def nothing_to_do(folder: Path, server: EmbeddedPostgres, databases: Iterable[str]) -> bool:
    """Whether no migration was written, and no schema moved, since we last migrated to the newest."""
    try:
        remembered = json.loads((folder / MEMORY).read_text())
    except (OSError, ValueError):
        return False
    return bool(remembered == state(server, databases))


def remember(folder: Path, server: EmbeddedPostgres, databases: Iterable[str]) -> None:
    """Note the state after a migration; where a version cannot be read, the next start simply migrates again."""
    found = state(server, databases)
    if found is not None:
        (folder / MEMORY).write_text(json.dumps(found))


def state(server: EmbeddedPostgres, databases: Iterable[str]) -> dict[str, str] | None:
    """A fingerprint of the migrations in the code, and the version of each database; None when one has none."""
    try:
        versions = {name: server.query("SELECT version_num FROM alembic_version", database=name) for name in databases}
    except EmbeddedServerError:
        return None
    return {**versions, "": fingerprint(REPOSITORY)}


def fingerprint(repository: Path) -> str:
    """Changes whenever a file of a migration is written, changed, renamed or removed."""
    digest = hashlib.sha256()
    for root in ("services", "gateway", "common"):
        for path in sorted((repository / root).rglob("*.py")):
            if any(part.startswith("migrations") for part in path.parts):
                digest.update(f"{path.relative_to(repository)}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()
