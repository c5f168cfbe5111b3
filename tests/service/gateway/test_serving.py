"""The door as it is really served: gunicorn with greenlets, in a process of its own."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from deploy.local.readiness import can_bind
from tests.gateway import PASSWORD, People, http, raw
from tests.servers import free_port_base

LARGE = b"x" * (4 * 1024 * 1024 + 1)


@pytest.fixture
def served(services: None, people: People) -> Iterator[str]:
    """`python -m gateway web` on a free port, before echoes."""
    url = f"http://127.0.0.1:{free_port_base(1)}"
    command = [sys.executable, "-m", "gateway", "web"]
    process = subprocess.Popen(command, env={**os.environ, "JIFEN_GATEWAY_URL": url}, stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 30
        while can_bind(url):
            assert process.poll() is None, "the gateway ended"
            assert time.monotonic() < deadline
            time.sleep(0.1)
        yield url
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)


def test_many_callers_at_once_while_passwords_are_checked(served: str, people: People) -> None:
    people.hire("lin")
    key = people.key(rate_per_second=10_000)

    def forwarded(number: int) -> int:
        body = json.dumps({"number": number}).encode()
        reply = http(served, "POST", "/v1/postings", body, key.sign("POST", "/v1/postings", body))
        assert json.loads(reply.json["body"]) == {"number": number}
        return reply.status

    def signed_in(_: int) -> int:
        body = {"program": "acme", "name": "lin", "password": PASSWORD}
        return http(served, "POST", "/v1/sessions/staff", body).status

    with ThreadPoolExecutor(16) as pool:
        sessions = [pool.submit(signed_in, number) for number in range(4)]
        assert set(pool.map(forwarded, range(200))) == {201}
        assert [session.result() for session in sessions] == [201] * 4


def test_bodies_and_paths_are_guarded_as_served(served: str, people: People) -> None:
    member = people.member()
    chunked = {**member, "Transfer-Encoding": "chunked"}
    assert http(served, "POST", "/v1/postings", [b"abc", b"de"], chunked, chunked=True).json["body"] == "abcde"
    token = f"Host: x\r\nAuthorization: {member['Authorization']}\r\n"
    announced = raw(served, f"POST /v1/postings HTTP/1.1\r\n{token}Content-Length: {len(LARGE)}\r\n\r\n".encode())
    assert announced.startswith(b"HTTP/1.1 413")
    for target in ("//v1/accounts", "/v1/accounts/../../feed", "/v1/accounts/%2e%2e/feed", "http://x/v1/accounts"):
        answer = raw(served, f"GET {target} HTTP/1.1\r\n{token}Connection: close\r\n\r\n".encode())
        assert answer.startswith((b"HTTP/1.1 404", b"HTTP/1.1 400")), (target, answer[:200])
    broken = raw(served, f"POST /v1/postings HTTP/1.1\r\n{token}Transfer-Encoding: chunked\r\n\r\nzz\r\n".encode())
    assert broken.startswith(b"HTTP/1.1 400"), broken
    short = raw(served, f"POST /v1/postings HTTP/1.1\r\n{token}Content-Length: 9\r\n\r\nabc".encode())
    assert short.startswith(b"HTTP/1.1 400"), short
    smuggled = f"{token}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    assert raw(served, f"POST /v1/postings HTTP/1.1\r\n{smuggled}".encode()).startswith(b"HTTP/1.1 400")
    head = raw(served, f"HEAD /v1/accounts HTTP/1.1\r\n{token}Connection: close\r\n\r\n".encode())
    assert head.startswith(b"HTTP/1.1 201")
    assert head.endswith(b"\r\n\r\n")
    underscored = raw(
        served, f"GET /v1/accounts HTTP/1.1\r\n{token}X_Jifen_Identity: me\r\nConnection: close\r\n\r\n".encode()
    )
    assert b'"me"' not in underscored


def test_a_large_chunked_body_is_cut_off(served: str, people: People) -> None:
    pieces = [b"y" * 70_000] * 61
    try:
        reply = http(
            served, "POST", "/v1/postings", pieces, {**people.member(), "Transfer-Encoding": "chunked"}, chunked=True
        )
    except ConnectionError:
        return
    assert reply.code == "too_large"
