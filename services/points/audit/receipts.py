"""A receipt: one entry with everything that its hash covers, and the proof from there to a signed head. Pure.

It holds nothing that is not proven: whoever changes any one of its fields makes it invalid (docs/receipts.md).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from common.clock import epoch_us
from services.points.audit.domain import Head, Inclusion
from services.points.ledger.chain import opening

FORMAT = "jifen receipt v1"


@dataclass(frozen=True, slots=True)
class Receipt:
    """An entry's row (with `at_us` and `previous`), its proof, and the public key of the head."""

    entry: Mapping[str, Any]
    proof: Inclusion
    public_key: bytes


def present(receipt: Receipt) -> dict[str, Any]:
    """The receipt as JSON: bytes in lower-case hexadecimal, instants in microseconds since 1970 UTC."""
    row, proof = receipt.entry, receipt.proof
    first = opening(row["program_id"], row["member_id"], row["asset_id"])
    return {
        "format": FORMAT,
        "entry": {
            "program_id": row["program_id"],
            "member_id": row["member_id"],
            "asset_id": row["asset_id"],
            "seq": row["seq"],
            "kind": row["kind"],
            "amount": row["amount"],
            "held_delta": row["held_delta"],
            "balance_after": row["balance_after"],
            "held_after": row["held_after"],
            "at_us": row["at_us"],
            "posting_id": row["posting_id"].hex,
            "lots": list(row["lots"]),
            "cause": row["cause"],
            "rule_version": row["rule_version"],
            "reverses": row["reverses"],
            "reversed": row["reversed"],
            "hold_id": row["hold_id"].hex if row["hold_id"] else None,
            "meta": row["meta"],
        },
        "previous": bytes(row["previous"] or first).hex(),
        "hash": bytes(row["hash"]).hex(),
        "index": proof.leaf.position,
        "path": [step.hex() for step in proof.path],
        "head": present_head(proof.head),
        "public_key": receipt.public_key.hex(),
    }


def present_head(head: Head) -> dict[str, Any]:
    """A head as JSON; every field of it is signed, or names the key that did."""
    return {
        "program_id": head.program_id,
        "number": head.number,
        "size": head.size,
        "root": head.root.hex(),
        "at_us": epoch_us(head.at),
        "key_id": head.key_id.hex(),
        "signature": head.signature.hex(),
    }
