"""The body of a request: wholly read, within the limit, as long as announced."""

import socket
from collections.abc import Mapping
from typing import Any

from gunicorn.http.errors import ParseException

from common.http.app import MAX_BODY_BYTES
from gateway.forwarding.refusals import TurnedAway

#: How long a sender may pause within a body.
PAUSE_SECONDS = 30.0


def read_body(environ: Mapping[str, Any]) -> bytes:
    """All of it. Raises 413 beyond 4 MiB, announced or not, and 400 for a body that ends early or is no body."""
    announced = environ.get("CONTENT_LENGTH") or ""
    if not announced:
        return _read(environ, MAX_BODY_BYTES) if "HTTP_TRANSFER_ENCODING" in environ else b""
    if not (announced.isascii() and announced.isdigit()):
        raise TurnedAway("malformed_request", reason="Content-Length is no number")
    length = int(announced)
    if length > MAX_BODY_BYTES:
        raise TurnedAway("too_large", limit=MAX_BODY_BYTES)
    body = _read(environ, length) if length else b""
    if len(body) != length:
        raise TurnedAway("malformed_request", reason="the body ended before its Content-Length")
    return body


def _read(environ: Mapping[str, Any], most: int) -> bytes:
    connection: socket.socket | None = environ.get("gunicorn.socket")
    if connection is not None:
        connection.settimeout(PAUSE_SECONDS)
    try:
        # One byte more, in chunks of its own length, tells a body at the limit from one beyond it.
        body: bytes = environ["wsgi.input"].read(most + 1 if not environ.get("CONTENT_LENGTH") else most)
    except (OSError, ParseException) as error:
        raise TurnedAway("malformed_request", reason="the body could not be read to its end") from error
    finally:
        if connection is not None:
            connection.settimeout(None)
    if len(body) > most:
        raise TurnedAway("too_large", limit=MAX_BODY_BYTES)
    return body
