"""What goes over the wire about the audit log. Bytes are lower-case hexadecimal."""

from typing import Any

from marshmallow import Schema, fields

from common.clock import epoch_us
from common.http.fields import Instant, code, query_integer


class Hex(fields.Field[bytes]):
    """Bytes in lower-case hexadecimal."""

    def __init__(self, **kwargs: Any) -> None:
        metadata = {"type": "string", "pattern": "^[0-9a-f]*$", **kwargs.pop("metadata", {})}
        super().__init__(metadata=metadata, **kwargs)

    def _serialize(self, value: bytes | None, attr: str | None, obj: Any, **_: Any) -> str | None:
        return None if value is None else bytes(value).hex()


class HeadsQuery(Schema):
    """A page of heads: those with a number below `before`, newest first."""

    before = query_integer(1, load_default=None)
    limit = query_integer(1, 200, load_default=50)


class InclusionQuery(Schema):
    """Which entry, and under which head (by its size; the newest when left out)."""

    member_id = query_integer(1)
    asset = code(required=True)
    seq = query_integer(1, required=True)
    size = query_integer(1, load_default=None)


class ConsistencyQuery(Schema):
    """Two heads by their sizes, the earlier first."""

    first = query_integer(1, required=True)
    second = query_integer(1, required=True)


class ReceiptQuery(Schema):
    """Whose entry. Members may leave it out: it is always theirs."""

    member_id = query_integer(1)


class HeadResponse(Schema):
    """A signed head: at that instant the program's log had `size` leaves under `root`."""

    program_id = fields.Integer(required=True)
    number = fields.Integer(required=True, metadata={"description": "Counts from 1 without gaps"})
    size = fields.Integer(required=True)
    root = Hex(required=True)
    at = Instant(required=True)
    at_us = fields.Function(
        lambda head: epoch_us(head.at),
        required=True,
        metadata={"type": "integer", "description": "The same instant as it is signed: µs since 1970 UTC"},
    )
    key_id = Hex(required=True)
    signature = Hex(required=True, metadata={"description": "Ed25519 over 76 bytes, see docs/receipts.md"})


class HeadsResponse(Schema):
    """A page of heads; `next` goes into `before`."""

    heads = fields.List(fields.Nested(HeadResponse), required=True)
    next = fields.Integer(required=True, allow_none=True)


class KeyResponse(Schema):
    """A public key that signed heads since an instant; `key_id` is its SHA-256."""

    key_id = Hex(required=True)
    public_key = Hex(required=True)
    since = Instant(required=True)


class KeysResponse(Schema):
    """Every key, oldest first."""

    keys = fields.List(fields.Nested(KeyResponse), required=True)


class LeafResponse(Schema):
    """A sealed entry: its key, and the chain hash it had; the leaf's bytes are in docs/receipts.md."""

    index = fields.Integer(required=True, attribute="position")
    member_id = fields.Integer(required=True)
    asset_id = fields.Integer(required=True)
    seq = fields.Integer(required=True)
    hash = Hex(required=True)


class InclusionResponse(Schema):
    """That an entry is under a head; `path` from the leaf's neighbour up."""

    leaf = fields.Nested(LeafResponse, required=True)
    path = fields.List(Hex(), required=True)
    head = fields.Nested(HeadResponse, required=True)


class ConsistencyResponse(Schema):
    """That the log of the second head begins with that of the first."""

    first = fields.Nested(HeadResponse, required=True)
    second = fields.Nested(HeadResponse, required=True)
    path = fields.List(Hex(), required=True)


class ReceiptResponse(Schema):
    """All that proves one entry without us; check it with tools/verify_receipt."""

    format = fields.String(required=True)
    entry = fields.Dict(required=True)
    previous = fields.String(required=True)
    hash = fields.String(required=True)
    index = fields.Integer(required=True)
    path = fields.List(fields.String(), required=True)
    head = fields.Dict(required=True)
    public_key = fields.String(required=True)
