"""The local stack from start to end: servers, databases, migrations, processes, and back down again."""

import asyncio
import os
import secrets
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from deploy.local import data_folder, environment, migrations, readiness
from deploy.local.data_folder import REPOSITORY, StackNote
from deploy.local.hosting import EmbeddedServerError, last_lines
from deploy.local.leftovers import end_leftovers
from deploy.local.logs import Echo
from deploy.local.nursery import Nursery, available, take_orphans
from deploy.local.postgres import EmbeddedPostgres
from deploy.local.processes import Kind, Process, load_platform
from deploy.local.supervisor import Supervisor
from deploy.local.valkey import EmbeddedValkey

Result = TypeVar("Result")
SERVER_CHECK_SECONDS = 0.5
# A process that died so often before it was ready will not come up by waiting.
HOPELESS_DEATHS = 3


class StackFailed(Exception):
    """The stack did not come up; the message names what failed and shows its last words."""


@dataclass(frozen=True, kw_only=True)
class StackOptions:
    """What the person who starts a stack may choose."""

    folder: Path
    platform: str = "deploy.local.processes:PLATFORM"
    port_base: int | None = None
    ready_seconds: float = 60.0


class Stack:
    """One stack on one data folder, which the caller has locked. `up` once, `down` once, in one event loop."""

    def __init__(self, options: StackOptions, *, echo: Echo) -> None:
        self.folder = options.folder
        self._options = options
        self._say = echo
        self._platform = load_platform(options.platform)
        self._note = StackNote(pid=os.getpid(), token=secrets.token_hex(16), platform=options.platform)
        self._postgres: EmbeddedPostgres | None = None
        self._valkey: EmbeddedValkey | None = None
        self._supervisor: Supervisor | None = None
        self._migration: subprocess.Popen[str] | None = None
        self._nurseries: dict[Kind, Nursery] = {}
        # One thread for everything that blocks: steps of `up` and `down` never overlap, even when one is abandoned.
        self._worker = ThreadPoolExecutor(max_workers=1)

    async def up(self) -> StackNote:
        """Start everything and return when every service is ready; raises with a message for people."""
        await self._blocking(self._end_leftovers)
        await self._blocking(self._start_servers)
        await self._blocking(self._migrate)
        await self._start_processes()
        return self._note

    async def keep_servers_up(self) -> None:
        """Start an embedded server again when it died, for ever."""
        while True:
            await asyncio.sleep(SERVER_CHECK_SECONDS)
            for name, server in self._servers():
                if server.pid is None:
                    self._say(name, "ended; starting it again")
                    await self._blocking(partial(self._revive, server))

    async def down(self) -> None:
        """Stop the processes, then the servers under them. Safe after an `up` that failed half-way."""
        if self._migration is not None and self._migration.poll() is None:
            self._migration.terminate()
        # A step that was abandoned may still be starting a server.
        await self._blocking(lambda: None)
        if self._supervisor is not None:
            await self._supervisor.stop()
        for nursery in self._nurseries.values():
            await self._blocking(nursery.stop)
        for _, server in reversed(self._servers()):
            await self._blocking(server.stop)
        (self.folder / "stack.json").unlink(missing_ok=True)

    def hurry(self) -> None:
        """Do not wait for the processes any longer."""
        if self._supervisor is not None:
            self._supervisor.kill()

    def _end_leftovers(self) -> None:
        before = data_folder.read_note(self.folder)
        if before and (count := end_leftovers(self.folder, token=before.token)):
            self._say("jifen", f"ended {count} processes of a stack that was killed (process {before.pid})")

    def _start_servers(self) -> None:
        services = self._platform.services
        wanted = environment.wanted(services, os.environ)
        started_at = time.monotonic()
        servers: dict[str, str] = {}
        self._compose_environment(servers)
        readiness.refuse_taken_ports(self._web_urls())
        # The note comes first: what is started from here on can be found again by it.
        data_folder.write_note(self.folder, self._note)
        self._open_nurseries()
        if wanted.embedded_databases:
            self._postgres = EmbeddedPostgres(folder=self.folder / "postgres", log_file=self._log_file("postgres"))
            self._postgres.begin()
            for name in wanted.embedded_databases:
                servers[environment.database_variable(name)] = self._postgres.url(name)
        if wanted.embedded_valkey:
            self._valkey = EmbeddedValkey(folder=self.folder / "valkey", log_file=self._log_file("valkey"))
            self._valkey.begin()
            servers["JIFEN_REDIS_URL"] = self._valkey.url
        self._compose_environment(servers)
        for _, server in self._servers():
            server.wait_until_ready()
        if self._postgres is not None:
            self._postgres.create_databases(wanted.embedded_databases)
        names = " and ".join(name for name, _ in self._servers()) or "outside servers"
        self._say("jifen", f"{names} ready after {time.monotonic() - started_at:.1f} s")

    def _open_nurseries(self) -> None:
        if not available():
            return
        take_orphans()
        for kind, modules in self._platform.preload.items():
            self._nurseries[kind] = Nursery(modules, environment=self._child_environment(), folder=REPOSITORY)
        if "web" in self._nurseries:
            # It loads while the servers boot; the workers' one begins with the first of them, after the doors are open.
            self._nurseries["web"].begin()

    def _compose_environment(self, servers: dict[str, str]) -> None:
        services = self._platform.services
        self._note.environment = environment.compose(
            services,
            os.environ,
            secrets=data_folder.load_secrets(self.folder),
            servers=servers,
            port_base=self._options.port_base,
        )
        self._note.urls = {name: self._note.environment[environment.url_variable(name)] for name in services}

    def _migrate(self) -> None:
        databases = environment.wanted(self._platform.services, os.environ).embedded_databases
        # Only our own server tells us quickly whether anything is to be done.
        server = self._postgres if set(databases) == set(self._platform.services) else None
        if server and migrations.nothing_to_do(self.folder, server, databases):
            return
        for process in self._platform.of_kind("migrate"):
            self._migration = migrations.launch(process, environment=self._child_environment())
            migrations.finish(process, self._migration, log_file=self._log_file(process.name), say=self._say)
        if server:
            migrations.remember(self.folder, server, databases)

    async def _start_processes(self) -> None:
        web, workers = self._platform.of_kind("web"), self._platform.of_kind("worker")
        self._supervisor = Supervisor(
            [*web, *workers],
            environment=self._child_environment(),
            working_folder=REPOSITORY,
            log_folder=self.folder / "logs",
            nurseries=self._nurseries,
            echo=self._say,
            on_change=self._publish,
        )
        await self._supervisor.start([process.name for process in web])
        await self._wait_until_ready(web)
        # Workers come after the doors are open: on two cores their imports would double the time to the first answer.
        await self._supervisor.start([process.name for process in workers])
        self._note.ready = True
        self._publish()

    async def _wait_until_ready(self, web: list[Process]) -> None:
        deaths = self._supervisor.deaths if self._supervisor else {}
        missing = await readiness.wait_until_ready(
            self._web_urls(),
            seconds=self._options.ready_seconds,
            hopeless=lambda: any(deaths[process.name] >= HOPELESS_DEATHS for process in web),
        )
        if missing:
            names = {process.service: process.name for process in web}
            raise StackFailed("\n\n".join(self._complaint(names[name], answer) for name, answer in missing.items()))

    def _complaint(self, name: str, answer: str) -> str:
        path = self._log_file(name)
        return f"{name} did not come up: {answer}. The end of {path}:\n{last_lines(path)}"

    def _web_urls(self) -> dict[str, str]:
        return {process.service: self._note.urls[process.service] for process in self._platform.of_kind("web")}

    def _servers(self) -> list[tuple[str, EmbeddedPostgres | EmbeddedValkey]]:
        servers = {"postgres": self._postgres, "valkey": self._valkey}
        return [(name, server) for name, server in servers.items() if server is not None]

    def _revive(self, server: EmbeddedPostgres | EmbeddedValkey) -> None:
        try:
            server.kill()
            server.start()
            self._publish()
        except EmbeddedServerError as error:
            self._say("jifen", str(error))

    def _publish(self) -> None:
        servers = {name: server.pid for name, server in self._servers() if server.pid}
        self._note.pids = servers | (self._supervisor.pids() if self._supervisor else {})
        data_folder.write_note(self.folder, self._note)

    def _child_environment(self) -> dict[str, str]:
        return environment.for_child(self._note.environment, token=self._note.token)

    def _log_file(self, name: str) -> Path:
        return self.folder / "logs" / f"{name}.log"

    async def _blocking(self, step: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._worker, step)
