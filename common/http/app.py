"""The Flask app of a service: edge first (limits, identity, problems), then its routes, its feed and its health."""

import re
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from threading import RLock
from typing import Any

import psycopg
import structlog
from flask import Flask, Request, Response, g, request
from flask_smorest import Api
from flask_smorest.utils import prepare_response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from redis.exceptions import RedisError
from sqlalchemy import Table
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException
from werkzeug.routing import BaseConverter, IntegerConverter, Map

from common.database import Database
from common.errors import Refusal
from common.http.feed_routes import feed_routes
from common.http.fields import CODE
from common.http.json_provider import StrictJSON, UnstorableText
from common.http.lean import Lean
from common.http.problems import (
    MEDIA_TYPE,
    Problem,
    ProblemSchema,
    Wordings,
    edge_problem,
    problem_response,
    refusal_problem,
)
from common.http.routes import Routes
from common.metrics import REQUEST_SECONDS, REQUESTS
from common.queue import redis
from common.service import Service

log = structlog.get_logger()

MAX_BODY_BYTES = 4 * 1024 * 1024
_WRITING = RLock()
_REQUEST_ID = re.compile(r"^[A-Za-z0-9._-]{1,64}\Z")

_HTTP_CODES = {
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
    415: "unsupported_media_type",
}


@dataclass(frozen=True)
class Edge:
    """What routes need of the service they belong to."""

    database: Database
    keys: Table
    wordings: Wordings


class _Request(Request):
    """Says what is wrong with a body that is not JSON."""

    def on_json_loading_failed(self, e: ValueError | None) -> Any:
        if e is None:
            raise edge_problem("unsupported_media_type")
        if isinstance(e, UnstorableText):
            detail = "Text may not contain NUL or half a surrogate pair."
            raise edge_problem("invalid_request", errors=[{"pointer": e.pointer, "detail": detail}]) from e
        raise edge_problem("malformed_request", reason=str(e)) from e


class Id(IntegerConverter):
    """A path value that fits a BIGINT: anything else is no address of ours."""

    def __init__(self, url_map: Map, **_: object) -> None:
        super().__init__(url_map, min=1, max=2**63 - 1)


class Code(BaseConverter):
    """A path value in the form of a code: lower-case letters, digits, `_` and `-`, up to 64."""

    regex = CODE


def create_app(service: Service) -> Flask:
    """The app of one service; opens no connection yet."""
    app = Flask(service.name)
    app.json = StrictJSON(app)
    app.request_class = _Request
    app.url_map.converters["id"] = Id
    app.url_map.converters["code"] = Code
    app.config.update(
        API_TITLE=service.title,
        API_VERSION="v1",
        OPENAPI_VERSION="3.1.0",
        OPENAPI_URL_PREFIX="/",
        OPENAPI_JSON_PATH="openapi.json",
        MAX_CONTENT_LENGTH=MAX_BODY_BYTES,
        PROPAGATE_EXCEPTIONS=False,
    )
    app.extensions["jifen"] = Edge(service.database, service.keys, service.wordings)
    _watch_requests(app, service.name)
    _answer_problems(app, service.wordings)
    _health(app, service)
    _Api(app, (*service.routes, feed_routes(service)))
    app.wsgi_app = Lean(app, service.name, service.wordings, MAX_BODY_BYTES)  # type: ignore[method-assign]  # as Flask documents it
    return app


class _Api(Api):  # type: ignore[misc]  # flask-smorest has no types
    """The OpenAPI, written when first asked for; without the library's own error bodies: ours are problem+json."""

    def __init__(self, app: Flask, blueprints: Sequence[Routes]) -> None:
        self._spec: Any = None
        self._unwritten: list[Routes] = []
        super().__init__(app)
        for routes in blueprints:
            app.register_blueprint(routes)
        self._unwritten.extend(blueprints)

    @property
    def spec(self) -> Any:
        """The document; whoever asks first writes it, and the others wait for him."""
        with _WRITING:
            unwritten, self._unwritten = self._unwritten, []
            for routes in unwritten:
                routes.register_views_in_doc(self, self._app, self._spec, name=routes.name, parameters=None)
                self._spec.tag({"name": routes.name, "description": routes.description})
        return self._spec

    @spec.setter
    def spec(self, spec: Any) -> None:
        self._spec = spec

    def _register_error_handlers(self) -> None:
        return

    def _register_responses(self) -> None:
        for name, description in {status.name: status.phrase for status in HTTPStatus}.items():
            self._register_problem(name, description)
        self._register_problem("DEFAULT_ERROR", "Any other problem")

    def _register_problem(self, name: str, description: str) -> None:
        response = {"description": description, "schema": ProblemSchema}
        prepare_response(response, self.spec, MEDIA_TYPE)
        self.spec.components.response(name, response, lazy=True)


def _watch_requests(app: Flask, service: str) -> None:
    @app.before_request
    def begin() -> None:
        given = request.headers.get("X-Request-ID", "")
        g.request_id = given if _REQUEST_ID.match(given) else uuid.uuid4().hex
        g.began = time.perf_counter()
        structlog.contextvars.bind_contextvars(service=service, request_id=g.request_id)
        if "\x00" in request.path or "%00" in request.query_string.decode("latin-1"):
            raise edge_problem("malformed_request", reason="NUL in the address")

    @app.after_request
    def end(response: Response) -> Response:
        if "request_id" in g:
            response.headers["X-Request-ID"] = g.request_id
            route = request.url_rule.rule if request.url_rule else "unmatched"
            REQUESTS.labels(service, route, request.method, response.status_code).inc()
            REQUEST_SECONDS.labels(service, route).observe(time.perf_counter() - g.began)
        return response


def _answer_problems(app: Flask, wordings: Wordings) -> None:
    @app.errorhandler(Problem)
    def problem(error: Problem) -> Response:
        return problem_response(error)

    @app.errorhandler(Refusal)
    def refusal(error: Refusal) -> Response:
        return problem_response(refusal_problem(error, wordings))

    @app.errorhandler(HTTPException)
    def http(error: HTTPException) -> Response:
        code = _HTTP_CODES.get(error.code or 500, "malformed_request")
        if (error.code or 500) >= 500:
            code = "internal_error"
        answer = problem_response(edge_problem(code, reason=error.description or error.name, limit=MAX_BODY_BYTES))
        if error.code == 405 and (valid := getattr(error, "valid_methods", None)):
            answer.headers["Allow"] = ", ".join(sorted(valid))
        return answer

    @app.errorhandler(OperationalError)
    @app.errorhandler(InterfaceError)
    @app.errorhandler(PoolTimeout)
    @app.errorhandler(psycopg.OperationalError)
    @app.errorhandler(RedisError)
    def unavailable(error: Exception) -> Response:
        # Lock and statement time-outs, a restarting server, a full disk: nothing was acknowledged, all can be retried.
        cause = error.orig if isinstance(error, DBAPIError) else error
        log.warning("unavailable", cause=type(cause).__name__)
        return problem_response(edge_problem("unavailable"))

    @app.errorhandler(Exception)
    def unexpected(error: Exception) -> Response:
        log.exception("request_failed", route=request.url_rule.rule if request.url_rule else None)
        return problem_response(edge_problem("internal_error"))


def _health(app: Flask, service: Service) -> None:
    @app.get("/healthz")
    def alive() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/readyz")
    def ready() -> dict[str, str]:
        service.database.ping()
        redis().ping()
        return {"status": "ok"}

    @app.get("/metrics")
    def metrics() -> Response:
        return Response(generate_latest(), content_type=CONTENT_TYPE_LATEST)
