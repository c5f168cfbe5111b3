"""What goes over the wire about accounts, postings, holds and reversals."""

from json.encoder import encode_basestring

from marshmallow import Schema, fields, validate

from common.http.fields import Flag, Instant, code, integer, member_id, query_integer, text
from services.points.ledger.domain import Outcome, Status
from services.points.programs.schemas import validity

MOST_LINES = 1000
LONGEST_TTL_SECONDS = 30 * 86_400
CAPPED = "`balance`, the asset's most_per_member, or the limit that was reached, such as `earning_limits.day`"
_HOLD_STATES = ["open", "captured", "voided", "expired", "released"]


class OwnerQuery(Schema):
    """Whose account. Members may leave it out: it is always theirs."""

    member_id = query_integer(1)


class PostingRequest(Schema):
    """Earn or spend.

    `validity` (e.g. `30D`, `12M_U`) overrides the asset's, from `earned_at` or now on. What is earned is pending until
    `available_at`, without it as long as the asset's rule says; its validity then counts from that day.
    """

    member_id = member_id(required=True)
    asset = code(required=True)
    kind = fields.String(required=True, validate=validate.OneOf(["earn", "spend"]))
    amount = integer(1, required=True)
    validity = validity(load_default=None, allow_none=True)
    earned_at = Instant(load_default=None, allow_none=True)
    available_at = Instant(load_default=None, allow_none=True)
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
    wanted = fields.Integer(
        required=True,
        allow_none=True,
        metadata={"description": "What was to be earned, where the asset's settings left room for less"},
    )
    capped = fields.String(
        required=True, allow_none=True, metadata={"description": f"Why it is less than wanted: {CAPPED}"}
    )
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
    amount = fields.Integer(metadata={"description": "What was earned, where it was less than wanted"})
    wanted = fields.Integer()
    capped = fields.String(metadata={"description": f"Why it was less: {CAPPED}"})


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
    """A hold: `spending` reserves points, `pending` is an earning that becomes available at `expires_at`.

    Of a pending one, `captured` is what reversals have taken back.
    """

    hold_id = fields.UUID(required=True)
    purpose = fields.String(required=True, validate=validate.OneOf(["spending", "pending"]))
    member_id = fields.Integer(required=True)
    asset = fields.String(required=True)
    amount = fields.Integer(required=True)
    captured = fields.Integer(required=True)
    state = fields.String(required=True, validate=validate.OneOf(_HOLD_STATES))
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
    """Undo a posting, wholly or with `amount` in part. Name it by `posting_id`.

    `up_to` takes what is left when that is less than the amount, and is refused only when nothing is left.
    """

    member_id = member_id(required=True)
    asset = code(required=True)
    posting_id = fields.UUID(required=True)
    amount = integer(1, load_default=None, allow_none=True)
    up_to = Flag(load_default=False)
    reason = text(200, shortest=0, load_default="")


class DeferralRequest(Schema):
    """When a pending earning becomes available; without an instant, now."""

    member_id = member_id(required=True)
    available_at = Instant(load_default=None, allow_none=True)


class TransferRequest(Schema):
    """A gift. Members give what is theirs, so they may leave `member_id` out; systems name the giver.

    With a price it would be a sale, which is prohibited: it is asked here so that it is refused by name.
    """

    to_member_id = member_id(required=True)
    member_id = member_id(load_default=None, allow_none=True)
    asset = code(required=True)
    amount = integer(1, required=True)
    price_fen = integer(load_default=None, allow_none=True, metadata={"description": "Any price is refused"})
    reason = text(200, shortest=0, load_default="")


def result_text(key: str, status: str, outcome: Outcome) -> str:
    """A `LineResult` as JSON. To dump a thousand of them takes three times as long as to write them out."""
    figures = '"seq":null,"balance":null,"available":null'
    if outcome.status == Status.POSTED:
        figures = f'"seq":{outcome.seq},"balance":{outcome.balance},"available":{outcome.available}'
        if outcome.wanted is not None:
            figures += f',"amount":{outcome.amount},"wanted":{outcome.wanted},"capped":"{outcome.capped}"'
    return (
        f'{{"key":{encode_basestring(key)},"status":"{status}","replayed":{"true" if outcome.replayed else "false"},'
        f'"posting_id":"{uuid_text(outcome.posting_id)}",{figures}}}'
    )


def uuid_text(digest: bytes) -> str:
    """The posting or hold id as the wire shows it; by way of a UUID it would take three times as long."""
    digits = digest.hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
