"""The one folder that holds everything of a local stack: data, secrets, logs, and a note about what runs on it."""

import fcntl
import json
import os
import re
import secrets
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
MARKER = "JIFEN-DATA"
AUDIT_KEY = "JIFEN_AUDIT_KEY"
SECRET_NAMES = (
    *("JIFEN_IDENTITY_SECRET", "JIFEN_SESSION_SECRET", "JIFEN_KEY_ENCRYPTION_SECRET", "JIFEN_CODE_SECRET"),
    AUDIT_KEY,
)


class FolderRefused(Exception):
    """The data folder cannot be used as asked; the message says why and what to do."""


@dataclass(kw_only=True)
class StackNote:
    """What a running stack tells other commands about itself; it holds secrets, so only the owner may read it."""

    pid: int
    token: str
    platform: str
    ready: bool = False
    urls: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    pids: dict[str, int] = field(default_factory=dict)


def default_data_folder() -> Path:
    """`JIFEN_DATA_DIR`, or `.jifen` beside the code."""
    return Path(os.environ.get("JIFEN_DATA_DIR") or REPOSITORY / ".jifen").resolve()


def prepare(folder: Path) -> None:
    """Create the data folder, or make sure that an existing one is ours; never adopt a stranger's files."""
    try:
        if folder.exists() and any(folder.iterdir()) and not (folder / MARKER).exists():
            raise FolderRefused(f"{folder} holds files of somebody else: choose an empty folder for JIFEN_DATA_DIR")
        # Under root the database runs as another account, which must be able to walk through.
        folder.mkdir(mode=0o700 if os.geteuid() else 0o711, parents=True, exist_ok=True)
        (folder / "logs").mkdir(exist_ok=True)
        (folder / MARKER).write_text("Data of a local Jifen stack; `make clean` removes it.\n")
    except OSError as error:
        raise FolderRefused(f"cannot write {folder} ({error.strerror}): choose another JIFEN_DATA_DIR") from error


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the folder for one stack at a time; the kernel lets go when the holder dies, however it dies."""
    with (folder / "lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            note = read_note(folder)
            who = f" (process {note.pid}, {next(iter(note.urls.values()), 'starting')})" if note else ""
            raise FolderRefused(
                f"a stack is already running on {folder}{who}: stop it with Ctrl-C there, "
                "or set JIFEN_DATA_DIR and --port-base for a second one"
            ) from None
        yield


def is_locked(folder: Path) -> bool:
    """Whether a stack is running on the folder."""
    if not (folder / "lock").exists():
        return False
    try:
        with locked(folder):
            return False
    except FolderRefused:
        return True


def load_secrets(folder: Path) -> dict[str, str]:
    """The secrets of this folder, generated at first use and kept in a file that only its owner may read."""
    path = folder / "secrets.env"
    known = dict(re.findall(r"^(\w+)=(\S+)$", path.read_text(), re.MULTILINE)) if path.exists() else {}
    missing = {name: _new_secret(name) for name in SECRET_NAMES if name not in known}
    if missing:
        known |= missing
        write_private(path, "".join(f"{name}={value}\n" for name, value in known.items()))
    path.chmod(0o600)
    return known


def _new_secret(name: str) -> str:
    """Text for a secret; what signs the audit log is a key, and has a key's form."""
    return b64encode(secrets.token_bytes(32)).decode() if name == AUDIT_KEY else secrets.token_urlsafe(36)


def write_note(folder: Path, note: StackNote) -> None:
    """Publish what runs here."""
    write_private(folder / "stack.json", json.dumps(asdict(note), indent=2))


def read_note(folder: Path) -> StackNote | None:
    """What the last stack on this folder said about itself; it may have died since, see `is_locked`."""
    try:
        return StackNote(**json.loads((folder / "stack.json").read_text()))
    except (FileNotFoundError, ValueError, TypeError):
        return None


def write_private(path: Path, text: str) -> None:
    """Replace a file in one step, readable by its owner only from the first moment."""
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    fresh.replace(path)
