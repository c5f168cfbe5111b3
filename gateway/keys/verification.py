"""Whether a signed request is genuine: a living key, our clock, the signature, and a nonce that never came before."""

import time

from common.settings import settings
from gateway.database import transaction
from gateway.keys import use_cases
from gateway.keys.domain import (
    ApiKey,
    BadSignature,
    NotSigned,
    UnknownKey,
    check_signature,
    check_timestamp,
    derive_secret,
)
from gateway.keys.nonces import nonces
from gateway.remembered import Remembered
from gateway.signing import Signed, read


def secret_of(key: ApiKey) -> str:
    """The secret by which the key's holder signs."""
    return derive_secret(settings().secret("key_encryption"), key.id, key.generation)


def living_key(header: str) -> tuple[Signed, ApiKey, str]:
    """What the header says, its key and the key's secret; cheap enough to ask before the body is read.

    Raises `NotSigned`, `OutsideWindow`, `BadSignature`.
    """
    signed = read(header)
    if signed is None:
        raise NotSigned()
    check_timestamp(signed, time.time())
    try:
        key, secret = _known.get(signed.key_id)
    except UnknownKey as error:
        raise BadSignature() from error
    if key.revoked:
        raise BadSignature()
    return signed, key, secret


def check(signed: Signed, secret: str, *, method: str, target: str, body: bytes) -> None:
    """Raise `BadSignature` or `NonceUsed` unless the request is signed with the secret and came for the first time."""
    check_signature(signed, method=method, target=target, body=body, secret=secret)
    nonces.claim(signed)


def forget(key_id: str) -> None:
    """The key changed here: what was remembered of it no longer counts."""
    _known.forget(key_id)


def forget_all() -> None:
    """Remember nothing, e.g. between tests."""
    _known.clear()


def _load(key_id: str) -> tuple[ApiKey, str]:
    with transaction() as session:
        key = use_cases.show_key(session, key_id=key_id)
    return key, secret_of(key)


_known: Remembered[str, tuple[ApiKey, str]] = Remembered(_load)
