"""What goes over the wire about orders."""

from marshmallow import Schema, fields, validate

from common.http.fields import Instant, code, integer, query_integer, text
from services.redemption.orders.domain import State

_STATES = validate.OneOf([state.value for state in State])


class RedemptionRequest(Schema):
    """Which item, and how many pieces of it."""

    item = code(required=True)
    quantity = integer(1, 100, load_default=1)


class CancellationRequest(Schema):
    """Why; staff must say it."""

    reason = text(200, load_default=None, allow_none=True)


class FulfilmentRequest(Schema):
    """How the item reaches the member."""

    tracking_no = text(64, load_default=None, allow_none=True)
    note = text(500, load_default=None, allow_none=True)


class PriceSchema(Schema):
    """An amount of an asset."""

    asset = fields.String(required=True)
    amount = fields.Integer(required=True)


class OrderResponse(Schema):
    """An order. `price` is what it costs in all, at the item's version of then; `refusal` is the code when refused."""

    order_id = fields.UUID(required=True)
    member_id = fields.Integer(required=True)
    item = fields.String(required=True)
    item_version = fields.Integer(required=True)
    quantity = fields.Integer(required=True)
    price = fields.Nested(PriceSchema, required=True)
    state = fields.String(required=True, validate=_STATES)
    refusal = fields.String(required=True, allow_none=True, attribute="refusal_code")
    created_at = Instant(required=True)
    completed_at = Instant(required=True, allow_none=True)
    cancelled_at = Instant(required=True, allow_none=True)
    cancel_reason = fields.String(required=True, allow_none=True)
    fulfilled_at = Instant(required=True, allow_none=True)
    tracking_no = fields.String(required=True, allow_none=True)
    note = fields.String(required=True, allow_none=True)


class OrdersQuery(Schema):
    """Whose orders (staff only), in which state, where to go on (`next` of the page before), and how many."""

    member_id = query_integer(1, load_default=None)
    state = fields.String(load_default=None, validate=_STATES)
    after = fields.UUID(load_default=None)
    limit = query_integer(1, 100, load_default=20)


class OrderPage(Schema):
    """Orders, newest first; `next` is null on the last page."""

    redemptions = fields.List(fields.Nested(OrderResponse), required=True)
    next = fields.UUID(required=True, allow_none=True)
