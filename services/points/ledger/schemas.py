"""What goes over the wire about accounts, postings, holds and reversals."""

import uuid

from marshmallow import Schema, fields, validate

from common.http.fields import Flag, Instant, code, integer, member_id, query_integer, text
from services.points.ledger.domain import Kind
from services.points.programs.schemas import validity

MOST_LINES = 1000
LONGEST_TTL_SECONDS = 30 * 86_400


class OwnerQuery(Schema):
    """Whose account. Members may leave it out: it is always theirs."""

    member_id = query_integer(1)


class EntriesQuery(OwnerQuery):
    """A page of entries: those with a seq below `before`, newest first."""

    before = query_integer(1, load_default=None)
    limit = query_integer(1, 200, load_default=50)


class StatementQuery(OwnerQuery):
    """A month such as 2026-05; the present one when left out."""

    month = fields.String(load_default=None, validate=validate.Regexp(r"^20\d\d-(0[1-9]|1[0-2])\Z"))


class PostingRequest(Schema):
    """Earn or spend. `validity` (e.g. `30D`, `12M_U`) overrides the asset's, from `earned_at` or now on."""

    member_id = member_id(required=True)
    asset = code(required=True)
    kind = fields.String(required=True, validate=validate.OneOf(["earn", "spend"]))
    amount = integer(1, required=True)
    validity = validity(load_default=None, allow_none=True)
    earned_at = Instant(load_default=None, allow_none=True)
    reason = text(200, shortest=0, load_default="")


class BatchLine(PostingRequest):
    """A posting with its own key."""

    key = fields.String(required=True, validate=validate.Regexp(r"^[!-~]{1,255}\Z"))


class BatchRequest(Schema):
    """Up to 1,000 lines. `atomic`: all or nothing; otherwise each is posted or refused by itself."""

    atomic = Flag(load_default=False)
    lines = fields.List(fields.Nested(BatchLine), required=True, validate=validate.Length(min=1, max=MOST_LINES))


class PostingResponse(Schema):
    """A posting and the account right after it."""

    posting_id = fields.UUID(required=True)
    kind = fields.String(required=True)
    member_id = fields.Integer(required=True)
    asset = fields.String(required=True)
    amount = fields.Integer(required=True, metadata={"description": "Signed: what the balance changed by"})
    seq = fields.Integer(required=True)
    balance = fields.Integer(required=True)
    available = fields.Integer(required=True)
    held = fields.Integer(required=True)
    debt = fields.Integer(required=True)
    at = Instant(required=True)


class LineResult(Schema):
    """What became of one line."""

    key = fields.String(required=True)
    status = fields.String(required=True, metadata={"description": "posted, or the code of the refusal"})
    replayed = fields.Boolean(required=True)
    posting_id = fields.UUID(required=True)
    seq = fields.Integer(required=True, allow_none=True)
    balance = fields.Integer(required=True, allow_none=True)
    available = fields.Integer(required=True, allow_none=True)


class BatchResponse(Schema):
    """One result a line, in the order of the lines."""

    posted = fields.Integer(required=True)
    refused = fields.Integer(required=True)
    results = fields.List(fields.Nested(LineResult), required=True)


class HoldRequest(Schema):
    """Reserve points for at most `ttl_seconds`."""

    member_id = member_id(required=True)
    asset = code(required=True)
    amount = integer(1, required=True)
    ttl_seconds = integer(1, LONGEST_TTL_SECONDS, load_default=900)
    reason = text(200, shortest=0, load_default="")


class HoldResponse(Schema):
    """A hold."""

    hold_id = fields.UUID(required=True)
    member_id = fields.Integer(required=True)
    asset = fields.String(required=True)
    amount = fields.Integer(required=True)
    captured = fields.Integer(required=True)
    state = fields.String(required=True, validate=validate.OneOf(["open", "captured", "voided", "expired"]))
    expires_at = Instant(required=True)
    posting_id = fields.UUID(metadata={"description": "The posting that this answer is about"})
    seq = fields.Integer()


class CaptureRequest(Schema):
    """Spend a hold; without `amount` all of it, with less the rest returns to its lots."""

    member_id = member_id(required=True)
    amount = integer(1, load_default=None, allow_none=True)


class VoidRequest(Schema):
    """Give a hold up."""

    member_id = member_id(required=True)


class ReversalRequest(Schema):
    """Undo a posting, wholly or with `amount` in part. Name it by `posting_id`."""

    member_id = member_id(required=True)
    asset = code(required=True)
    posting_id = fields.UUID(required=True)
    amount = integer(1, load_default=None, allow_none=True)
    reason = text(200, shortest=0, load_default="")


class ExpiringSchema(Schema):
    """Usable until the end of the day `on`, in the program's zone; null never expires."""

    on = fields.Date(required=True, allow_none=True)
    amount = fields.Integer(required=True)


class AccountResponse(Schema):
    """An account by bucket: available + held − debt = balance."""

    asset = fields.String(required=True)
    balance = fields.Integer(required=True)
    available = fields.Integer(required=True)
    held = fields.Integer(required=True)
    debt = fields.Integer(required=True)
    next_expiry = fields.Nested(ExpiringSchema, required=True, allow_none=True)
    lots = fields.List(fields.Nested(ExpiringSchema), required=True)


class AccountListResponse(Schema):
    """Every account of a member."""

    accounts = fields.List(fields.Nested(AccountResponse), required=True)


class EntryResponse(Schema):
    """One line of the journal, with its cause."""

    seq = fields.Integer(required=True)
    kind = fields.Function(lambda row: Kind(row.kind).name.lower(), metadata={"type": "string"}, required=True)
    amount = fields.Integer(required=True)
    held_delta = fields.Integer(required=True)
    balance_after = fields.Integer(required=True)
    held_after = fields.Integer(required=True)
    at = Instant(required=True)
    cause = fields.String(required=True)
    rule_version = fields.Integer(required=True, allow_none=True)
    reverses = fields.Integer(required=True, allow_none=True)
    posting_id = fields.UUID(required=True)
    hash = fields.Function(lambda row: row.hash.hex(), metadata={"type": "string"}, required=True)
    meta = fields.Dict(required=True, allow_none=True)


class EntriesResponse(Schema):
    """A page of the journal; send `next` as `before` to go on."""

    entries = fields.List(fields.Nested(EntryResponse), required=True)
    next = fields.Integer(required=True, allow_none=True)


class StatementResponse(Schema):
    """A month: opening + Σ amounts = closing."""

    asset = fields.String(required=True)
    month = fields.String(required=True)
    opening = fields.Integer(required=True)
    entries = fields.List(fields.Nested(EntryResponse), required=True)
    closing = fields.Integer(required=True)


class TotalsResponse(Schema):
    """An asset's whole life: issued + reversed − redeemed − expired = outstanding."""

    asset = fields.String(required=True)
    members = fields.Integer(required=True)
    issued = fields.Integer(required=True)
    redeemed = fields.Integer(required=True)
    expired = fields.Integer(required=True)
    reversed = fields.Integer(required=True)
    outstanding = fields.Integer(required=True)
    debt = fields.Integer(required=True)
    as_of = Instant(required=True)


def as_uuid(digest: bytes) -> uuid.UUID:
    """The posting or hold id as the wire shows it."""
    return uuid.UUID(bytes=digest)
