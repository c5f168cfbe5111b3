"""What an embedded server needs of the machine: an account, a short socket folder, a start and an end."""

import hashlib
import logging
import os
import pwd
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

log = logging.getLogger(__name__)

# The kernel allows 108 bytes for the path of a unix socket on Linux and 104 on macOS.
SOCKET_PATH_LIMIT_BYTES = 100
POLL_SECONDS = 0.02
GOODBYE_SECONDS = 30.0


class EmbeddedServerError(Exception):
    """An embedded server cannot be had; the message says why and what to do."""


@dataclass(frozen=True, kw_only=True)
class Account:
    """The account of the operating system that a server runs under when we are root."""

    uid: int
    gid: int


def server_account(folder: Path) -> Account | None:
    """Who runs PostgreSQL, which refuses to be root: None says "we ourselves".

    A folder that exists already names its owner; a new one goes to `postgres` where that account exists and else to
    `nobody`, so that no account has to be created on the machine.
    """
    if os.geteuid() != 0:
        return None
    if folder.exists() and folder.stat().st_uid != 0:
        owner = folder.stat()
        return Account(uid=owner.st_uid, gid=owner.st_gid)
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(uid=entry.pw_uid, gid=entry.pw_gid)
    raise EmbeddedServerError("PostgreSQL does not run as root, and there is neither an account postgres nor nobody")


def let_through(path: Path, *, account: Account | None) -> None:
    """Let the server's account walk down to `path`: execute permission only, so nothing becomes readable."""
    if account is None:
        return
    for folder in path.resolve().parents:
        mode = folder.stat().st_mode
        if not mode & stat.S_IXOTH and folder.stat().st_uid != account.uid:
            log.warning("%s is made passable (o+x) for the database's account", folder)
            folder.chmod(mode | stat.S_IXOTH)


def make_parents(folder: Path) -> None:
    """Create the folders above `folder`."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(folder.parent, error) from error


def make_private_folder(folder: Path, *, account: Account | None) -> None:
    """Create `folder` for the server's eyes only."""
    make_parents(folder)
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        if account is not None:
            os.chown(folder, account.uid, account.gid)
    except OSError as error:
        raise cannot_write(folder, error) from error


def cannot_write(folder: Path, error: OSError) -> EmbeddedServerError:
    """The message for a folder that is not ours to write."""
    return EmbeddedServerError(f"cannot write {folder} ({error.strerror}): choose another JIFEN_DATA_DIR")


def socket_folder(folder: Path, *, socket_name: str, account: Account | None) -> Path:
    """Where the server's socket lives: its own folder, or a short private one when that path is too long."""
    if len(os.fsencode(folder / socket_name)) <= SOCKET_PATH_LIMIT_BYTES:
        return folder
    digest = hashlib.sha256(os.fsencode(folder)).hexdigest()[:12]
    short = Path(tempfile.gettempdir()) / f"jifen-{digest}"
    if len(os.fsencode(short / socket_name)) > SOCKET_PATH_LIMIT_BYTES:
        short = Path("/tmp") / short.name
    make_private_folder(short, account=account)
    found = short.lstat()
    # Anybody may create names in the temporary folder: what we use must be a folder of our own.
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in {os.geteuid(), account.uid if account else -1}:
        raise EmbeddedServerError(f"{short} belongs to somebody else: remove it, or choose a shorter JIFEN_DATA_DIR")
    short.chmod(0o700)
    return short


def remove_socket_folder(sockets: Path, *, folder: Path) -> None:
    """Take a short socket folder away again when the server is down."""
    if sockets != folder:
        with suppress(OSError):
            sockets.rmdir()


def spawn(command: Sequence[str], *, folder: Path, log_file: Path, account: Account | None) -> subprocess.Popen[bytes]:
    """Start a server in the foreground of its own session, so that Ctrl-C in our terminal does not reach it."""
    try:
        with log_file.open("ab") as output:
            return subprocess.Popen(
                command,
                cwd=folder,
                env={"PATH": os.defpath, "LC_ALL": "C"},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                user=account.uid if account else None,
                group=account.gid if account else None,
                extra_groups=[] if account else None,
            )
    except OSError as error:
        raise EmbeddedServerError(f"cannot start {command[0]}: {error}") from error


def wait_for(
    ready: Callable[[], bool], *, process: subprocess.Popen[bytes], name: str, log_file: Path, seconds: float
) -> None:
    """Poll until the server is ready; one that dies or dawdles is an error that shows its last words."""
    deadline = time.monotonic() + seconds
    while not ready():
        if process.poll() is not None:
            raise EmbeddedServerError(f"{name} ended while it started. {log_file} says:\n{last_lines(log_file)}")
        if time.monotonic() > deadline:
            raise EmbeddedServerError(f"{name} is not ready after {seconds:g} s. {log_file}:\n{last_lines(log_file)}")
        time.sleep(POLL_SECONDS)


def end(process: subprocess.Popen[bytes], *, how: signal.Signals) -> None:
    """Ask the server to stop and wait; one that does not is killed, which its log on disk survives."""
    process.send_signal(how)
    try:
        process.wait(GOODBYE_SECONDS)
    except subprocess.TimeoutExpired:
        kill_with_children(process)


def kill_with_children(process: subprocess.Popen[bytes]) -> None:
    """SIGKILL the server and its children, and return when none of them is left."""
    try:
        family = psutil.Process(process.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        family = []
    process.kill()
    process.wait(GOODBYE_SECONDS)
    kill_all(family)


def kill_all(processes: Iterable[psutil.Process]) -> None:
    """SIGKILL processes that need not be our children, and wait until they are gone."""
    victims = list(processes)
    for victim in victims:
        try:
            victim.kill()
        except psutil.NoSuchProcess:
            continue
    if survivors := wait_until_gone(victims, seconds=GOODBYE_SECONDS):
        raise EmbeddedServerError(f"cannot end the processes {[survivor.pid for survivor in survivors]}")
    for victim in victims:
        # Orphans may have been given to us, see the nursery; what nobody collects stays in the list of processes.
        with suppress(ChildProcessError):
            os.waitpid(victim.pid, os.WNOHANG)


def wait_until_gone(processes: Iterable[psutil.Process], *, seconds: float) -> list[psutil.Process]:
    """Wait for processes that need not be our children; returns those that still run at the deadline."""
    deadline = time.monotonic() + seconds
    alive = [process for process in processes if is_alive(process)]
    while alive and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
        alive = [process for process in alive if is_alive(process)]
    return alive


def is_alive(process: psutil.Process) -> bool:
    """Whether the process still runs; a zombie that nobody collected does not."""
    try:
        return bool(process.is_running()) and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def last_lines(path: Path, *, count: int = 15) -> str:
    """The end of a log file, for a message to a person."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - 200 * count))
            text = file.read().decode(errors="replace")
    except OSError:
        return "(no log)"
    return "\n".join(text.splitlines()[-count:]) or "(empty)"
