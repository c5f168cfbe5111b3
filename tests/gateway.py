"""What tests of the gateway stand on: real servers on real ports, plain HTTP to them, and a door with people at it."""

import json
import os
import secrets
import socket
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

from common.identity import Identity
from common.settings import settings
from gateway.auth import callers, tokens
from gateway.auth import clients as levels_client
from gateway.auth.domain import Claims
from gateway.auth.login import logins
from gateway.database import transaction
from gateway.keys import use_cases as keys
from gateway.keys.nonces import nonces
from gateway.keys.verification import secret_of
from gateway.limits.limiter import limiter
from gateway.programs import use_cases as programs
from gateway.signing import authorization
from gateway.staff import use_cases as staff

PASSWORD = "correct horse battery"
SESSION_SECRET = "the session secret of tests, long enough"
SERVICES = ("points", "levels", "referrals", "redemption")


@contextmanager
def environment(**variables: str) -> Iterator[None]:
    """Other settings for a while."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    settings.cache_clear()
    logins.cache_clear()
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
        settings.cache_clear()
        logins.cache_clear()


@dataclass(frozen=True)
class Reply:
    """An answer: status, headers by lower-case name, body."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """The problem's code."""
        assert self.headers["content-type"] == "application/problem+json", self
        assert self.json["request_id"] == self.headers["x-request-id"]
        return str(self.json["code"])


def http(
    url: str,
    method: str,
    target: str,
    body: Any = None,
    headers: dict[str, str] | None = None,
    *,
    chunked: bool = False,
) -> Reply:
    """One request on its own connection, the target sent as it is."""
    address = urlsplit(url)
    connection = HTTPConnection(address.hostname or "", address.port, timeout=20)
    sent = dict(headers or {})
    if body is not None and not isinstance(body, bytes | list):
        body, sent = json.dumps(body).encode(), {"Content-Type": "application/json", **sent}
    try:
        connection.request(method, target, body=body, headers=sent, encode_chunked=chunked)
        response = connection.getresponse()
        read = response.read()
        return Reply(response.status, {name.lower(): value for name, value in response.getheaders()}, read)
    finally:
        connection.close()


def raw(url: str, request: bytes, *, seconds: float = 5.0) -> bytes:
    """Bytes to a server, and all bytes that come back until it closes."""
    address = urlsplit(url)
    with socket.create_connection((address.hostname, address.port), timeout=seconds) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while part := connection.recv(65536):
            answer += part
    return answer


def echo(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """A service that answers with what it was asked."""
    headers = {name[5:].lower(): value for name, value in environ.items() if name.startswith("HTTP_")}
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    told = {
        "method": environ["REQUEST_METHOD"],
        "target": environ["RAW_URI"],
        "headers": headers,
        "body": body.decode("latin-1"),
    }
    answer = json.dumps(told).encode()
    start_response(
        "201 CREATED",
        [
            ("Content-Type", "application/json"),
            ("Content-Length", str(len(answer))),
            ("X-Request-ID", environ.get("HTTP_X_REQUEST_ID", "")),
            ("Idempotency-Replayed", "true"),
            ("Retry-After", "7"),
            ("Allow", "GET, POST"),
        ],
    )
    return [answer]


@dataclass
class Scripted:
    """An upstream that answers each request on each connection as told: bytes, or a call with the connection."""

    script: list[bytes | Callable[[socket.socket], None]]
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0

    @contextmanager
    def listening(self) -> Iterator[str]:
        """On a real port; yields its URL. An empty answer, and the end of the script, close the connection."""
        with socket.create_server(("127.0.0.1", 0)) as server:
            thread = Thread(target=self._accept, args=(server,), daemon=True)
            thread.start()
            yield f"http://127.0.0.1:{server.getsockname()[1]}"
            server.shutdown(socket.SHUT_RDWR)
            thread.join()

    def _accept(self, server: socket.socket) -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            self.connections += 1
            with connection:
                self._converse(connection)

    def _converse(self, connection: socket.socket) -> None:
        while connection.fileno() >= 0 and (request := _read_request(connection)):
            self.requests.append(request)
            step = self.script.pop(0) if self.script else b""
            if callable(step):
                step(connection)
            elif step:
                connection.sendall(step)
            else:
                return


def _read_request(connection: socket.socket) -> bytes:
    received = b""
    while b"\r\n\r\n" not in received:
        part = connection.recv(65536)
        if not part:
            return b""
        received += part
    head, _, body = received.partition(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0] or 0)
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


@dataclass
class Levels:
    """The levels service as far as sign-in asks it: a member per identity, found again by union or value."""

    asked: list[dict[str, Any]] = field(default_factory=list)
    members: dict[str, int] = field(default_factory=dict)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        body = json.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
        self.asked.append({"path": environ["PATH_INFO"], "body": body})
        members = []
        for identity in body["identities"]:
            name = f"{identity['app']}:{identity['value']}"
            created = name not in self.members
            members.append({"member_id": self.members.setdefault(name, len(self.members) + 17), "created": created})
        answer = json.dumps({"members": members}).encode()
        start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(answer)))])
        return [answer]


class People:
    """Who stands at the door of programs 1 (`acme`) and 2 (`brand`); every call returns an Authorization header."""

    def __init__(self) -> None:
        with transaction() as session:
            self.acme = programs.create_program(session, code="acme", name="Acme", wechat_appid="wx0123456789abcdef")
            self.brand = programs.create_program(session, code="brand", name="Brand", wechat_appid=None)

    def hire(self, name: str = "lin", *roles: str, program_id: int = 1, password: str = PASSWORD) -> None:
        """Staff with roles (admin when none are named)."""
        password_hash = staff.hashed(password, name)
        with transaction() as session:
            staff.hire(
                session,
                program_id=program_id,
                name=name,
                roles=frozenset(roles or ("admin",)),
                password_hash=password_hash,
            )

    def staff(self, name: str = "lin", *roles: str, program_id: int = 1, version: int = 1) -> dict[str, str]:
        """A token as sign-in would give it."""
        identity = Identity("staff", program_id, name, frozenset(roles or ("admin",)))
        return bearer(identity, version=version)

    def member(self, member_id: int = 17, program_id: int = 1, **claims: Any) -> dict[str, str]:
        """A member's token."""
        return bearer(Identity("member", program_id, str(member_id)), **claims)

    def key(self, *scopes: str, name: str = "shop", program_id: int = 1, rate_per_second: int = 2000) -> "Key":
        """A key that signs."""
        with transaction() as session:
            key = keys.create_key(
                session,
                program_id=program_id,
                name=name,
                scopes=frozenset(scopes or ("read",)),
                rate_per_second=rate_per_second,
            )
        return Key(key.id, secret_of(key))


@dataclass(frozen=True)
class Key:
    """An API key in the hands of a system."""

    id: str
    secret: str

    def sign(self, method: str, target: str, body: bytes = b"", **changed: Any) -> dict[str, str]:
        """The header of one request, with other parts than usual when told."""
        parts = {"timestamp": int(time.time()), "nonce": secrets.token_urlsafe(16), "secret": self.secret, **changed}
        made = authorization(method, target, body, self.id, parts["secret"], parts["timestamp"], parts["nonce"])
        return {"Authorization": made}


def bearer(
    identity: Identity, *, version: int = 0, secret: str = SESSION_SECRET, life: timedelta = timedelta(hours=1)
) -> dict[str, str]:
    """The header with a token of these claims."""
    expires = int((datetime.now(UTC) + life).timestamp())
    return {"Authorization": f"Bearer {tokens.issue(Claims(identity, version, expires), secret=secret)}"}


def forget_everything() -> None:
    """Nothing remembered from the test before."""
    callers.forget_all()
    limiter.forget()
    nonces.forget()
    levels_client._levels.cache_clear()
    logins.cache_clear()
