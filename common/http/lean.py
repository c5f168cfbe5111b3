"""The short way of a request that is plainly right: before Flask, with the same checks and the same answer.

Flask, its request object and the schemas take several times as long for a small posting as the posting itself. A route
declared `lean` is answered here when every part of the request is plainly in order; whatever is in doubt goes the
plain way through Flask, body and all. What the view refuses is answered by Flask's own handlers, so there is one list
of checks and one of messages, and this module only saves time.
"""

import re
import time
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from typing import Any

import structlog
from flask import Flask

from common.http.callers import Allow
from common.http.flat import QuickDump, QuickLoad
from common.identity import HEADER, BadIdentity, verify
from common.metrics import REQUEST_SECONDS, REQUESTS
from common.settings import settings

Environ = dict[str, Any]
StartResponse = Callable[..., Any]

_IDENTITY = "HTTP_" + HEADER.upper().replace("-", "_")
_KEY = re.compile(r"[!-~]{1,255}\Z")
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}\Z")
_STATUS = {200: "200 OK", 201: "201 CREATED"}


@dataclass(frozen=True)
class LeanRoute:
    """A POST without path values whose use case keeps the idempotency key itself; as its route declares it."""

    allow: tuple[Allow, ...]
    load: QuickLoad
    dump: QuickDump
    status: int
    view: Callable[..., Any]


class Lean:
    """The WSGI application of a service: the lean routes, and Flask for everything else."""

    def __init__(self, app: Flask, service: str, most_bytes: int) -> None:
        self._app = app
        self.plain = app.wsgi_app
        self._most_bytes = most_bytes
        self._service = service
        self._routes: dict[str, LeanRoute] = {}
        for rule in app.url_map.iter_rules():
            lean = getattr(app.view_functions[rule.endpoint], "lean", None)
            if lean is not None:
                self._routes[rule.rule] = lean

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """One request."""
        route = self._routes.get(environ["PATH_INFO"])
        if route is None or environ["REQUEST_METHOD"] != "POST":
            return self.plain(environ, start_response)
        began = time.perf_counter()
        values = self._read(route, environ)
        if values is None:
            return self.plain(environ, start_response)
        path: str = environ["PATH_INFO"]
        request_id = environ["HTTP_X_REQUEST_ID"]
        structlog.contextvars.bind_contextvars(service=self._service, request_id=request_id)
        try:
            result = route.view(**values)
        except Exception as error:  # noqa: BLE001 - answered, and where it is unexpected logged, as Flask does
            return self._refuse(environ, start_response, error)
        body = self._app.json.dumps(route.dump(result)).encode()
        headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
        if getattr(result, "replayed", False):
            headers.append(("Idempotency-Replayed", "true"))
        headers.append(("X-Request-ID", request_id))
        requests, request_seconds = _figures(self._service, path, route.status)
        requests.inc()
        request_seconds.observe(time.perf_counter() - began)
        start_response(_STATUS[route.status], headers)
        return [body]

    def _read(self, route: LeanRoute, environ: Environ) -> dict[str, Any] | None:
        """What the view is called with; None when anything is in doubt, and then nothing of the body is lost."""
        key = environ.get("HTTP_IDEMPOTENCY_KEY", "")
        if environ.get("QUERY_STRING") or environ.get("CONTENT_TYPE") != "application/json" or not _KEY.match(key):
            return None
        try:
            caller = verify(environ.get(_IDENTITY), secret=settings().identity_secret.get_secret_value())
        except BadIdentity:
            return None
        length = environ.get("CONTENT_LENGTH") or ""
        if not any(allow.admits(caller) for allow in route.allow) or not (length.isascii() and length.isdigit()):
            return None
        if int(length) > self._most_bytes:
            return None
        raw: bytes = environ["wsgi.input"].read(int(length))
        environ["wsgi.input"] = BytesIO(raw)
        try:
            body = route.load(self._app.json.loads(raw))
        except ValueError:
            return None
        if body is None:
            return None
        given = environ.get("HTTP_X_REQUEST_ID", "")
        environ["HTTP_X_REQUEST_ID"] = given if _REQUEST_ID.match(given) else uuid.uuid4().hex
        return {"caller": caller, "key": key, "body": body}

    def _refuse(self, environ: Environ, start_response: StartResponse, error: Exception) -> Iterable[bytes]:
        app = self._app
        with app.request_context(environ):
            app.preprocess_request()
            try:
                answer = app.handle_user_exception(error)
            except Exception as unhandled:  # noqa: BLE001 - as Flask does it
                answer = app.handle_exception(unhandled)
            return app.finalize_request(answer)(environ, start_response)


@lru_cache(maxsize=1024)
def _figures(service: str, path: str, status: int) -> tuple[Any, Any]:
    return REQUESTS.labels(service, path, "POST", status), REQUEST_SECONDS.labels(service, path)
