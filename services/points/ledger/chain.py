"""The hash chain of an account: each entry's hash covers the one before it, so an edit, a gap or a swap shows.

hash = sha256(previous ‖ program ‖ member ‖ asset ‖ seq ‖ kind ‖ amount ‖ held_delta ‖ balance_after ‖ held_after ‖
at_µs ‖ posting ‖ lots ‖ sha256(details)), integers fixed-width big-endian, lots as count and pairs (ledger.md §1.9).
"""

from functools import lru_cache
from hashlib import sha256
from json import JSONEncoder
from json.encoder import encode_basestring
from struct import Struct
from typing import Any

_OPENING = Struct(">iqh")
_encode = JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str).encode
_NOTHING_MORE = (None,) * 4


def opening(program_id: int, member_id: int, asset_id: int) -> bytes:
    """What the first entry of an account stands on."""
    return sha256(_OPENING.pack(program_id, member_id, asset_id)).digest()


def link(
    previous: bytes,
    program_id: int,
    member_id: int,
    asset_id: int,
    seq: int,
    kind: int,
    amount: int,
    held_delta: int,
    balance_after: int,
    held_after: int,
    at_us: int,
    posting_id: bytes,
    moves: list[int],
    details: tuple[Any, ...],
) -> bytes:
    """The hash of one entry. `details` are its cause, rule version, reversed seq, hold and meta."""
    figures = _figures(len(moves)).pack(
        program_id,
        member_id,
        asset_id,
        seq,
        kind,
        amount,
        held_delta,
        balance_after,
        held_after,
        at_us,
        posting_id,
        len(moves),
        *moves,
    )
    return sha256(previous + figures + sha256(_canonical(details).encode()).digest()).digest()


def details(
    cause: str,
    rule_version: int | None,
    reverses: int | None,
    reversed_: int | None,
    hold_id: bytes | None,
    meta: dict[str, Any] | None,
) -> tuple[Any, ...]:
    """What the hash covers beyond the figures, in the order it covers it."""
    return cause, rule_version, reverses, reversed_, hold_id.hex() if hold_id else None, meta


def _canonical(details: tuple[Any, ...]) -> str:
    """The details as JSON. Most have a cause, and at most a rule's version: put together at a fifth of the cost."""
    if details[2:] == _NOTHING_MORE:
        cause, version = details[:2]
        return f"[{encode_basestring(cause)},{'null' if version is None else version},null,null,null,null]"
    return _encode(details)


@lru_cache(maxsize=512)
def _figures(moves: int) -> Struct:
    return Struct(f">iqhqhqqqqq16sI{moves}q")
