"""Who sends a request: from the Authorization header to the identity that the services are told."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from common.identity import LIFE_SECONDS, Identity, sign
from common.settings import settings
from gateway.auth import tokens
from gateway.auth.domain import TokenEnded, UnknownScheme
from gateway.keys import verification
from gateway.keys.domain import ApiKey
from gateway.limits import policies
from gateway.limits.domain import Policy
from gateway.signing import SCHEME
from gateway.staff.domain import UnknownStaff
from gateway.staff.versions import versions

_SLOT_SECONDS = LIFE_SECONDS // 2


@dataclass(frozen=True, slots=True)
class Caller:
    """A caller who proved to be one: their identity, how much they may ask, and the name of their bucket."""

    identity: Identity
    policy: Policy
    bucket: str


def recognize(authorization: str, *, method: str, target: str, body: Callable[[], bytes]) -> Caller:
    """The caller behind an Authorization header; `body` is read only for a signature, and only if all else is right.

    Raises the refusals of `auth.domain` and `keys.domain` that mean 401.
    """
    scheme, _, token = authorization.partition(" ")
    if scheme == "Bearer":
        return _bearer(token)
    if scheme == SCHEME:
        signed, key, secret = verification.living_key(authorization)
        verification.check(signed, secret, method=method, target=target, body=body())
        return _system(key)
    raise UnknownScheme(scheme=scheme[:32])


def identity_header(identity: Identity) -> str:
    """The signed header for this caller. It stays the same for half its life, so services too check it by look-up."""
    return _header(identity, int(time.time()) // _SLOT_SECONDS)


def forget_all() -> None:
    """Remember nothing, e.g. between tests."""
    versions.clear()
    verification.forget_all()


@lru_cache(maxsize=65_536)
def _header(identity: Identity, slot: int) -> str:
    secret = settings().identity_secret.get_secret_value()
    return sign(identity, secret=secret, now=slot * _SLOT_SECONDS, life_seconds=LIFE_SECONDS)


def _bearer(token: str) -> Caller:
    claims = tokens.read(token, secret=settings().secret("session"), now=time.time())
    identity = claims.identity
    if identity.kind == "staff":
        try:
            version = versions.get((identity.program_id, identity.subject))
        except UnknownStaff as error:
            raise TokenEnded() from error
        if version != claims.version:
            raise TokenEnded()
    return _of_token(identity)


@lru_cache(maxsize=65_536)
def _of_token(identity: Identity) -> Caller:
    policy = policies.staff() if identity.kind == "staff" else policies.member()
    return Caller(identity, policy, f"{identity.program_id}:{identity.actor}")


@lru_cache(maxsize=4096)
def _system(key: ApiKey) -> Caller:
    identity = Identity("system", key.program_id, key.id, key.scopes)
    return Caller(identity, policies.system(key.rate_per_second), f"{key.program_id}:{identity.actor}")
