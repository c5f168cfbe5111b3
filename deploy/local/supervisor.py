"""Keeps the processes of the stack up: start, restart after a crash, stop with everything below them."""

import asyncio
import os
import signal
import subprocess
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from deploy.local.hosting import kill_all
from deploy.local.logs import Echo, ProcessLog
from deploy.local.nursery import Nursery, NurseryGone
from deploy.local.processes import Kind, Process

CHECK_SECONDS = 0.1
#: A process that ends again and again is started that often and no oftener.
RESTART_SECONDS = 0.5
GRACEFUL_SECONDS = 20.0
READ_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class _Running:
    """One life of a process: its id and our end of its output."""

    pid: int
    output: int
    # Held while it runs: a forgotten one collects its child's end behind our back.
    popen: "subprocess.Popen[bytes] | None"


class Supervisor:
    """The running processes by name. Lives in the event loop that started it."""

    def __init__(
        self,
        processes: Sequence[Process],
        *,
        environment: Mapping[str, str],
        working_folder: Path,
        log_folder: Path,
        nurseries: Mapping[Kind, Nursery],
        echo: Echo,
        on_change: Callable[[], None],
    ) -> None:
        self.deaths: Counter[str] = Counter()
        self.logs = {it.name: ProcessLog(it.name, path=log_folder / f"{it.name}.log", echo=echo) for it in processes}
        self._processes = {it.name: it for it in processes}
        self._environment = dict(environment)
        self._working_folder = working_folder
        self._nurseries = nurseries
        self._say = echo
        self._on_change = on_change
        self._running: dict[str, _Running] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = False

    async def start(self, names: Sequence[str]) -> None:
        """Start these processes and keep them up from now on."""
        for name in names:
            await self._launch(self._processes[name])
            self._tasks.append(asyncio.create_task(self._keep_up(self._processes[name])))

    def pids(self) -> dict[str, int]:
        """The process id of each process that is up."""
        return {name: running.pid for name, running in self._running.items()}

    async def stop(self) -> None:
        """End every process, gracefully within `GRACEFUL_SECONDS`."""
        self._stopping = True
        for pid in self.pids().values():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        waiting = asyncio.gather(*self._tasks, return_exceptions=True)
        try:
            await asyncio.wait_for(asyncio.shield(waiting), GRACEFUL_SECONDS)
        except TimeoutError:
            self.kill()
        for failure in await waiting:
            if isinstance(failure, BaseException):
                raise failure

    def kill(self) -> None:
        """End every process at once."""
        for pid in self.pids().values():
            kill_session(pid)

    async def _keep_up(self, process: Process) -> None:
        while True:
            exit_code = await self._end_of(process)
            if self._stopping:
                return
            self.deaths[process.name] += 1
            self._say(process.name, f"ended ({describe_exit(exit_code)}); starting it again")
            await asyncio.sleep(RESTART_SECONDS)
            if self._stopping:
                return
            await self._launch(process)

    async def _launch(self, process: Process) -> None:
        read_end, write_end = os.pipe()
        try:
            # In a thread: a nursery may still be loading what all need, and the lines of others go on meanwhile.
            spawned = await asyncio.to_thread(self._spawn, process, write_end)
        except BaseException:
            os.close(read_end)
            raise
        finally:
            os.close(write_end)
        os.set_blocking(read_end, False)
        pid, popen = (spawned, None) if isinstance(spawned, int) else (spawned.pid, spawned)
        self._running[process.name] = running = _Running(pid, read_end, popen)
        asyncio.get_running_loop().add_reader(read_end, self._read, process.name, running)
        self._on_change()

    def _spawn(self, process: Process, output: int) -> "int | subprocess.Popen[bytes]":
        nursery = self._nurseries.get(process.kind)
        if nursery is not None and process.module:
            try:
                return nursery.spawn(process.name, process.module, environment=self._environment, output=output)
            except NurseryGone as gone:
                self._say(process.name, f"{gone}; it is started by itself")
        return subprocess.Popen(
            process.arguments(),
            cwd=self._working_folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )

    def _read(self, name: str, running: _Running) -> bool:
        """Pass on what stands in the pipe; false at its end."""
        try:
            data = os.read(running.output, READ_BYTES)
        except BlockingIOError:
            return False
        if data:
            self.logs[name](running.pid, data)
        else:
            asyncio.get_running_loop().remove_reader(running.output)
        return bool(data)

    async def _end_of(self, process: Process) -> int:
        """Wait until the process ends, and clear away what it leaves behind; returns its exit code."""
        running = self._running[process.name]
        while (exit_code := exit_code_of(running)) is None:
            await asyncio.sleep(CHECK_SECONDS)
        # Workers of a killed gunicorn would hold its port until they notice, and nothing may outlive the stack.
        kill_session(running.pid)
        while self._read(process.name, running):
            pass
        asyncio.get_running_loop().remove_reader(running.output)
        os.close(running.output)
        self.logs[process.name].close()
        del self._running[process.name]
        return exit_code


def exit_code_of(running: _Running) -> int | None:
    """How our child ended, negative for a signal; None while it runs."""
    if running.popen is not None:
        return running.popen.poll()
    ended, status = os.waitpid(running.pid, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if ended else None


def describe_exit(exit_code: int) -> str:
    """How a process ended, in words."""
    if exit_code < 0:
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
