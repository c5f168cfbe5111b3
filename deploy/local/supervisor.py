"""Keeps the processes of the stack up, with circus: start, restart after a crash, stop with everything below them."""

import asyncio
import os
import shlex
import signal
import socket
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]
from circus.arbiter import Arbiter
from circus.exc import ConflictError
from circus.watcher import Watcher
from tornado.ioloop import IOLoop

from deploy.local.hosting import kill_all
from deploy.local.logs import Echo, ProcessLog
from deploy.local.processes import Process

CHECK_SECONDS = 0.5
GRACEFUL_SECONDS = 20.0
READ_BYTES = 65_536


class Supervisor:
    """The running processes by name. Lives in the event loop that started it."""

    def __init__(
        self,
        processes: Sequence[Process],
        *,
        environment: Mapping[str, str],
        working_folder: Path,
        log_folder: Path,
        echo: Echo,
        on_change: Callable[[], None],
    ) -> None:
        self.deaths: Counter[str] = Counter()
        self._say = echo
        self._on_change = on_change
        self.logs = {it.name: ProcessLog(it.name, path=log_folder / f"{it.name}.log", echo=echo) for it in processes}
        watchers = [self._watcher(it, environment=environment, working_folder=working_folder) for it in processes]
        with without_name_lookup():
            self._arbiter = Arbiter(
                watchers,
                # Nobody talks to circus from outside: its control sockets stay inside this process.
                endpoint="inproc://control",
                pubsub_endpoint="inproc://events",
                check_delay=CHECK_SECONDS,
                loop=IOLoop.current(),
            )
        # Circus took the signals for itself; they are ours.
        self._arbiter.ctrl.sys_hdl.stop()

    async def begin(self) -> None:
        """Make the supervisor ready; no process is started yet."""
        await self._arbiter.start()

    async def start(self, names: Sequence[str]) -> None:
        """Start these processes and keep them up from now on."""
        for watcher in self._arbiter.watchers:
            if watcher.name in names:
                watcher.autostart = True
                await self._arbiter.start_watcher(watcher)

    def pids(self) -> dict[str, int]:
        """The process id of each process that is up."""
        return {watcher.name: pid for watcher in self._arbiter.watchers for pid in watcher.processes}

    async def stop(self) -> None:
        """End every process, gracefully within `GRACEFUL_SECONDS`."""
        if self._arbiter.ctrl.caller is None:
            return
        self._arbiter.ctrl.caller.stop()
        while True:
            try:
                await self._arbiter.stop()
                break
            except ConflictError:
                # A round of restarts is under way; it is short.
                await asyncio.sleep(CHECK_SECONDS / 10)
        # The arbiter closes its sockets in the loop's next turn.
        await asyncio.sleep(0)

    def kill(self) -> None:
        """End every process at once."""
        for pid in self.pids().values():
            kill_session(pid)

    def _watcher(self, process: Process, *, environment: Mapping[str, str], working_folder: Path) -> Watcher:
        command, *arguments = process.arguments()
        return Watcher(
            process.name,
            shlex.quote(command),
            args=arguments,
            env=dict(environment),
            working_dir=str(working_folder),
            stdout_stream={"stream": self.logs[process.name]},
            stderr_stream={"stream": self.logs[process.name]},
            graceful_timeout=GRACEFUL_SECONDS,
            autostart=False,
            hooks={
                "before_spawn": (self._before_spawn, False),
                "after_spawn": (self._after_spawn, False),
                "before_reap": (self._before_reap, True),
                "after_reap": (self._after_reap, True),
            },
        )

    def _before_spawn(self, *, watcher: Watcher, **_: Any) -> bool:
        # Circus reads its pipes by the kilobyte, which is too little for a busy service.
        watcher.stream_redirector.buffer = READ_BYTES
        return True

    def _after_spawn(self, **_: Any) -> bool:
        self._on_change()
        return True

    def _before_reap(self, *, watcher: Watcher, process_pid: int, **_: Any) -> None:
        # Circus closes the pipes of a dead process while the event loop still listens to them when a grandchild holds
        # the other end. The number of the closed pipe may then go to another process, whose start would fail.
        if watcher.stream_redirector and process_pid in watcher.processes:
            watcher.stream_redirector.remove_redirections(watcher.processes[process_pid])

    def _after_reap(self, *, watcher: Watcher, process_pid: int, exit_code: int | None, **_: Any) -> None:
        # Workers of a killed gunicorn would hold its port until they notice, and nothing may outlive the stack.
        kill_session(process_pid)
        if not watcher.is_stopping():
            self.deaths[watcher.name] += 1
            self._say(watcher.name, f"ended ({describe_exit(exit_code)}); starting it again")


def describe_exit(exit_code: int | None) -> str:
    """How a process ended, in words."""
    if exit_code is not None and exit_code < 0:
        return f"killed by {signal.Signals(-exit_code).name}"
    return f"exit status {exit_code}"


def kill_session(leader: int) -> None:
    """SIGKILL everything that runs in the session of `leader`: each of our processes leads its own."""
    members = []
    for process in psutil.process_iter():
        try:
            if os.getsid(process.pid) == leader:
                members.append(process)
        except (ProcessLookupError, PermissionError):
            continue
    kill_all(members)


@contextmanager
def without_name_lookup() -> Iterator[None]:
    """Circus asks the name service for this machine's full name, which takes seconds on a laptop without network."""
    asking = socket.getfqdn
    socket.getfqdn = lambda name="": name or socket.gethostname()
    try:
        yield
    finally:
        socket.getfqdn = asking
