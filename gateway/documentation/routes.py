"""`/openapi.json` of the whole house, and `/docs` to browse it without any outside host."""

import json
import time
from pathlib import Path
from typing import Any

import swagger_ui_bundle
from flask import Flask, Response, send_from_directory

from common.settings import settings
from gateway.documentation.clients import fetch_document
from gateway.documentation.domain import Document, merge
from gateway.forwarding.table import PREFIXES, service_for

FRESH_SECONDS = 5.0
_ASSETS = Path(swagger_ui_bundle.swagger_ui_path)
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:;"
    " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8"><title>Jifen API</title>
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<div id="page"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
"""
_START = """SwaggerUIBundle({
  url: "/openapi.json", dom_id: "#page", deepLinking: true, tagsSorter: "alpha", docExpansion: "none",
  validatorUrl: null
});
"""


class Documents:
    """What each service said last, and all of it as one text: asked again after seconds, kept while one is away."""

    def __init__(self, own: Document) -> None:
        self._parts: dict[str, Document] = {"gateway": own}
        self._text = ""
        self._made = float("-inf")

    def text(self) -> str:
        """The merged document as JSON."""
        if time.monotonic() - self._made >= FRESH_SECONDS:
            for service in PREFIXES:
                document = fetch_document(service)
                if document is not None:
                    self._parts[service] = document
            merged = merge(self._parts, reachable=_is_reachable, url=settings().service_url("gateway"))
            self._text = json.dumps(merged, ensure_ascii=False)
            self._made = time.monotonic()
        return self._text


def add_documentation(app: Flask) -> None:
    """Serve the merged document where the app served its own, and the page beside it."""
    own: dict[str, Any] = app.extensions["flask-smorest"]["apis"][""]["ext_obj"].spec.to_dict()
    documents = Documents(own)

    def openapi() -> Response:
        return Response(documents.text(), content_type="application/json")

    app.view_functions["api-docs.openapi_json"] = openapi

    @app.get("/docs")
    def browse() -> Response:
        return _guarded(Response(_PAGE, content_type="text/html; charset=utf-8"))

    @app.get("/docs/start.js")
    def start() -> Response:
        return _guarded(Response(_START, content_type="text/javascript; charset=utf-8"))

    @app.get("/docs/<any('swagger-ui.css', 'swagger-ui-bundle.js'):name>")
    def asset(name: str) -> Response:
        return _guarded(send_from_directory(_ASSETS, name, max_age=3600))


def _guarded(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = _POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def _is_reachable(service: str, path: str) -> bool:
    forwarded = service_for(path)
    if service == "gateway":
        return forwarded is None and path.startswith("/v1/")
    return forwarded is not None and forwarded[0] == service
