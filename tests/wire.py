"""A wire between a client and its server that can be slow, fall silent, lose answers or be cut.

It stands for the network: it passes on plain bytes of any protocol to its target, the path of a unix socket or a TCP
address.
"""

import socket
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Lock, Thread

from deploy.local.postgres import SOCKET_NAME

Address = tuple[str, int] | str
_AT_ONCE = 64 * 1024


class Wire:
    """Every connection through it behaves as told, from the next piece of bytes on."""

    def __init__(self, target: Address) -> None:
        self._target = target
        self._flowing = Event()
        self._flowing.set()
        self._lock = Lock()
        self._open: set[socket.socket] = set()
        #: How long each piece of bytes takes, each way.
        self.delay_seconds = 0.0
        #: Once a client says this, the server hears it; its answer is lost, and with it the connection. Once only.
        self.lose_answer_to: bytes | None = None

    def stall(self) -> None:
        """Nothing passes any more and nothing is closed, as when a cable is pulled."""
        self._flowing.clear()

    def resume(self) -> None:
        """What was held back goes on."""
        self._flowing.set()

    def cut(self) -> None:
        """Every connection ends now, without a goodbye."""
        with self._lock:
            broken, self._open = self._open, set()
        for end in broken:
            _break(end)

    def serve(self, listener: socket.socket) -> None:
        """Take connections until the listener is closed."""
        while True:
            try:
                client, _ = listener.accept()
                server = _connect(self._target)
            except OSError:
                return
            with self._lock:
                self._open |= {client, server}
            doomed = Event()
            Thread(target=self._carry, args=(client, server, doomed, True), daemon=True).start()
            Thread(target=self._carry, args=(server, client, doomed, False), daemon=True).start()

    def _carry(self, source: socket.socket, sink: socket.socket, doomed: Event, asking: bool) -> None:
        """Pass on what one end says until either is closed; `doomed` says that the answer is to be lost."""
        with suppress(OSError):
            while piece := source.recv(_AT_ONCE):
                self._flowing.wait()
                if self.delay_seconds:
                    time.sleep(self.delay_seconds)
                if asking and self.lose_answer_to is not None and self.lose_answer_to in piece:
                    self.lose_answer_to = None
                    doomed.set()
                elif doomed.is_set() and not asking:
                    break
                sink.sendall(piece)
        for end in (source, sink):
            with self._lock:
                self._open.discard(end)
            _break(end)


@contextmanager
def wire_to_postgres(sockets: Path, folder: Path) -> Iterator[Wire]:
    """A wire to the PostgreSQL whose unix socket is in `sockets`; it answers at a socket in `folder`."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(folder / SOCKET_NAME))
        with _serving(Wire(str(sockets / SOCKET_NAME)), listener) as wire:
            yield wire


@contextmanager
def wire_to(target: Address, *, small: bool = False) -> Iterator[tuple[Wire, int]]:
    """A wire to any server, and the TCP port at which it answers; a `small` one takes in little ahead."""
    with socket.socket() as listener:
        if small:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        listener.bind(("127.0.0.1", 0))
        with _serving(Wire(target), listener) as wire:
            yield wire, listener.getsockname()[1]


@contextmanager
def _serving(wire: Wire, listener: socket.socket) -> Iterator[Wire]:
    listener.listen(128)
    thread = Thread(target=wire.serve, args=(listener,), daemon=True)
    thread.start()
    try:
        yield wire
    finally:
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        wire.resume()
        wire.cut()
        thread.join(10)


def _connect(target: Address) -> socket.socket:
    if isinstance(target, str):
        end = socket.socket(socket.AF_UNIX)
        end.connect(target)
        return end
    return socket.create_connection(target)


def _break(end: socket.socket) -> None:
    """End a connection as a killed machine does; whoever reads from it here wakes up."""
    with suppress(OSError):
        if end.family != socket.AF_UNIX:
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        end.shutdown(socket.SHUT_RDWR)
    end.close()
