"""The hash chain of an account: each entry's hash covers the one before it, so an edit, a gap or a swap shows.

hash = sha256(previous ‖ program ‖ member ‖ asset ‖ seq ‖ kind ‖ amount ‖ held_delta ‖ balance_after ‖ held_after ‖
at_µs ‖ posting ‖ lots ‖ sha256(details)), integers fixed-width big-endian, lots as count and pairs (ledger.md §1.9).
"""

import json
from hashlib import sha256
from struct import Struct
from typing import Any

_OPENING = Struct(">iqh")
_FIXED = Struct(">iqhqhqqqqq16sI")


def opening(program_id: int, member_id: int, asset_id: int) -> bytes:
    """What the first entry of an account stands on."""
    return sha256(_OPENING.pack(program_id, member_id, asset_id)).digest()


def link(
    previous: bytes,
    *,
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
    fixed = _FIXED.pack(
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
    )
    lots = Struct(f">{len(moves)}q").pack(*moves)
    text = json.dumps(details, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)
    return sha256(b"".join((previous, fixed, lots, sha256(text.encode()).digest()))).digest()
