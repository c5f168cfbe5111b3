"""The address of a request as it was sent, and what makes one unfit to be passed on."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote_to_bytes

from gateway.forwarding.refusals import TurnedAway

_PLAIN = re.compile(r"(?:/[A-Za-z0-9_~!$&'()*+,;=:@-][A-Za-z0-9._~!$&'()*+,;=:@-]*)+/?\Z")
_ENCODED = re.compile(r"(?:/(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})+)+/?\Z")
_QUERY = re.compile(r"[!$-;=?-~]*\Z")
LONGEST = 8190


def target_of(environ: Mapping[str, Any]) -> tuple[str, str]:
    """The path, and the target (path and query), exactly as sent.

    Two readers could understand `//`, `..`, an encoded slash or an absolute URL differently, one that decides and one
    that serves: such an address does not exist here. Raises a 404 problem for it, 400 for a query outside RFC 3986.
    """
    target: str = environ["RAW_URI"]
    path, mark, query = target.partition("?")
    if len(target) > LONGEST or not (_PLAIN.match(path) or path == "/" or _is_fit(path)):
        raise TurnedAway("not_found")
    if mark and not _QUERY.match(query):
        raise TurnedAway("malformed_request", reason="a character in the query must be percent-encoded")
    return path, target


def _is_fit(path: str) -> bool:
    if not _ENCODED.match(path):
        return False
    for segment in path.strip("/").split("/"):
        try:
            text = unquote_to_bytes(segment).decode()
        except UnicodeDecodeError:
            return False
        if text in ("", ".", "..") or "/" in text or "\\" in text or not text.isprintable():
            return False
    return True
