"""What goes over the wire about deductions. Money is in 分."""

from typing import Any

from marshmallow import Schema, fields

from common.http.fields import Instant, code, integer, member_id, query_integer, text
from services.points.deductions.domain import Limit

#: A million yuan an order, and no rate that would let a product leave what a reader keeps exact.
MOST_FEN = 100_000_000
MOST_POINTS = 10_000_000_000
MOST_RATE = 1_000_000
LONGEST_TTL_SECONDS = 30 * 86_400


def _order_id(**kwargs: Any) -> fields.String:
    return text(128, required=True, **kwargs)


class PolicyRequest(Schema):
    """`points` points are worth `fen` 分, exactly.

    At most `most_percent` % of the order and `most_points` points an order; `least_cash_fen` stay to be paid in money;
    points go by the `step`, and nobody deducts fewer than `least_points`.
    """

    asset = code(required=True)
    points = integer(1, MOST_RATE, required=True)
    fen = integer(1, MOST_RATE, required=True)
    most_percent = integer(0, 100, load_default=100)
    most_points = integer(1, MOST_POINTS, load_default=None, allow_none=True)
    least_cash_fen = integer(0, MOST_FEN, load_default=1)
    step = integer(1, MOST_RATE, load_default=1)
    least_points = integer(1, MOST_RATE, load_default=1)


class PolicyResponse(Schema):
    """The policy in force."""

    version = fields.Integer(required=True)
    asset = fields.String(required=True)
    points = fields.Integer(required=True)
    fen = fields.Integer(required=True)
    most_percent = fields.Integer(required=True)
    most_points = fields.Integer(required=True, allow_none=True)
    least_cash_fen = fields.Integer(required=True)
    step = fields.Integer(required=True)
    least_points = fields.Integer(required=True)
    set_at = Instant(required=True)


class QuoteRequest(Schema):
    """An order's amount after every other discount; without `points`, the most that may be deducted."""

    member_id = member_id(load_default=None, allow_none=True)
    order_fen = integer(1, MOST_FEN, required=True)
    points = integer(1, MOST_POINTS, load_default=None, allow_none=True)


class CapSchema(Schema):
    """One limit: by it alone so many points at most. The lowest of them bite."""

    limit = fields.Enum(Limit, by_value=True, required=True)
    most_points = fields.Integer(required=True)
    bites = fields.Boolean(required=True)


class QuoteResponse(Schema):
    """deducted_fen + cash_fen = order_fen."""

    asset = fields.String(required=True)
    points = fields.Integer(required=True)
    deducted_fen = fields.Integer(required=True)
    cash_fen = fields.Integer(required=True)
    caps = fields.List(fields.Nested(CapSchema), required=True)


class DeductionRequest(Schema):
    """Hold exactly these points for the order, for at most `ttl_seconds`."""

    member_id = member_id(load_default=None, allow_none=True)
    order_id = _order_id()
    order_fen = integer(1, MOST_FEN, required=True)
    points = integer(1, MOST_POINTS, required=True)
    ttl_seconds = integer(60, LONGEST_TTL_SECONDS, load_default=1800)


class DeductionCaptureRequest(Schema):
    """The order was paid. Its amount must be the one that the deduction was made for."""

    member_id = member_id(required=True)
    order_fen = integer(1, MOST_FEN, required=True)


class DeductionVoidRequest(Schema):
    """The order was given up."""

    member_id = member_id(load_default=None, allow_none=True)


class RefundRequest(Schema):
    """So much of the order's whole amount, cash and points together, is refunded now."""

    member_id = member_id(required=True)
    refund_id = text(128, required=True)
    refunded_fen = integer(1, MOST_FEN, required=True)


class RefundResponse(Schema):
    """What the refund gives back: points, worth `deducted_fen` when they were deducted, and the rest in money."""

    refund_id = fields.String(required=True)
    refunded_fen = fields.Integer(required=True)
    points = fields.Integer(required=True)
    deducted_fen = fields.Integer(required=True)
    cash_fen = fields.Integer(required=True)
    made_at = Instant(required=True)


class DeductionQuery(Schema):
    """Whose deduction. Members may leave it out: it is always theirs."""

    member_id = query_integer(1)


class DeductionResponse(Schema):
    """A deduction: `id` is also its hold's in the ledger."""

    id = fields.UUID(required=True, attribute="row.id")
    member_id = fields.Integer(required=True, attribute="row.member_id")
    order_id = fields.String(required=True, attribute="row.order_id")
    order_fen = fields.Integer(required=True, attribute="row.order_fen")
    asset = fields.String(required=True, attribute="row.asset")
    points = fields.Integer(required=True, attribute="row.points")
    deducted_fen = fields.Integer(required=True, attribute="row.deducted_fen")
    cash_fen = fields.Function(
        lambda it: it.row.order_fen - it.row.deducted_fen, required=True, metadata={"type": "integer"}
    )
    policy_version = fields.Integer(required=True, attribute="row.policy_version")
    state = fields.Function(
        lambda it: it.state.name.lower(),
        required=True,
        metadata={"type": "string", "enum": ["open", "captured", "voided", "expired"]},
    )
    expires_at = Instant(required=True)
    refunds = fields.List(fields.Nested(RefundResponse), required=True)
