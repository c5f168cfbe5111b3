"""A stack in a process of its own, held by this one: for the demo and for tests that drive the whole platform."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from deploy.local import data_folder
from deploy.local.data_folder import REPOSITORY, StackNote
from deploy.local.readiness import readiness
from deploy.local.stack import StackFailed, StackOptions

POLL_SECONDS = 0.02


class BackgroundStack:
    """A running stack. It ends when `stop` is called, and also when this process ends in whatever way."""

    def __init__(self, options: StackOptions, *, variables: Mapping[str, str] | None = None) -> None:
        self._options = options
        self._output = options.folder / "logs" / "stack.log"
        command = [sys.executable, "-m", "deploy.local", "run", "--attached", "--data-dir", str(options.folder)]
        command += ["--platform", options.platform, "--ready-seconds", str(options.ready_seconds)]
        command += ["--port-base", str(options.port_base)] if options.port_base else []
        data_folder.prepare(options.folder)
        with self._output.open("ab") as output:
            self._output_begin = output.tell()
            self._process = subprocess.Popen(
                command,
                cwd=REPOSITORY,
                env={**os.environ, **(variables or {})},
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def folder(self) -> Path:
        """Its data folder."""
        return self._options.folder

    @property
    def supervisor_pid(self) -> int:
        """The process that holds the stack."""
        return self._process.pid

    @property
    def env(self) -> dict[str, str]:
        """The `JIFEN_*` variables that every process of the stack has, e.g. to open its databases."""
        return self._note().environment

    def url(self, service: str) -> str:
        """Where a service answers, e.g. `url("gateway")`."""
        return self._note().urls[service]

    def pid(self, name: str) -> int | None:
        """The process id of `points.web`, `cron`, `postgres`, …; None while it is down."""
        return self._note().pids.get(name)

    def kill(self, name: str, how: signal.Signals = signal.SIGKILL) -> int:
        """Send SIGKILL (or another signal) to one process and return its id; the supervisor brings it back."""
        pid = self.pid(name)
        if pid is None:
            raise LookupError(f"{name} is not running")
        os.kill(pid, how)
        return pid

    def wait_until_back(self, name: str, *, killed_pid: int, seconds: float = 30.0) -> int:
        """Wait until a killed process runs again and every service is ready; returns its new process id."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            pid = self.pid(name)
            if pid and pid != killed_pid and not any(readiness(url) for url in self._note().urls.values()):
                return pid
            time.sleep(POLL_SECONDS)
        raise StackFailed(f"{name} did not come back within {seconds:g} s:\n{self.output()[-4000:]}")

    def wait_until_ready(self) -> None:
        """Wait until every service answers; raises StackFailed with what the stack said."""
        while self._process.poll() is None:
            note = data_folder.read_note(self._options.folder)
            if note and note.pid == self._process.pid and note.ready:
                return
            time.sleep(POLL_SECONDS)
        raise StackFailed(self.output())

    def stop(self) -> None:
        """End the stack cleanly and wait for it. Stopping a stopped one is fine."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait()

    def output(self) -> str:
        """Everything the stack has printed."""
        return self._output.read_bytes()[self._output_begin :].decode(errors="replace")

    def _note(self) -> StackNote:
        note = data_folder.read_note(self._options.folder)
        if note is None or note.pid != self._process.pid:
            raise StackFailed(f"the stack is not running:\n{self.output()[-4000:]}")
        return note


def start_in_background(options: StackOptions, *, variables: Mapping[str, str] | None = None) -> BackgroundStack:
    """A stack that is ready to be used; it prints into `logs/stack.log` of its data folder."""
    stack = BackgroundStack(options, variables=variables)
    try:
        stack.wait_until_ready()
    except BaseException:
        stack.stop()
        raise
    return stack
