"""Run a stack in this process until somebody says stop."""

import asyncio
import signal
import sys
from collections.abc import Callable
from contextlib import suppress

from deploy.local import data_folder
from deploy.local.data_folder import StackNote
from deploy.local.logs import console_echo
from deploy.local.processes import load_platform
from deploy.local.stack import Stack, StackOptions


def run(options: StackOptions, *, quiet: bool, attached: bool, on_ready: Callable[[StackNote], None]) -> None:
    """Hold the data folder and keep a stack up on it until Ctrl-C, SIGTERM or, when attached, the end of stdin."""
    data_folder.prepare(options.folder)
    with data_folder.locked(options.folder):
        asyncio.run(until_stopped(options, quiet=quiet, attached=attached, on_ready=on_ready))


async def until_stopped(
    options: StackOptions, *, quiet: bool, attached: bool, on_ready: Callable[[StackNote], None]
) -> None:
    """Bring the stack up, wait for the word to stop, and take it down whatever happened."""
    names = [process.name for process in load_platform(options.platform).processes if process.kind != "verify"]
    echo = console_echo(["jifen", *names], quiet=quiet)
    stack = Stack(options, echo=echo)
    stop = asyncio.Event()
    listen_for_stop(stop, stack, attached=attached)

    async def live() -> None:
        on_ready(await stack.up())
        await stack.keep_servers_up()

    living, stopping = asyncio.create_task(live()), asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({living, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if living.done():
            living.result()
    finally:
        for task in (living, stopping):
            task.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await task
        echo("jifen", "stopping (Ctrl-C again to hurry)")
        await stack.down()
        echo("jifen", "stopped")


def listen_for_stop(stop: asyncio.Event, stack: Stack, *, attached: bool) -> None:
    """The first signal asks for a clean stop, a second one for a quick one."""
    loop = asyncio.get_running_loop()

    def asked() -> None:
        if stop.is_set():
            stack.hurry()
        stop.set()

    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(name, asked)
    if attached:
        # Whoever started us holds the other end of our stdin: it closes when he ends, in whatever way.
        def abandoned() -> None:
            loop.remove_reader(sys.stdin.fileno())
            stop.set()

        loop.add_reader(sys.stdin.fileno(), abandoned)
