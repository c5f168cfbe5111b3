"""How a system signs its requests: `Authorization: JIFEN-HMAC-SHA256 key=…, timestamp=…, nonce=…, signature=…`.

The signature is HMAC-SHA256, in hex, keyed with the key's secret, over five lines joined by a single line feed:

    method                 e.g. POST
    target                 path and query exactly as sent, e.g. /v1/events?source=shop
    timestamp              whole seconds since 1970-01-01 UTC
    nonce                  16 to 64 of A-Z a-z 0-9 . _ ~ - ; never used again
    sha256(body) in hex    of the bytes as sent; for no body, of nothing

Nothing here needs the gateway: copy the file, or its thirty lines into another language.
"""

import re
from dataclasses import dataclass
from hashlib import sha256
from hmac import digest

SCHEME = "JIFEN-HMAC-SHA256"

_FORM = re.compile(
    rf"{SCHEME} key=(?P<key>[a-z][a-z0-9_-]{{0,63}}), ?timestamp=(?P<timestamp>[0-9]{{1,12}}),"
    r" ?nonce=(?P<nonce>[A-Za-z0-9._~-]{16,64}), ?signature=(?P<signature>[0-9a-f]{64})\Z",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Signed:
    """What an Authorization header of this scheme says; nothing of it is checked yet."""

    key_id: str
    timestamp: int
    nonce: str
    signature: str


def authorization(method: str, target: str, body: bytes, key_id: str, secret: str, timestamp: int, nonce: str) -> str:
    """The Authorization header of one request."""
    made = signature(method, target, body, secret, timestamp, nonce)
    return f"{SCHEME} key={key_id}, timestamp={timestamp}, nonce={nonce}, signature={made}"


def signature(method: str, target: str, body: bytes, secret: str, timestamp: int, nonce: str) -> str:
    """The signature alone."""
    signed = f"{method}\n{target}\n{timestamp}\n{nonce}\n{sha256(body).hexdigest()}"
    return digest(secret.encode(), signed.encode(), "sha256").hex()


def read(header: str) -> Signed | None:
    """The parts of an Authorization header; None when it is not in the form."""
    match = _FORM.match(header)
    if match is None:
        return None
    key, timestamp, nonce, made = match.groups()
    return Signed(key, int(timestamp), nonce, made)
