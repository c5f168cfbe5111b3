"""Laws of reading a request's body: all of it, within the limit, and nobody waits for a silent sender for ever."""

import io
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from gunicorn.http.errors import ChunkMissingTerminator

from common.http.app import MAX_BODY_BYTES
from gateway.forwarding import bodies
from gateway.forwarding.bodies import read_body
from gateway.forwarding.refusals import TurnedAway

CHUNKED = {"HTTP_TRANSFER_ENCODING": "chunked"}


def refused(environ: dict[str, Any]) -> str:
    with pytest.raises(TurnedAway) as refusal:
        read_body(environ)
    return refusal.value.code


@pytest.fixture
def wire() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Both ends of a connection: the sender's and, as under gunicorn, ours."""
    sender, ours = socket.socketpair()
    with sender, ours:
        yield sender, ours


def test_what_was_announced_is_read_and_no_more() -> None:
    assert read_body({"CONTENT_LENGTH": "3", "wsgi.input": io.BytesIO(b"abcdef")}) == b"abc"
    assert read_body({"CONTENT_LENGTH": "0"}) == b""
    assert read_body({}) == b""


@pytest.mark.parametrize("announced", ["x", "-1", "+1", "1 2", "３"])
def test_a_length_that_is_no_number_is_malformed(announced: str) -> None:
    assert refused({"CONTENT_LENGTH": announced, "wsgi.input": io.BytesIO(b"abc")}) == "malformed_request"


def test_a_body_that_ends_early_is_malformed() -> None:
    assert refused({"CONTENT_LENGTH": "4", "wsgi.input": io.BytesIO(b"abc")}) == "malformed_request"


def test_the_limit_is_the_same_announced_or_not() -> None:
    most = b"x" * MAX_BODY_BYTES
    assert read_body({**CHUNKED, "wsgi.input": io.BytesIO(most)}) == most
    assert refused({**CHUNKED, "wsgi.input": io.BytesIO(most + b"x")}) == "too_large"
    assert refused({"CONTENT_LENGTH": str(MAX_BODY_BYTES + 1), "wsgi.input": io.BytesIO()}) == "too_large"


def test_chunks_that_are_none_are_malformed() -> None:
    class Broken:
        def read(self, length: int) -> bytes:
            raise ChunkMissingTerminator(b"x")

    assert refused({**CHUNKED, "wsgi.input": Broken()}) == "malformed_request"


def test_a_sender_may_pause_only_so_long_and_the_answer_waits_as_long_as_it_wants(
    wire: tuple[socket.socket, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "PAUSE_SECONDS", 0.02)
    sender, ours = wire
    sender.sendall(b"ab")
    with ours.makefile("rb") as body:
        assert refused({"CONTENT_LENGTH": "3", "gunicorn.socket": ours, "wsgi.input": body}) == "malformed_request"
    assert ours.gettimeout() is None
