"""Services that die, hang, restart or talk nonsense: what the caller is told, and what is never done twice."""

import socket
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import IncompleteRead

import pytest

from gateway.application import create_gateway
from gateway.forwarding import upstream
from tests.gateway import People, Reply, Scripted, environment, http
from tests.wsgi import serving

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nTrailer: 1\r\n\r\n"
Ask = Callable[..., Reply]


@contextmanager
def asking(people: People, points: str) -> Iterator[Ask]:
    """Calls the door, behind which points answers at that URL."""
    with environment(JIFEN_POINTS_URL=points):
        gateway = create_gateway()
        with serving(gateway) as url:

            def ask(method: str = "GET", body: object = None, **headers: str) -> Reply:
                return http(url, method, "/v1/accounts", body, {**people.member(), **headers})

            yield ask
        gateway.close()


@contextmanager
def scripted(people: People, *script: bytes | Callable[[socket.socket], None]) -> Iterator[tuple[Ask, Scripted]]:
    """Calls the door, behind which points answers by a script."""
    service = Scripted(list(script))
    with service.listening() as url, asking(people, url) as ask:
        yield ask, service


def test_connections_are_kept(people: People) -> None:
    with scripted(people, OK, OK, OK) as (ask, service):
        assert [ask().body for _ in range(3)] == [b"ok"] * 3
    assert (service.connections, len(service.requests)) == (1, 3)


@pytest.mark.parametrize(("method", "headers"), [("GET", {}), ("HEAD", {}), ("POST", {"Idempotency_Key": "k"})])
def test_a_kept_connection_that_was_closed_is_replaced_when_repeating_is_safe(
    people: People, method: str, headers: dict[str, str]
) -> None:
    with scripted(people, OK, b"", OK) as (ask, service):
        assert ask().status == 200
        assert ask(method, **{name.replace("_", "-"): value for name, value in headers.items()}).status == 200
    assert len(service.requests) == 3


def test_a_change_without_a_key_is_never_sent_twice(people: People) -> None:
    with scripted(people, OK, b"") as (ask, service):
        ask()
        assert ask("POST", {}).code == "service_unavailable"
    assert len(service.requests) == 2


def test_a_change_without_a_key_does_not_even_use_a_connection_seen_closed(people: People) -> None:
    def answer_and_close(connection: socket.socket) -> None:
        connection.sendall(OK)
        connection.shutdown(socket.SHUT_RDWR)

    with scripted(people, answer_and_close, OK) as (ask, service):
        ask()
        time.sleep(0.05)
        assert ask("POST", {}).status == 200
    assert (service.connections, len(service.requests)) == (2, 2)


def reset(connection: socket.socket) -> None:
    """End the connection as a killed process does: without a goodbye."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def test_a_kept_connection_that_was_reset_is_replaced_when_repeating_is_safe(people: People) -> None:
    def answer_and_reset(connection: socket.socket) -> None:
        connection.sendall(OK)
        time.sleep(0.05)
        reset(connection)

    with scripted(people, answer_and_reset, OK, reset, OK) as (ask, service):
        assert ask().body == b"ok"
        time.sleep(0.1)
        assert [ask().body, ask().body] == [b"ok", b"ok"]
    assert (service.connections, len(service.requests)) == (3, 4)


def test_an_answer_that_is_reset_is_not_asked_for_again(people: People) -> None:
    def half(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 O")
        time.sleep(0.05)
        reset(connection)

    with scripted(people, OK, half, OK) as (ask, service):
        ask()
        assert ask().code == "service_unavailable"
    assert len(service.requests) == 2


def test_a_fresh_connection_that_says_nothing_is_not_tried_again(people: People) -> None:
    with scripted(people, b"", OK) as (ask, service):
        assert ask().code == "service_unavailable"
    assert len(service.requests) == 1


def test_half_an_answer_is_not_tried_again(people: People) -> None:
    def half(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 O")
        connection.shutdown(socket.SHUT_RDWR)

    with scripted(people, OK, half, OK) as (ask, service):
        ask()
        assert ask(**{"Idempotency-Key": "k"}).code == "service_unavailable"
    assert len(service.requests) == 2


def test_chunks_interim_answers_and_long_answers_are_passed_on(people: People) -> None:
    long = b"HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n" + b"x" * 300_000
    early = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + OK
    with scripted(people, CHUNKED, long, early, OK) as (ask, service):
        assert ask().body == b"abcde"
        assert ask().body == b"x" * 300_000
        assert ask().body == b"ok"
        assert ask().body == b"ok"
    assert service.connections == 1


def test_an_answer_to_the_end_of_its_connection_is_passed_on(people: People) -> None:
    def until_the_end(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.0 200 OK\r\n\r\nall of it")
        connection.shutdown(socket.SHUT_RDWR)

    with scripted(people, until_the_end, OK) as (ask, service):
        assert ask().body == b"all of it"
        assert ask().body == b"ok"
    assert service.connections == 2


@pytest.mark.parametrize("said", [b"Connection: close\r\n", b"connection: Close\r\n"])
def test_a_connection_that_is_to_be_closed_is_not_kept(people: People, said: bytes) -> None:
    with scripted(people, OK.replace(b"Content", said + b"Content"), OK) as (ask, service):
        assert [ask().body, ask().body] == [b"ok", b"ok"]
    assert service.connections == 2


@pytest.mark.parametrize(
    "nonsense",
    [
        b"SSH-2.0-OpenSSH\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        b"x" * 70_000,
    ],
)
def test_nonsense_is_no_answer(people: People, nonsense: bytes) -> None:
    with scripted(people, nonsense) as (ask, _):
        reply = ask()
    assert (reply.status, reply.code) == (503, "service_unavailable")
    assert int(reply.headers["retry-after"]) > 0


def test_hop_by_hop_headers_of_an_answer_end_here(people: People) -> None:
    answer = OK.replace(b"Content", b"Keep-Alive: timeout=5\r\nServer: secret\r\nX-Kept: 1\r\nContent")
    with scripted(people, answer) as (ask, _):
        headers = ask().headers
    assert headers["x-kept"] == "1"
    assert "keep-alive" not in headers
    assert headers["server"] != "secret"


def test_a_service_that_is_not_there_is_a_503_at_once(people: People) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        address = f"http://127.0.0.1:{closed.getsockname()[1]}"
    with asking(people, address) as ask:
        began = time.monotonic()
        assert ask().code == "service_unavailable"
        assert time.monotonic() - began < 2


def test_a_service_that_hangs_is_a_503_after_the_time_out(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upstream, "READ_SECONDS", 0.2)

    def hang(_: socket.socket) -> None:
        time.sleep(0.6)

    with scripted(people, hang, OK) as (ask, service):
        assert ask(**{"Idempotency-Key": "k"}).code == "service_unavailable"
        time.sleep(0.6)
        assert ask().status == 200
    assert (service.connections, len(service.requests)) == (2, 2)


def test_an_answer_that_breaks_off_breaks_off_for_the_caller_too(people: People) -> None:
    def break_off(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n" + b"x" * sent)
        connection.shutdown(socket.SHUT_RDWR)

    sent = 100_000
    with scripted(people, break_off, break_off) as (ask, _):
        with pytest.raises((IncompleteRead, ConnectionError)):
            ask()
        sent = 1000
        assert ask().code == "service_unavailable"


def test_a_full_service_turns_away_instead_of_taking_all_places(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upstream, "MOST_IN_FLIGHT", 0)
    with scripted(people, OK) as (ask, service):
        assert ask().code == "service_unavailable"
    assert service.requests == []


def test_a_restarted_service_answers_again_without_an_error_between(people: People) -> None:
    from tests.gateway import echo

    with serving(echo) as address, asking(people, address) as ask:
        port = int(address.rpartition(":")[2])
        assert ask().status == 201
        first = address
    with environment(JIFEN_POINTS_URL=first), serving(echo, port) as again, asking(people, again) as ask:
        assert ask().status == 201
