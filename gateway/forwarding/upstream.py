"""Asking a service over kept connections: a small HTTP/1.1 client for one job, on the hot path of everything.

It does what `http.client` does in a quarter of its time (whose header parser is an e-mail parser), and these rules:
a kept connection that turns out closed before a byte was answered is replaced once, and the request sent again if
repeating it is safe; nothing else is ever sent twice. Time-outs, refused connections and answers that are no HTTP all
mean `UpstreamUnavailable`.
"""

import select
import socket
import time
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from common.errors import NeighbourUnavailable
from common.settings import settings
from gateway.forwarding.answer import BadAnswer, Head, chunks, read_head

CONNECT_SECONDS = 1.0
READ_SECONDS = 30.0
#: Services close idle connections after 75 s; we do so well before, so that none closes under a request.
IDLE_SECONDS = 50.0
#: One slow service must not take all the places of this process (1,000) from the others.
MOST_IN_FLIGHT = 400
_MOST_IDLE = 128
_AT_ONCE = 64 * 1024


class UpstreamUnavailable(NeighbourUnavailable):
    """The service gave no answer that can be passed on."""


class _NothingAnswered(Exception):
    """The connection was closed before a byte of an answer."""


@dataclass(slots=True)
class Answer:
    """What the service said; `body` is read from its connection while it is passed on, unless it is short."""

    status: str
    headers: list[tuple[str, str]]
    body: Iterable[bytes]


class Upstream:
    """One service, at the address of its URL, with its idle connections."""

    def __init__(self, name: str) -> None:
        self.name = name
        address = urlsplit(settings().service_url(name))
        self.host = address.netloc
        self._address = (address.hostname or "", address.port or 80)
        self._idle: deque[tuple[_Connection, float]] = deque()
        self._in_flight = 0

    def ask(self, method: str, request: bytes, *, repeatable: bool) -> Answer:
        """Send one request, head and body in one piece. `repeatable`: doing it twice is doing it once.

        Raises `UpstreamUnavailable`.
        """
        if self._in_flight >= MOST_IN_FLIGHT:
            raise UpstreamUnavailable(service=self.name)
        self._in_flight += 1
        try:
            return self._ask(method, request, repeatable=repeatable)
        finally:
            self._in_flight -= 1

    def close(self) -> None:
        """Close the idle connections."""
        while self._idle:
            self._idle.pop()[0].close()

    def give_back(self, connection: "_Connection", head: Head) -> None:
        """Keep a connection whose answer was read to its end, if its other end keeps it too."""
        if head.keeps_open and not connection.buffer and len(self._idle) < _MOST_IDLE:
            self._idle.append((connection, time.monotonic()))
        else:
            connection.close()

    def _ask(self, method: str, request: bytes, *, repeatable: bool) -> Answer:
        try:
            kept = self._kept(surely_open=not repeatable)
            if kept is not None:
                try:
                    return self._exchange(kept, method, request)
                except _NothingAnswered:
                    if not repeatable:
                        raise
            return self._exchange(_Connection(self._address), method, request)
        except (OSError, BadAnswer, _NothingAnswered) as error:
            raise UpstreamUnavailable(service=self.name) from error

    def _kept(self, *, surely_open: bool) -> "_Connection | None":
        """An idle connection. To look whether its other end closed costs a system call: only who must be sure looks."""
        while True:
            try:
                connection, since = self._idle.pop()
            except IndexError:
                return None
            if time.monotonic() - since < IDLE_SECONDS and not (surely_open and connection.has_news()):
                return connection
            connection.close()

    def _exchange(self, connection: "_Connection", method: str, request: bytes) -> Answer:
        try:
            connection.send(request)
            head = read_head(connection.read_until_blank_line, method)
            if head.length is not None and head.length <= _AT_ONCE:
                body: Iterable[bytes] = [connection.read_exactly(head.length)] if head.length else []
                self.give_back(connection, head)
            else:
                body = _Body(self, connection, head)
        except BaseException:
            connection.close()
            raise
        return Answer(head.status, head.headers, body)


class _Body:
    """The body of an answer, read while it is passed on; the server closes it at the end, or when nobody listens."""

    def __init__(self, upstream: Upstream, connection: "_Connection", head: Head) -> None:
        self._upstream = upstream
        self._connection = connection
        self._given_back = False
        self._head = head
        self._parts = chunks(connection.read_some, connection.read_exactly, connection.read_line, head)
        # Read before anything is passed on, so that an answer that breaks off at once is still a 503.
        self._first = next(self._parts, b"")

    def __iter__(self) -> Iterator[bytes]:
        yield self._first
        yield from self._parts
        self._upstream.give_back(self._connection, self._head)
        self._given_back = True

    def close(self) -> None:
        """Close the connection unless it was given back."""
        if not self._given_back:
            self._connection.close()


class _Connection:
    """One connection and what was read from it ahead."""

    __slots__ = ("_socket", "answered", "buffer")

    def __init__(self, address: tuple[str, int]) -> None:
        self._socket = socket.create_connection(address, timeout=CONNECT_SECONDS)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.settimeout(READ_SECONDS)
        self.buffer = b""
        self.answered = False

    def send(self, request: bytes) -> None:
        """Send it all; a connection that breaks meanwhile may still hold an answer (413, say), so reading decides."""
        self.answered = False
        try:
            self._socket.sendall(request)
        except (BrokenPipeError, ConnectionResetError):
            return

    def has_news(self) -> bool:
        """Whether there is something to read: between two answers that can only be the end."""
        return bool(select.select([self._socket], [], [], 0)[0])

    def read_until_blank_line(self) -> bytes:
        """The head of an answer, without the blank line."""
        return self._read_until(b"\r\n\r\n")

    def read_line(self) -> bytes:
        """A line, without its end."""
        return self._read_until(b"\r\n")

    def read_exactly(self, length: int) -> bytes:
        """So many bytes."""
        parts, missing = [self.buffer[:length]], length - len(self.buffer)
        self.buffer = self.buffer[length:]
        while missing > 0:
            part = self._receive(min(missing, _AT_ONCE))
            if not part:
                raise BadAnswer("the body ended early")
            parts.append(part)
            missing -= len(part)
        return b"".join(parts)

    def read_some(self) -> bytes:
        """Some bytes; none at the end."""
        if self.buffer:
            part, self.buffer = self.buffer, b""
            return part
        return self._receive(_AT_ONCE)

    def close(self) -> None:
        """Close it."""
        self._socket.close()

    def _read_until(self, mark: bytes) -> bytes:
        while (end := self.buffer.find(mark)) < 0:
            if len(self.buffer) > _AT_ONCE:
                raise BadAnswer("a line or head without end")
            part = self._receive(_AT_ONCE)
            if not part:
                raise BadAnswer("the answer ended early")
            self.buffer += part
        found, self.buffer = self.buffer[:end], self.buffer[end + len(mark) :]
        return found

    def _receive(self, most: int) -> bytes:
        try:
            part = self._socket.recv(most)
        except ConnectionError as error:
            if self.answered:
                raise
            raise _NothingAnswered from error
        if not part and not self.answered:
            raise _NothingAnswered
        self.answered = True
        return part
