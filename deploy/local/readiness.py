"""Ports that must be free before the start, and readiness that must come after it."""

import asyncio
import errno
import http.client
import socket
import time
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

import psutil

from deploy.local.environment import url_variable

POLL_SECONDS = 0.05
REQUEST_SECONDS = 5.0


class PortTaken(Exception):
    """Somebody else answers where a service should; the message says who and what to do."""


def refuse_taken_ports(urls: Mapping[str, str]) -> None:
    """Raise PortTaken when a port of one of the services (by name) cannot be bound."""
    taken = {name: url for name, url in urls.items() if not can_bind(url)}
    if not taken:
        return
    lines = []
    for name, url in taken.items():
        port = urlsplit(url).port
        lines.append(f"port {port} of {name} is taken{holder(port)}: end that, or set {url_variable(name)}")
    raise PortTaken("\n".join([*lines, "`--port-base 9100` moves all of them (make run ARGS='--port-base 9100')"]))


def can_bind(url: str) -> bool:
    """Whether we could listen at this URL's address, in the way gunicorn does."""
    address = urlsplit(url)
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address.hostname or "127.0.0.1", address.port or 80))
        except OSError as error:
            return error.errno != errno.EADDRINUSE
    return True


def holder(port: int | None) -> str:
    """` by python3 (process 42)` when the system lets us know."""
    try:
        for connection in psutil.net_connections(kind="tcp"):
            if connection.status == psutil.CONN_LISTEN and connection.laddr.port == port and connection.pid:
                return f" by {psutil.Process(connection.pid).name()} (process {connection.pid})"
    except psutil.Error:
        pass
    return ""


async def wait_until_ready(urls: Mapping[str, str], *, seconds: float, hopeless: Callable[[], bool]) -> dict[str, str]:
    """Wait until every service answers 200 on /readyz; returns those that did not, with what they said instead.

    Gives up early when `hopeless` says that waiting is in vain.
    """
    deadline = time.monotonic() + seconds
    waiting = dict.fromkeys(urls, "no answer")
    while waiting and time.monotonic() < deadline and not hopeless():
        answers = await asyncio.gather(*(asyncio.to_thread(readiness, urls[name]) for name in waiting))
        waiting = {name: answer for name, answer in zip(waiting, answers, strict=True) if answer}
        await asyncio.sleep(POLL_SECONDS if waiting else 0)
    return waiting


def readiness(url: str) -> str:
    """Empty when the service is ready, else what it says.

    A web server accepts connections before it can answer; so the patience is longer than the polling interval.
    """
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname or "127.0.0.1", address.port, timeout=REQUEST_SECONDS)
    try:
        connection.request("GET", "/readyz")
        response = connection.getresponse()
        body = response.read(500).decode(errors="replace").strip()
        return "" if response.status == 200 else f"/readyz answers {response.status}: {body}"
    except ConnectionRefusedError:
        return "does not listen"
    except (OSError, http.client.HTTPException) as error:
        return f"{type(error).__name__}: {error}"
    finally:
        connection.close()
