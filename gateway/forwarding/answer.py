"""HTTP/1.1 answers, read strictly (RFC 9112): head, and body by length, by chunks, or to the end."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

_STATUS = re.compile(r"HTTP/1\.([01]) ([1-9][0-9]{2})(?: ([ -~]*))?\Z")
#: Between us and the service only (RFC 9110 7.6.1), and what our own server says itself.
_NOT_PASSED = frozenset(
    ("connection", "keep-alive", "proxy-authenticate", "proxy-connection", "te", "trailer", "upgrade", "server", "date")
)


class BadAnswer(Exception):
    """The bytes are no answer that can be passed on."""


@dataclass(slots=True)
class Head:
    """The head of an answer: `length` of the body when known, else it comes in chunks or lasts to the end."""

    status: str
    headers: list[tuple[str, str]]
    length: int | None
    chunked: bool
    keeps_open: bool


def read_head(read: Callable[[], bytes], method: str) -> Head:
    """The head of the final answer, interim ones (1xx) passed over. Raises `BadAnswer`."""
    while True:
        head = parse_head(read(), method)
        if not head.status.startswith("1"):
            return head
        if head.status.startswith("101"):
            raise BadAnswer("upgraded without being asked")


def parse_head(raw: bytes, method: str) -> Head:
    """One head as a value; hop-by-hop headers are left out. Raises `BadAnswer`."""
    first, *lines = raw.decode("latin-1").split("\r\n")
    match = _STATUS.match(first)
    if match is None:
        raise BadAnswer("no status line")
    code = match[2]
    headers: list[tuple[str, str]] = []
    length: int | None = None
    chunked, keeps_open = False, match[1] == "1"
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not name or name[0] in " \t":
            raise BadAnswer("a header line without a name")
        value = value.strip(" \t")
        lower = name.lower()
        if lower == "transfer-encoding":
            if value.lower() != "chunked":
                raise BadAnswer("unknown transfer encoding")
            chunked = True
        elif lower == "connection":
            keeps_open = value.lower() != "close" and (keeps_open or value.lower() == "keep-alive")
        elif lower == "content-length":
            if not (value.isascii() and value.isdigit()) or length not in (None, int(value)):
                raise BadAnswer("no honest length")
            if length is None:
                headers.append((name, value))
            length = int(value)
        elif lower not in _NOT_PASSED:
            headers.append((name, value))
    if chunked and length is not None:
        raise BadAnswer("both a length and chunks")
    if method == "HEAD" or code in ("204", "304") or code[0] == "1":
        length, chunked = 0, False
    if length is None and not chunked:
        keeps_open = False
    return Head(f"{code} {match[3] or 'Unknown'}", headers, length, chunked, keeps_open)


def chunks(
    read_some: Callable[[], bytes], read_exactly: Callable[[int], bytes], read_line: Callable[[], bytes], head: Head
) -> Iterator[bytes]:
    """The body in pieces, as it comes in. Raises `BadAnswer` when it ends early."""
    if head.chunked:
        while size := _chunk_size(read_line()):
            yield from _pieces(read_exactly, size)
            if read_line():
                raise BadAnswer("a chunk longer than it said")
        while read_line():
            pass
    elif head.length is not None:
        yield from _pieces(read_exactly, head.length)
    else:
        while part := read_some():
            yield part


def _pieces(read_exactly: Callable[[int], bytes], length: int) -> Iterator[bytes]:
    while length:
        part = read_exactly(min(length, 64 * 1024))
        length -= len(part)
        yield part


def _chunk_size(line: bytes) -> int:
    digits = line.partition(b";")[0].strip(b" \t")
    if not digits or len(digits) > 8 or digits.strip(b"0123456789abcdefABCDEF"):
        raise BadAnswer("no chunk size")
    return int(digits, 16)
