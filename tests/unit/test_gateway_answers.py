"""Reading the answers of services."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.forwarding.answer import BadAnswer, chunks, parse_head


def body_of(raw: bytes, **head: object) -> bytes:
    stream = io.BytesIO(raw)

    def exactly(length: int) -> bytes:
        part = stream.read(length)
        if len(part) < length:
            raise BadAnswer("short")
        return part

    def line() -> bytes:
        read = stream.readline()
        if not read.endswith(b"\r\n"):
            raise BadAnswer("short")
        return read[:-2]

    parsed = parse_head(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked", "GET")
    for name, value in head.items():
        setattr(parsed, name, value)
    return b"".join(chunks(lambda: stream.read(7), exactly, line, parsed))


@given(st.lists(st.binary(min_size=1, max_size=200_000), max_size=5))
def test_chunks_come_out_as_they_went_in(parts: list[bytes]) -> None:
    raw = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"
    assert body_of(raw) == b"".join(parts)


@given(st.binary(max_size=300))
def test_no_bytes_hang_or_break_the_reader_otherwise(raw: bytes) -> None:
    try:
        body_of(raw)
    except BadAnswer:
        return
    assert b"0" in raw


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"zz\r\n",
        b"\r\n",
        b"-1\r\n",
        b"+1\r\na\r\n0\r\n\r\n",
        b"1\r\nab\r\n0\r\n\r\n",
        b"5\r\nab",
        b"123456789\r\n",
    ],
)
def test_broken_chunks_are_no_body(raw: bytes) -> None:
    with pytest.raises(BadAnswer):
        body_of(raw)


def test_a_body_has_its_length_or_lasts_to_the_end() -> None:
    assert body_of(b"abcdef", chunked=False, length=4) == b"abcd"
    assert body_of(b"abcdefghi", chunked=False, length=None) == b"abcdefghi"


@pytest.mark.parametrize(
    ("head", "length", "keeps_open"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5", 5, True),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5", 5, True),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 5", 5, False),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive", 5, True),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close", 5, False),
        (b"HTTP/1.1 204 No Content", 0, True),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9", 0, True),
        (b"HTTP/1.1 200 OK", None, False),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked", None, True),
    ],
)
def test_the_head_tells_the_body_and_whether_to_keep(head: bytes, length: int | None, keeps_open: bool) -> None:
    parsed = parse_head(head, "GET")
    assert (parsed.length, parsed.keeps_open) == (length, keeps_open)


def test_head_answers_keep_their_length_but_have_no_body() -> None:
    parsed = parse_head(b"HTTP/1.1 200 OK\r\nContent-Length: 5", "HEAD")
    assert (parsed.length, parsed.headers) == (0, [("Content-Length", "5")])


def test_a_status_without_a_reason_gets_one() -> None:
    assert parse_head(b"HTTP/1.1 299 \r\nContent-Length: 0", "GET").status == "299 Unknown"


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"HTTP/2 200 OK",
        b"HTTP/1.1 2000 OK",
        b"HTTP/1.1 099 OK",
        b"HTTP/1.1 200 OK\r\nContent-Length: +5",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5, 5",
        b"HTTP/1.1 200 OK\r\n folded: x",
        b"HTTP/1.1 200 OK\r\nnothing",
        b"HTTP/1.1 200 OK\r\n: x",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked",
    ],
)
def test_what_is_no_head_is_refused(head: bytes) -> None:
    with pytest.raises(BadAnswer):
        parse_head(head, "GET")
