"""What is sealed and signed, in fixed bytes, so that anybody can compute it again without us. Pure.

leaf (54 bytes)  program int32 ‖ member int64 ‖ asset int16 ‖ seq int64 ‖ the entry's chain hash (32)
head (76 bytes)  "jifen head v1", zero bytes to 16 ‖ program int32 ‖ number int64 ‖ size int64 ‖ root (32) ‖ µs int64
All integers big-endian. A key is known by the SHA-256 of its 32 raw bytes. See docs/receipts.md.
"""

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from struct import Struct

from common.clock import epoch_us
from common.errors import Refusal

_LEAF = Struct(">iqhq32s")
_HEAD = Struct(">16siqq32sq")
_HEAD_NAME = b"jifen head v1".ljust(16, b"\x00")

#: What is sealed in place of the hash of an entry that was gone before it could be sealed: no entry ever matches it.
GONE = bytes(32)

EntryKey = tuple[int, int, int, int]


class NothingSealed(Refusal):
    """The program's log has no head yet."""

    code = "nothing_sealed"


class NotSealedYet(Refusal):
    """The entry exists, but the log has not reached it; it will within seconds."""

    code = "not_sealed_yet"


class NotUnderHead(Refusal):
    """The entry was sealed after the asked head: `size` leaves, and its own index is `index`."""

    code = "not_under_head"


class UnknownHead(Refusal):
    """No head of that size was signed; `size` is one of those that the list of heads shows."""

    code = "unknown_head"


class UnknownFirstHead(UnknownHead):
    """The same of a consistency proof's first head."""


class UnknownSecondHead(UnknownHead):
    """The same of its second head."""


class HeadsReversed(Refusal):
    """The first head is larger than the second."""

    code = "heads_reversed"


class LogDamaged(Refusal):
    """The stored tree does not hold what the proof needs: somebody edited it."""

    code = "log_damaged"


@dataclass(frozen=True, slots=True)
class Head:
    """A signed statement: at that instant the program's log had `size` leaves under `root`. Numbered without gaps."""

    program_id: int
    number: int
    size: int
    root: bytes
    at: datetime
    key_id: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Log:
    """How far a program's log is: leaves, heads, the newest head's instant and key."""

    program_id: int
    size: int
    heads: int
    sealed_at: datetime
    key_id: bytes


@dataclass(frozen=True, slots=True)
class Sealed:
    """A leaf's place in its program's log, and the chain hash that was sealed."""

    position: int
    member_id: int
    asset_id: int
    seq: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class Inclusion:
    """That a leaf is under a head: hashes from the leaf's neighbour up."""

    leaf: Sealed
    head: Head
    path: list[bytes]


@dataclass(frozen=True, slots=True)
class Consistency:
    """That the log of the second head begins with that of the first."""

    first: Head
    second: Head
    path: list[bytes]


def leaf_bytes(key: EntryKey, chain_hash: bytes) -> bytes:
    """The leaf of an entry."""
    return _LEAF.pack(*key, chain_hash)


def head_bytes(*, program_id: int, number: int, size: int, root: bytes, at: datetime) -> bytes:
    """What a head's signature covers."""
    return _HEAD.pack(_HEAD_NAME, program_id, number, size, root, epoch_us(at))


def key_id(public_key: bytes) -> bytes:
    """How a public key is known."""
    return sha256(public_key).digest()
