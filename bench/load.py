"""The load generator: one process, many kept connections, one request in flight on each.

Requests are built before the clock starts; within it there are only `send`, `select`, `recv` and a look at the head, so
one process sends an order of magnitude more than the platform answers (`ceiling` measures that). It runs on the same
cores as everything else: what it uses, the platform lacks.
"""

import gc
import multiprocessing
import selectors
import socket
import time
from collections import deque
from dataclasses import dataclass, field
from multiprocessing.connection import Connection

from bench.wire import Door, Stock, Work, is_right

PATIENCE_SECONDS = 60.0
_CEILING_ANSWER = b"HTTP/1.1 201 CREATED\r\nContent-Length: 2\r\n\r\n{}"


class WrongAnswer(Exception):
    """The platform answered something else than it should have under this load."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """Send `work` over `connections` for `seconds`; as fast as it goes, or at `per_second` when given."""

    door: Door
    work: Stock
    connections: int
    seconds: float
    per_second: float | None = None


@dataclass(slots=True)
class Answered:
    """How many requests were answered in how many seconds, and after how long each, in seconds.

    With a rate given, the time counts from when the request should have been sent: a slow answer makes the following
    ones late, and hides nothing.
    """

    requests: int = 0
    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)

    @property
    def per_second(self) -> float:
        """Requests a second."""
        return self.requests / self.seconds


class _Line:
    """One connection: what is in flight on it since when, and what came back of it."""

    __slots__ = ("buffer", "expected", "since", "socket")

    def __init__(self, door: Door) -> None:
        self.socket = socket.create_connection((door.host, door.port), timeout=PATIENCE_SECONDS)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.since = 0.0
        self.buffer = b""
        self.expected = 0

    def send(self, request: bytes, since: float) -> None:
        self.since, self.buffer, self.expected = since, b"", 0
        self.socket.sendall(request)

    def receive(self) -> bytes | None:
        """The whole answer once it is there."""
        part = self.socket.recv(262_144)
        if not part:
            raise WrongAnswer("the connection was closed under a request")
        self.buffer = self.buffer + part if self.buffer else part
        if not self.expected:
            self.expected = _length(self.buffer)
        return self.buffer if self.expected and len(self.buffer) >= self.expected else None


def run(load: Load) -> Answered:
    """Send the load and wait for every answer. Raises `WrongAnswer` when one of them is not what it should be."""
    stock = deque(load.work.requests(load.door))
    lines = [_Line(load.door) for _ in range(load.connections)]
    gc.collect()
    gc.disable()
    try:
        return _drive(load, stock, lines)
    finally:
        gc.enable()
        for line in lines:
            line.socket.close()


def ceiling(*, connections: int, seconds: float) -> float:
    """Requests a second of the generator against a responder that only counts bytes, on the same cores."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    responder = context.Process(target=_respond, args=(there, connections), daemon=True)
    responder.start()
    try:
        door = Door(host="127.0.0.1", port=here.recv(), key_id="ceiling", secret="x")
        work = Work(kind="single", count=int(seconds * 40_000))
        return run(Load(door=door, work=work, connections=connections, seconds=seconds)).per_second
    finally:
        responder.terminate()
        responder.join()


def _drive(load: Load, stock: deque[bytes], lines: list[_Line]) -> Answered:
    poll = selectors.DefaultSelector()
    for line in lines:
        poll.register(line.socket, selectors.EVENT_READ, line)
    idle, done, clock = deque(lines), Answered(), time.perf_counter
    kind, pace = load.work.kind, 1 / load.per_second if load.per_second else 0.0
    began = last = clock()
    deadline, sent, in_flight = began + load.seconds, 0, 0
    while True:
        now = clock()
        while idle and stock and now < deadline and (due := began + sent * pace) <= now:
            idle.popleft().send(stock.popleft(), due if pace else now)
            sent, in_flight, now = sent + 1, in_flight + 1, clock()
        if not in_flight and (not stock or now >= deadline):
            break
        wait = max(0.0, began + sent * pace - now) if pace and idle and stock and now < deadline else PATIENCE_SECONDS
        ready = poll.select(wait)
        if not ready and wait == PATIENCE_SECONDS:
            raise WrongAnswer(f"no answer within {PATIENCE_SECONDS:g} s")
        for chosen, _ in ready:
            line = chosen.data
            answer = line.receive()
            if answer is not None:
                last = clock()
                done.latencies.append(last - line.since)
                in_flight -= 1
                idle.append(line)
                if not is_right(kind, answer):
                    raise WrongAnswer(answer[:600].decode(errors="replace"))
    done.requests, done.seconds = len(done.latencies), last - began
    done.latencies.sort()
    return done


def _length(answer: bytes) -> int:
    """The length of head and body together, 0 while the head is not there yet."""
    end = answer.find(b"\r\n\r\n")
    if end < 0:
        return 0
    head = answer[:end].lower()
    at = head.find(b"\r\ncontent-length:")
    if at < 0:
        raise WrongAnswer("an answer without Content-Length: " + answer[:300].decode(errors="replace"))
    return end + 4 + int(head[at + 17 :].split(b"\r\n", 1)[0])


def _respond(caller: Connection, connections: int) -> None:
    """Answer every request of so many connections; requests here are short and come in one piece."""
    listener = socket.create_server(("127.0.0.1", 0))
    caller.send(listener.getsockname()[1])
    poll = selectors.DefaultSelector()
    for _ in range(connections):
        connection, _ = listener.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        poll.register(connection, selectors.EVENT_READ, connection)
    while poll.get_map():
        for chosen, _ in poll.select():
            connection = chosen.data
            if connection.recv(65_536):
                connection.sendall(_CEILING_ANSWER)
            else:
                poll.unregister(connection)
                connection.close()
