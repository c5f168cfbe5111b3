"""Servers for the tests: throw-away PostgreSQL and Valkey, and the whole stack in a process of its own."""

import random
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from deploy.local.background import BackgroundStack, start_in_background
from deploy.local.embedded import EmbeddedPostgres, EmbeddedValkey, start_postgres, start_valkey
from deploy.local.processes import load_platform
from deploy.local.readiness import can_bind
from deploy.local.stack import StackOptions


@contextmanager
def throwaway_postgres(*, durable: bool = False) -> Iterator[EmbeddedPostgres]:
    """An empty PostgreSQL; `durable` makes it wait for the disk, for tests that kill it."""
    with throwaway_folder() as folder:
        server = start_postgres(folder / "postgres", durable=durable)
        try:
            yield server
        finally:
            server.stop()


@contextmanager
def throwaway_valkey(*, durable: bool = False) -> Iterator[EmbeddedValkey]:
    """An empty Valkey; `durable` makes it keep its append-only file, for tests that kill it."""
    with throwaway_folder() as folder:
        server = start_valkey(folder / "valkey", durable=durable)
        try:
            yield server
        finally:
            server.stop()


@contextmanager
def running_stack(
    folder: Path,
    *,
    platform: str = StackOptions.platform,
    variables: Mapping[str, str] | None = None,
    port_base: int | None = None,
    ready_seconds: float = 60.0,
) -> Iterator[BackgroundStack]:
    """The real stack on free ports with its data in `folder`; see BackgroundStack for what it offers."""
    port_base = port_base or free_port_base(len(load_platform(platform).services))
    options = StackOptions(folder=folder, platform=platform, port_base=port_base, ready_seconds=ready_seconds)
    stack = None
    try:
        stack = start_in_background(options, variables=variables)
        yield stack
    finally:
        if stack is not None:
            stack.stop()
        # Pytest keeps the folders of its last runs; the logs are worth keeping, the database is not.
        shutil.rmtree(folder / "postgres", ignore_errors=True)


@contextmanager
def throwaway_folder() -> Iterator[Path]:
    """A folder with a short path, as sockets need, which the database's account may pass under root."""
    folder = Path(tempfile.mkdtemp(prefix="jifen-test-"))
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def free_port_base(count: int) -> int:
    """The first of `count` consecutive free ports, away from those that the system hands out by itself."""
    while True:
        base = random.randrange(12_000, 30_000)
        if all(can_bind(f"http://127.0.0.1:{port}") for port in range(base, base + count)):
            return base
