"""The whole local stack at rest: how long until it answers, and how much memory it holds."""

import time
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

import psutil

from bench.site import WrongResults, free_port_base, throwaway_folder
from deploy.local.background import BackgroundStack
from deploy.local.stack import StackOptions

#: Workers start after the doors are open, and allocate for a while.
REST_SECONDS = 8.0
PATIENCE_SECONDS = 120.0


def measure() -> dict[str, float]:
    """`first_start` and `start` in seconds to the first 200 of the gateway, `memory` in MB of a stack at rest.

    The first start makes the database cluster and every table; the second finds them, as on every day after.
    """
    figures: dict[str, float] = {}
    with throwaway_folder() as folder:
        options = StackOptions(folder=folder, port_base=free_port_base(5), ready_seconds=PATIENCE_SECONDS)
        for name in ("first_start", "start"):
            began = time.perf_counter()
            stack = BackgroundStack(options)
            try:
                _wait_for_first_answer(stack, f"http://127.0.0.1:{options.port_base}")
                figures[name] = time.perf_counter() - began
                stack.wait_until_ready()
                if name == "start":
                    time.sleep(REST_SECONDS)
                    figures["memory"] = _memory(stack) / 1_000_000
            finally:
                stack.stop()
    return figures


def _wait_for_first_answer(stack: BackgroundStack, url: str) -> None:
    address = urlsplit(url)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        connection = HTTPConnection(address.hostname or "", address.port, timeout=PATIENCE_SECONDS)
        try:
            connection.request("GET", "/readyz")
            if connection.getresponse().status == 200:
                return
        except (OSError, HTTPException):
            pass
        finally:
            connection.close()
        time.sleep(0.01)
    raise WrongResults(f"no answer within {PATIENCE_SECONDS:g} s:\n{stack.output()[-2000:]}")


def _memory(stack: BackgroundStack) -> int:
    """The proportional set size of every process of the stack: shared pages count once in all."""
    supervisor = psutil.Process(stack.supervisor_pid)
    return sum(map(_share, (supervisor, *supervisor.children(recursive=True))))


def _share(process: psutil.Process) -> int:
    try:
        return int(process.memory_full_info().pss)
    except psutil.NoSuchProcess:
        # PostgreSQL starts helpers that live for a moment.
        return 0
