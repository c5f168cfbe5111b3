"""API keys as values, their derived secrets, and what makes a signed request genuine."""

import re
from dataclasses import dataclass
from hmac import compare_digest, digest

from common.errors import Refusal
from gateway.signing import Signed, signature

SCOPES = ("read", "events", "ledger", "members", "redemptions", "exchange")
DEFAULT_RATE_PER_SECOND = 2000
MOST_PER_SECOND = 100_000
#: How far a request's timestamp may be from our clock, either way.
WINDOW_SECONDS = 300
_NAME = re.compile(r"^[a-z][a-z0-9_-]{0,63}\Z")


class UnknownKey(Refusal, LookupError):
    """The program has no such key."""

    code = "key_not_found"


class KeyNameTaken(Refusal):
    """A living key of the program has that name."""

    code = "key_name_taken"


class KeyRevoked(Refusal):
    """The key was revoked; nothing brings it back."""

    code = "key_revoked"


class BadKey(Refusal):
    """Name, scopes or rate are not in their form."""

    code = "bad_key"


class NotSigned(Refusal):
    """The Authorization header is not in the form of a signature."""

    code = "signature_malformed"


class BadSignature(Refusal):
    """No living key made this signature over this request."""

    code = "signature_invalid"


class OutsideWindow(Refusal):
    """The request's timestamp is too far from our clock."""

    code = "timestamp_outside_window"


class NonceUsed(Refusal):
    """This nonce came before: the request is a copy."""

    code = "nonce_used"


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key without its secret. `generation` counts the secrets it had; `name` is for people."""

    program_id: int
    id: str
    name: str
    scopes: frozenset[str]
    rate_per_second: int
    generation: int
    revoked: bool


def check(name: str, scopes: frozenset[str], rate_per_second: int) -> None:
    """Raise `BadKey` unless the name is in form, the scopes are known and the rate is 1 to 100,000 a second."""
    if not _NAME.match(name):
        raise BadKey(what="name", value=name)
    if not scopes or not scopes <= set(SCOPES):
        raise BadKey(what="scopes", value=", ".join(sorted(scopes)))
    if not 1 <= rate_per_second <= MOST_PER_SECOND:
        raise BadKey(what="rate_per_second", value=rate_per_second)


def derive_secret(master: str, key_id: str, generation: int) -> str:
    """The secret of one generation of a key: HMAC-SHA256 under the gateway's master secret, in hex."""
    return digest(master.encode(), f"api key\n{key_id}\n{generation}".encode(), "sha256").hex()


def check_timestamp(signed: Signed, now: float) -> None:
    """Raise `OutsideWindow` when the request is too old or from the future; `now` in epoch seconds."""
    if abs(now - signed.timestamp) > WINDOW_SECONDS:
        raise OutsideWindow(window=WINDOW_SECONDS, now=int(now))


def check_signature(signed: Signed, *, method: str, target: str, body: bytes, secret: str) -> None:
    """Raise `BadSignature` unless the secret's holder signed exactly this request."""
    ours = signature(method, target, body, secret, signed.timestamp, signed.nonce)
    if not compare_digest(ours, signed.signature):
        raise BadSignature()
