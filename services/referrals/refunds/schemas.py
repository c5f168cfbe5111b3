"""What goes over the wire about refund requests."""

from typing import Any

from marshmallow import Schema, fields, post_load, validate

from common.http.fields import Instant, query_integer, text
from services.referrals.refunds.domain import State


class RefundsQuery(Schema):
    """Which requests: all, or those in a state, behind the last order of the page before."""

    state = fields.String(load_default=None, validate=validate.OneOf([state.value for state in State]))
    limit = query_integer(1, 500, load_default=100)
    after = text(128, load_default=None)

    @post_load
    def as_values(self, query: dict[str, Any], **_: Any) -> dict[str, Any]:
        """The state as the value that rules work with."""
        return {**query, "state": query["state"] and State(query["state"])}


class RefundResponse(Schema):
    """A refund request."""

    order_id = fields.String(required=True)
    member_id = fields.Integer(required=True)
    amount_fen = fields.Integer(required=True)
    reason = fields.String(required=True)
    groupbuy = fields.UUID(required=True, allow_none=True)
    state = fields.String(required=True)
    requested_at = Instant(required=True)
    done_at = Instant(required=True, allow_none=True)
    done_by = fields.String(required=True, allow_none=True)


class RefundListResponse(Schema):
    """A page of requests; `next` goes into `after`, null at the end."""

    refunds = fields.List(fields.Nested(RefundResponse), required=True)
    next = fields.String(required=True, allow_none=True)
