"""The short way of a request that is plainly right: before Flask, with the same checks and the same answer.

Flask, its request object and the schemas take several times as long for a small posting or reading as that itself. A
route declared `lean` is answered here when every part of the request is plainly in order; whatever is in doubt goes the
plain way through Flask, body and all. What the view refuses is worded by the one table of the service, and what nobody
expected is answered by Flask's own handlers: so there is one list of checks and one of messages, and this module only
saves time.
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
from werkzeug.http import HTTP_STATUS_CODES

from common.errors import Refusal
from common.http.callers import Allow
from common.http.crowd import Crowd, Sent
from common.http.fields import CODE
from common.http.flat import QuickDump, QuickLoad
from common.http.once import fingerprint
from common.http.problems import MEDIA_TYPE, Problem, Wordings, problem_text, refusal_problem
from common.identity import HEADER, BadIdentity, Identity, verify
from common.metrics import REQUEST_SECONDS, REQUESTS
from common.settings import settings

Environ = dict[str, Any]
StartResponse = Callable[..., Any]

_IDENTITY = "HTTP_" + HEADER.upper().replace("-", "_")
_KEY = re.compile(r"[!-~]{1,255}\Z")
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}\Z")
#: Names and values without a character that has a meaning of its own in a query.
_QUERY = re.compile(r"(?:[A-Za-z0-9_.-]+=[A-Za-z0-9_.-]+(?:&(?!\Z)|\Z))*\Z")


@dataclass(frozen=True)
class LeanRoute:
    """A read, or a POST whose use case keeps the idempotency key itself; as its route declares it.

    `load` reads the body of a POST, whose view wants its fingerprint when it is `printed`; `ask` the query of a read.
    Path values are codes. With `crowd`, what is in flight is answered together, under the keys of the route so named.
    """

    method: str
    allow: tuple[Allow, ...]
    load: QuickLoad | None
    printed: bool
    ask: QuickLoad | None
    dump: QuickDump
    status: int
    view: Callable[..., Any]
    crowd: str | None = None


class Lean:
    """The WSGI application of a service: the lean routes, and Flask for everything else."""

    def __init__(self, app: Flask, service: str, wordings: Wordings, most_bytes: int) -> None:
        self._app = app
        self.plain = app.wsgi_app
        self._most_bytes = most_bytes
        self._service = service
        self._wordings = wordings
        self._routes: dict[str, list[tuple[re.Pattern[str], str, LeanRoute]]] = {}
        self._crowds: dict[str, Crowd] = {}
        rules = list(app.url_map.iter_rules())
        for rule in rules:
            lean: LeanRoute | None = getattr(app.view_functions[rule.endpoint], "lean", None)
            if lean is not None:
                pattern = _pattern(rule.rule)
                others = [it.rule for it in rules if it is not rule and it.methods and lean.method in it.methods]
                assert not any(map(pattern.match, others)), f"{rule.rule} would hide another address"
                self._routes.setdefault(lean.method, []).append((pattern, rule.rule, lean))
                if lean.crowd:
                    self._crowds[rule.rule] = self._crowd(lean, lean.crowd)

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """One request."""
        began = time.perf_counter()
        for pattern, rule, route in self._routes.get(environ["REQUEST_METHOD"], ()):
            if place := pattern.match(environ["PATH_INFO"]):
                values = self._read(route, environ)
                if values is not None:
                    return self._answer(environ, start_response, rule, route, place.groupdict() | values, began)
        return self.plain(environ, start_response)

    def _answer(
        self,
        environ: Environ,
        start_response: StartResponse,
        rule: str,
        route: LeanRoute,
        values: dict[str, Any],
        began: float,
    ) -> Iterable[bytes]:
        request_id = environ["HTTP_X_REQUEST_ID"]
        structlog.contextvars.bind_contextvars(service=self._service, request_id=request_id)
        try:
            status, headers = route.status, {"Content-Type": "application/json"}
            if rule in self._crowds:
                text = self._crowds[rule].answer(Sent(**values))
                if text is None:
                    return self.plain(environ, start_response)
            else:
                result = route.view(**values)
                if getattr(result, "replayed", False):
                    headers["Idempotency-Replayed"] = "true"
                text = self._app.json.dumps(route.dump(result))
        except Refusal as refusal:
            try:
                problem = refusal_problem(refusal, self._wordings, languages=environ.get("HTTP_ACCEPT_LANGUAGE", ""))
            except Refusal:
                return self._give_up(environ, start_response, refusal)
            status, headers = problem.status, {"Content-Type": MEDIA_TYPE, **problem.headers}
            text = problem_text(problem, request_id)
        except Exception as error:  # noqa: BLE001 - _give_up answers it, and logs what nobody expected
            if isinstance(error, Problem) and route.method == "GET":
                # Worded before anybody knew in which language: a read may be asked again, through Flask.
                return self.plain(environ, start_response)
            return self._give_up(environ, start_response, error)
        body = text.encode()
        requests, request_seconds = _figures(self._service, rule, route.method, status)
        requests.inc()
        request_seconds.observe(time.perf_counter() - began)
        headers |= {"Content-Length": str(len(body)), "X-Request-ID": request_id}
        start_response(f"{status} {HTTP_STATUS_CODES[status].upper()}", list(headers.items()))
        return [body]

    def _crowd(self, route: LeanRoute, name: str) -> Crowd:
        edge = self._app.extensions["jifen"]
        return Crowd(
            edge.database,
            edge.keys,
            route=name,
            view=route.view,
            show=lambda result: self._app.json.dumps(route.dump(result)),
            status=route.status,
        )

    def _read(self, route: LeanRoute, environ: Environ) -> dict[str, Any] | None:
        """What the view is called with; None when anything is in doubt, and then nothing of the body is lost."""
        try:
            caller = verify(environ.get(_IDENTITY), secret=settings().identity_secret.get_secret_value())
        except BadIdentity:
            return None
        if not any(allow.admits(caller) for allow in route.allow):
            return None
        if route.load:
            values = self._read_change(route.load, caller if route.printed else None, environ)
        else:
            values = _read_query(route.ask, environ)
        if values is not None:
            values["caller"] = caller
            given = environ.get("HTTP_X_REQUEST_ID", "")
            environ["HTTP_X_REQUEST_ID"] = given if _REQUEST_ID.match(given) else uuid.uuid4().hex
        return values

    def _read_change(self, load: QuickLoad, printed_for: Identity | None, environ: Environ) -> dict[str, Any] | None:
        key, length = environ.get("HTTP_IDEMPOTENCY_KEY", ""), environ.get("CONTENT_LENGTH") or ""
        if environ.get("QUERY_STRING") or environ.get("CONTENT_TYPE") != "application/json" or not _KEY.match(key):
            return None
        if not (length.isascii() and length.isdigit()) or int(length) > self._most_bytes:
            return None
        raw: bytes = environ["wsgi.input"].read(int(length))
        environ["wsgi.input"] = BytesIO(raw)
        try:
            sent = self._app.json.loads(raw)
        except ValueError:
            return None
        body = load(sent)
        if body is None:
            return None
        values = {"key": key, "body": body}
        if printed_for is not None:
            values["fingerprint"] = fingerprint("POST", environ["PATH_INFO"], printed_for.program_id, sent)
        return values

    def _give_up(self, environ: Environ, start_response: StartResponse, error: Exception) -> Iterable[bytes]:
        app = self._app
        with app.request_context(environ):
            app.preprocess_request()
            try:
                answer = app.handle_user_exception(error)
            except Exception as unhandled:  # noqa: BLE001 - Flask's own next step: it logs it and answers 500
                answer = app.handle_exception(unhandled)
            return app.finalize_request(answer)(environ, start_response)


def _pattern(rule: str) -> re.Pattern[str]:
    """The addresses of a rule: what it says, with a code where it says `<code:name>`."""
    return re.compile(re.sub(r"<code:(\w+)>", rf"(?P<\1>{CODE})", rule) + r"\Z")


def _read_query(ask: QuickLoad | None, environ: Environ) -> dict[str, Any] | None:
    asked: str = environ.get("QUERY_STRING", "")
    if ask is None:
        return None if asked else {}
    if not _QUERY.match(asked):
        return None
    pairs = [pair.split("=") for pair in asked.split("&")] if asked else []
    named = dict(pairs)
    query = ask(named) if len(named) == len(pairs) else None
    return None if query is None else {"query": query}


@lru_cache(maxsize=1024)
def _figures(service: str, rule: str, method: str, status: int) -> tuple[Any, Any]:
    return REQUESTS.labels(service, rule, method, status), REQUEST_SECONDS.labels(service, rule)
