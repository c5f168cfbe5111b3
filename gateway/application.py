"""The gateway put together: its own Flask app, and the door in front of it."""

from flask import Flask, Response

from common.http.app import create_app
from common.http.problems import edge_problem, problem_response
from common.settings import settings
from gateway.auth.login import logins
from gateway.documentation.routes import add_documentation
from gateway.forwarding.door import Door
from gateway.limits.domain import TooManyRequests
from gateway.service import service


def create_gateway() -> Door:
    """What is served. Refuses to start without its secrets, or with settings that would let anybody in."""
    for name in ("session", "key_encryption"):
        settings().secret(name)
    logins()
    return Door(create_own_app())


def create_own_app() -> Flask:
    """The gateway's own routes, as the door gives requests to them."""
    app = create_app(service)
    add_documentation(app)

    @app.errorhandler(TooManyRequests)
    def too_many(error: TooManyRequests) -> Response:
        response = problem_response(edge_problem("too_many_requests", seconds=error.facts["seconds"]))
        response.headers.extend(error.headers)
        return response

    return app
