"""Session tokens: `base64url(claims) . base64url(hmac-sha256)`, under the gateway's own secret.

The same form as the identity header, but another secret and other claims, so neither is ever taken for the other.
Read tokens are remembered: reading one again costs a dictionary look-up.
"""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as BadBase64
from functools import lru_cache
from hmac import compare_digest, digest

from common.identity import Identity
from gateway.auth.domain import BadToken, Claims, TokenExpired

_LONGEST = 1024


def issue(claims: Claims, *, secret: str) -> str:
    """The token that says so."""
    identity = claims.identity
    said = [
        identity.kind,
        identity.program_id,
        identity.subject,
        sorted(identity.roles),
        claims.version,
        claims.expires,
    ]
    body = urlsafe_b64encode(json.dumps(said, separators=(",", ":")).encode())
    return f"{body.decode()}.{urlsafe_b64encode(_mac(body, secret)).decode()}"


def read(token: str, *, secret: str, now: float) -> Claims:
    """What the token says; `now` in epoch seconds. Raises `BadToken`, `TokenExpired`."""
    if len(token) > _LONGEST:
        raise BadToken()
    claims = _genuine(token, secret)
    if claims.expires <= now:
        raise TokenExpired()
    return claims


@lru_cache(maxsize=65_536)
def _genuine(token: str, secret: str) -> Claims:
    body, _, mac = token.partition(".")
    try:
        signed = body.encode("ascii")
        if not compare_digest(urlsafe_b64decode(mac.encode("ascii")), _mac(signed, secret)):
            raise BadToken()
        kind, program_id, subject, roles, version, expires = json.loads(urlsafe_b64decode(signed))
    except (ValueError, BadBase64) as error:
        raise BadToken() from error
    return Claims(Identity(kind, program_id, subject, frozenset(roles)), version, expires)


def _mac(body: bytes, secret: str) -> bytes:
    return digest(secret.encode(), b"session token\n" + body, "sha256")
