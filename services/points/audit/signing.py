"""Ed25519: the key that signs heads, from `JIFEN_AUDIT_KEY`, and checking what a key signed. Only sealing needs it."""

from base64 import b64decode
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from common.settings import settings
from services.points.audit.domain import key_id


@dataclass(frozen=True, slots=True)
class Signer:
    """A private key with its public half."""

    private: Ed25519PrivateKey
    public_key: bytes
    key_id: bytes

    def sign(self, message: bytes) -> bytes:
        """The 64-byte signature of a message."""
        return self.private.sign(message)


def signer() -> Signer:
    """The signer of this process. Raises `LookupError` when there is no key, `ValueError` when it is none."""
    secret = settings().audit_key
    if secret is None:
        raise LookupError("JIFEN_AUDIT_KEY is not set")
    return signer_of(secret.get_secret_value())


def signer_of(seed: str) -> Signer:
    """The signer of a seed: 32 bytes in base64, either alphabet. Raises `ValueError`."""
    raw = b64decode(seed.translate(str.maketrans("-_", "+/")), validate=True)
    if len(raw) != 32:
        raise ValueError("JIFEN_AUDIT_KEY must be 32 bytes in base64: openssl rand -base64 32")
    private = Ed25519PrivateKey.from_private_bytes(raw)
    public = private.public_key().public_bytes_raw()
    return Signer(private, public, key_id(public))


def is_signed(message: bytes, *, signature: bytes, public_key: bytes) -> bool:
    """Whether the key signed the message."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True
