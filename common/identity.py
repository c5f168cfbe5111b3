"""Who is calling: the short-lived signed header by which the gateway, and nobody else, says so to the services.

The header is `base64url(json) . base64url(hmac-sha256)`. Services accept it and nothing else. One header serves a
caller for up to its life time, so verified headers are remembered: checking one again costs a dictionary look-up.
"""

import json
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from functools import lru_cache
from hmac import compare_digest, digest
from typing import Literal

HEADER = "X-Jifen-Identity"
LIFE_SECONDS = 60

Kind = Literal["member", "staff", "system", "service"]


class BadIdentity(Exception):
    """The header is missing, forged, malformed or out of date."""


@dataclass(frozen=True, slots=True)
class Identity:
    """A caller. `subject` is the member id, staff name, API key id or service name; tenant and owner come from here.

    `roles` are staff roles or the scopes of an API key. `program_id` 0 is only for services acting for no program.
    """

    kind: Kind
    program_id: int
    subject: str
    roles: frozenset[str] = frozenset()

    @property
    def member_id(self) -> int:
        """The member's own id; only a member has one."""
        if self.kind != "member":
            raise BadIdentity(f"a {self.kind} caller has no member id")
        return int(self.subject)

    @property
    def actor(self) -> str:
        """How records name this caller, e.g. `staff:lin`."""
        return f"{self.kind}:{self.subject}"


def sign(identity: Identity, *, secret: str, now: float | None = None, life_seconds: int = LIFE_SECONDS) -> str:
    """The header value for this caller, valid for `life_seconds` from `now` (epoch seconds)."""
    expires = int((time.time() if now is None else now) + life_seconds)
    claims = [identity.kind, identity.program_id, identity.subject, sorted(identity.roles), expires]
    body = urlsafe_b64encode(json.dumps(claims, separators=(",", ":")).encode())
    return f"{body.decode()}.{_mac(body, secret).decode()}"


def verify(header: str | None, *, secret: str, now: float | None = None) -> Identity:
    """The caller that the header names; raises `BadIdentity` for anything but a fresh, genuine one."""
    if not header:
        raise BadIdentity("no identity")
    identity, expires = _genuine(header, secret)
    if expires <= (time.time() if now is None else now):
        raise BadIdentity("identity out of date")
    return identity


@lru_cache(maxsize=16_384)
def _genuine(header: str, secret: str) -> tuple[Identity, int]:
    body, _, mac = header.partition(".")
    try:
        if not compare_digest(mac.encode("ascii"), _mac(body.encode("ascii"), secret)):
            raise BadIdentity("identity not signed by the gateway")
        kind, program_id, subject, roles, expires = json.loads(urlsafe_b64decode(body))
    except ValueError as error:
        raise BadIdentity("identity malformed") from error
    return Identity(kind, program_id, subject, frozenset(roles)), expires


def _mac(body: bytes, secret: str) -> bytes:
    """In its one canonical spelling, and compared so: decoding would let many spellings of it pass."""
    return urlsafe_b64encode(digest(secret.encode(), body, "sha256"))
