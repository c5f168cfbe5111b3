"""A process that has loaded what many processes need, and forks them: `python -m deploy.local.nursery <fd> <module>…`.

Ten processes of the platform load the same libraries, one and a half seconds each. The nursery loads them once; a
child of it runs `python -m …` as if it had been started by itself, in its own session, and shares the memory of the
libraries. The nursery has no threads and opens nothing, so nothing but code and constants crosses the fork.

A child's parent ends at once, and Linux gives the orphan to the nearest ancestor that said it takes orphans: the
supervisor. So it watches and collects a nursed process like one that it started itself. Where the kernel has no such
thing (macOS), there is no nursery, and every process is started by itself.
"""

import ctypes
import gc
import importlib
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import Any

PATIENCE_SECONDS = 60.0
_MOST_BYTES = 1_000_000
_SET_NAME, _SET_CHILD_SUBREAPER = 15, 36


class NurseryGone(Exception):
    """The nursery ended, or never came up."""


class Nursery:
    """The supervisor's end: a nursery process, started anew when it died."""

    def __init__(self, modules: Sequence[str], *, environment: Mapping[str, str], folder: Path) -> None:
        self._command = [sys.executable, "-m", "deploy.local.nursery"]
        self._modules = list(modules)
        self._environment = dict(environment)
        self._folder = folder
        self._lock = Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._line: socket.socket | None = None

    def begin(self) -> None:
        """Start loading, without waiting for it."""
        here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        here.settimeout(PATIENCE_SECONDS)
        with there:
            self._process = subprocess.Popen(
                [*self._command, str(there.fileno()), *self._modules],
                cwd=self._folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                pass_fds=[there.fileno()],
                start_new_session=True,
            )
        self._line = here

    def spawn(self, name: str, arguments: Sequence[str], *, environment: Mapping[str, str], output: int) -> int:
        """Fork a process that runs `python -m` with these arguments; returns its id. Raises `NurseryGone`."""
        wanted = json.dumps({"name": name, "arguments": list(arguments), "environment": dict(environment)}).encode()
        with self._lock:
            for _ in range(2):
                if self._line is None:
                    self.begin()
                try:
                    assert self._line is not None
                    socket.send_fds(self._line, [wanted], [output])
                    if answer := self._line.recv(64):
                        return int(answer)
                except OSError:
                    pass
                self._end()
        raise NurseryGone(f"the nursery did not start {name}")

    def stop(self) -> None:
        """End the nursery; its children live on. Stopping a stopped one is fine."""
        with self._lock:
            self._end()

    def _end(self) -> None:
        if self._line is not None:
            self._line.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._line = self._process = None


def available() -> bool:
    """Whether this system gives orphans to who asks for them."""
    return sys.platform == "linux"


def take_orphans() -> None:
    """Become the parent of what our children's children leave behind."""
    _prctl(_SET_CHILD_SUBREAPER, 1)


def main(line: socket.socket, modules: Sequence[str]) -> None:
    """Load the modules, then fork whatever is asked for, until the supervisor's end closes."""
    for module in modules:
        importlib.import_module(module)
    # What is loaded by now never becomes garbage: left alone by the collector, its pages stay shared.
    gc.collect()
    gc.freeze()
    while True:
        wanted, (output,), _, _ = socket.recv_fds(line, _MOST_BYTES, 1) if _awaited(line) else (b"", (0,), 0, None)
        if not wanted:
            return
        asked = json.loads(wanted)
        child = _fork_orphan()
        if child == 0:
            line.close()
            _become(asked, output)
            return
        os.close(output)
        line.send(str(child).encode())


def _awaited(line: socket.socket) -> bool:
    """Wait for a request; false when the other end has closed."""
    return bool(line.recv(1, socket.MSG_PEEK))


def _fork_orphan() -> int:
    """0 in a new process that the supervisor collects; its id here."""
    read_end, write_end = os.pipe()
    between = os.fork()
    if between == 0:
        child = os.fork()
        if child:
            os.write(write_end, str(child).encode())
            os._exit(0)
        os.close(read_end)
        os.close(write_end)
        return 0
    os.close(write_end)
    os.waitpid(between, 0)
    with os.fdopen(read_end) as pipe:
        return int(pipe.read())


def _become(asked: dict[str, Any], output: int) -> None:
    """Run what was asked for, in this process, as a fresh interpreter would."""
    os.setsid()
    for target in (1, 2):
        os.dup2(output, target)
    os.close(output)
    os.environ.clear()
    os.environ.update(asked["environment"])
    _prctl(_SET_NAME, asked["name"].encode()[:15])
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, signal.default_int_handler if name == signal.SIGINT else signal.SIG_DFL)
    module, *words = asked["arguments"]
    sys.argv = [module, *words]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def _prctl(option: int, value: int | bytes) -> None:
    ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        main(socket.socket(fileno=int(sys.argv[1])), sys.argv[2:])
