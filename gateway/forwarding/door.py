"""The door: every request is recognized, measured and noted here, then passed on or given to the gateway's own routes.

In front of Flask because most requests only pass, and Flask would cost them more than all of this together. What goes
wrong here is still answered by Flask's handlers, so every problem of the house has one shape.
"""

import re
import time
import uuid
from collections.abc import Callable, Iterable
from functools import lru_cache
from io import BytesIO
from typing import Any

import structlog
from flask import Flask, g

from common.errors import Refusal
from common.http.problems import edge_problem
from common.identity import HEADER
from common.metrics import REQUEST_SECONDS, REQUESTS
from gateway.audit import use_cases as audit
from gateway.auth.callers import Caller, identity_header, recognize
from gateway.database import transaction
from gateway.forwarding import table
from gateway.forwarding.addresses import target_of
from gateway.forwarding.bodies import read_body
from gateway.forwarding.refusals import TurnedAway
from gateway.forwarding.upstream import Answer, Upstream
from gateway.limits.domain import rate_headers
from gateway.limits.limiter import limiter

log = structlog.get_logger()

Environ = dict[str, Any]
StartResponse = Callable[..., Any]

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
SAFE = frozenset(("GET", "HEAD", "OPTIONS"))
#: Our own addresses that anybody may ask; credentials there are not even looked at.
OPEN = frozenset(("/v1/sessions/member", "/v1/sessions/staff", "/openapi.json", "/healthz", "/readyz", "/metrics"))
OPEN_FOLDER = "/docs"

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}\Z")
_IDENTITY = "HTTP_" + HEADER.upper().replace("-", "_")
#: What services read. Nothing else that a client sends reaches them: no credentials, no X-Forwarded-*, no hop-by-hop.
_PASSED = (
    ("HTTP_IDEMPOTENCY_KEY", "Idempotency-Key"),
    ("CONTENT_TYPE", "Content-Type"),
    ("HTTP_ACCEPT", "Accept"),
    ("HTTP_ACCEPT_LANGUAGE", "Accept-Language"),
    ("HTTP_TRACEPARENT", "traceparent"),
    ("HTTP_TRACESTATE", "tracestate"),
    ("HTTP_IF_NONE_MATCH", "If-None-Match"),
    ("HTTP_IF_MATCH", "If-Match"),
    ("HTTP_USER_AGENT", "User-Agent"),
)


class Door:
    """The WSGI application that gunicorn serves."""

    def __init__(self, own: Flask) -> None:
        self._own = own
        self._upstreams = {name: Upstream(name) for name in table.PREFIXES}

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """One request."""
        environ.pop(_IDENTITY, None)
        given = environ.get("HTTP_X_REQUEST_ID", "")
        environ["HTTP_X_REQUEST_ID"] = given if _REQUEST_ID.match(given) else uuid.uuid4().hex
        try:
            return self._admit(environ, start_response)
        except Exception as error:  # noqa: BLE001 - the outermost edge: whatever happened is answered, and logged there
            return self._refuse(environ, start_response, error)

    def close(self) -> None:
        """Close the idle connections to the services."""
        for upstream in self._upstreams.values():
            upstream.close()

    def _admit(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        method: str = environ["REQUEST_METHOD"]
        if method not in METHODS:
            raise TurnedAway("method_not_allowed")
        path, target = target_of(environ)
        if path in OPEN or path.startswith(OPEN_FOLDER):
            return self._serve_ourselves(environ, start_response)
        caller = self._recognize(environ, method, target)
        if caller is not None and caller.identity.kind == "staff" and method not in SAFE:
            return self._audited(environ, start_response, caller, path, target)
        return self._serve(environ, start_response, caller, path, target)

    def _recognize(self, environ: Environ, method: str, target: str) -> Caller | None:
        authorization = environ.get("HTTP_AUTHORIZATION")
        if not authorization:
            return None

        def body() -> bytes:
            return _keep_body(environ)

        return recognize(authorization, method=method, target=target, body=body)

    def _audited(
        self, environ: Environ, start_response: StartResponse, caller: Caller, path: str, target: str
    ) -> Iterable[bytes]:
        """Serve a change by staff, noted before it happens and finished with its status, whatever that is."""
        identity = caller.identity
        with transaction() as session:
            record_id = audit.begin(
                session,
                caller=identity,
                method=environ["REQUEST_METHOD"],
                path=path,
                request_id=environ["HTTP_X_REQUEST_ID"],
            )
        answered = 500

        def note_status(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            nonlocal answered
            answered = int(status[:3])
            return start_response(status, headers, *more)

        try:
            return self._serve(environ, note_status, caller, path, target)
        except Exception as error:  # noqa: BLE001 - as in __call__, so that the audit knows the status
            return self._refuse(environ, note_status, error)
        finally:
            with transaction() as session:
                audit.finish(session, program_id=identity.program_id, record_id=record_id, status=answered)

    def _serve(
        self, environ: Environ, start_response: StartResponse, caller: Caller | None, path: str, target: str
    ) -> Iterable[bytes]:
        service = table.service_for(path)
        if caller is None:
            if service is not None:
                raise TurnedAway("unauthenticated", reason="there is no Authorization header")
            return self._serve_ourselves(environ, start_response)
        measured = rate_headers(limiter.take(caller.bucket, caller.policy))
        if service is not None:
            return self._forward(environ, start_response, caller, target, *service, measured)
        environ[_IDENTITY] = identity_header(caller.identity)

        def measured_start(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            return start_response(status, [*headers, *measured], *more)

        return self._serve_ourselves(environ, measured_start)

    def _serve_ourselves(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] not in SAFE and "jifen.body" not in environ:
            _keep_body(environ)
        return self._own(environ, start_response)

    def _forward(
        self,
        environ: Environ,
        start_response: StartResponse,
        caller: Caller,
        target: str,
        service: str,
        prefix: str,
        measured: list[tuple[str, str]],
    ) -> Iterable[bytes]:
        began = time.perf_counter()
        method: str = environ["REQUEST_METHOD"]
        upstream = self._upstreams[service]
        body = environ.get("jifen.body")
        if body is None:
            body = read_body(environ)
        request = _request(environ, method, target, upstream.host, caller, body)
        repeatable = method in SAFE or "HTTP_IDEMPOTENCY_KEY" in environ
        answer: Answer = upstream.ask(method, request, repeatable=repeatable)
        _count(prefix, method, answer.status[:3], time.perf_counter() - began)
        start_response(answer.status, answer.headers + measured)
        return answer.body

    def _refuse(self, environ: Environ, start_response: StartResponse, error: Exception) -> Iterable[bytes]:
        """Answer what went wrong, worded by the handlers of the Flask app."""
        with self._own.request_context(environ):
            g.request_id = environ["HTTP_X_REQUEST_ID"]
            worded = edge_problem(error.code, **error.facts) if isinstance(error, TurnedAway) else error
            response = self._own.make_response(self._own.handle_user_exception(worded))
            response.headers["X-Request-ID"] = g.request_id
            if response.status_code == 401:
                response.headers["WWW-Authenticate"] = "Bearer"
            if response.status_code == 405:
                response.headers["Allow"] = ", ".join(METHODS)
            if not isinstance(error, Refusal) or response.status_code >= 500:
                log.info("refused_at_the_door", status=response.status_code, cause=type(error).__name__)
            REQUESTS.labels("gateway", "refused", environ["REQUEST_METHOD"], response.status_code).inc()
            return response(environ, start_response)


def _keep_body(environ: Environ) -> bytes:
    """Read the body and leave it for whoever reads next."""
    body = read_body(environ)
    environ["jifen.body"] = body
    environ["wsgi.input"] = BytesIO(body)
    environ["CONTENT_LENGTH"] = str(len(body))
    environ.pop("HTTP_TRANSFER_ENCODING", None)
    return body


def _request(environ: Environ, method: str, target: str, host: str, caller: Caller, body: bytes) -> bytes:
    lines = [
        f"{method} {target} HTTP/1.1\r\nHost: {host}\r\n{HEADER}: {identity_header(caller.identity)}\r\n"
        f"X-Request-ID: {environ['HTTP_X_REQUEST_ID']}\r\nContent-Length: {len(body)}\r\n"
    ]
    for key, name in _PASSED:
        value = environ.get(key)
        if value:
            lines.append(f"{name}: {value}\r\n")
    lines.append("\r\n")
    return "".join(lines).encode("latin-1") + body


@lru_cache(maxsize=4096)
def _figures(prefix: str, method: str, status: str) -> tuple[Any, Any]:
    return REQUESTS.labels("gateway", prefix, method, status), REQUEST_SECONDS.labels("gateway", prefix)


def _count(prefix: str, method: str, status: str, seconds: float) -> None:
    requests, request_seconds = _figures(prefix, method, status)
    requests.inc()
    request_seconds.observe(seconds)
