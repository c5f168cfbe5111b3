"""What goes over the wire about partners and exchanges."""

from typing import Any

from marshmallow import Schema, ValidationError, fields, validates_schema

from common.http.fields import Flag, Instant, code, integer, member_id, query_integer, text
from services.points.exchanges.domain import Direction

#: No rate and amount together leave what every reader keeps exact.
MOST_RATE = 100_000
MOST_AMOUNT = 10_000_000_000


def _cap() -> fields.Integer:
    return integer(1, load_default=None, allow_none=True)


class TermsRequest(Schema):
    """One direction: `points` points are `units` units of the partner's, exactly. Caps count points; none is no cap."""

    points = integer(1, MOST_RATE, required=True)
    units = integer(1, MOST_RATE, required=True)
    most_per_member_day = _cap()
    most_per_member_month = _cap()
    most_per_day = _cap()


class PartnerRequest(Schema):
    """A partner, the API key (of scope `exchange`) that acts for it, and the directions that are open.

    `out`: our points become the partner's units; `in`: the partner's units become points. The asset stays what it was.
    """

    name_en = text(60, required=True)
    name_zh = text(60, required=True)
    asset = code(required=True)
    key_id = code(required=True)
    enabled = Flag(load_default=True)
    out = fields.Nested(TermsRequest, load_default=None, allow_none=True)
    into = fields.Nested(TermsRequest, load_default=None, allow_none=True, data_key=Direction.IN.value)

    @validates_schema
    def _check_open(self, given: dict[str, Any], **_: Any) -> None:
        if given["out"] is None and given["into"] is None:
            raise ValidationError("Say the rate of a direction at least, out or in.", "out")


class TermsResponse(Schema):
    """The rate and the caps of one direction."""

    points = fields.Integer(required=True)
    units = fields.Integer(required=True)
    most_per_member_day = fields.Integer(required=True, allow_none=True)
    most_per_member_month = fields.Integer(required=True, allow_none=True)
    most_per_day = fields.Integer(required=True, allow_none=True)


class PartnerResponse(Schema):
    """A partner; a direction that is null is closed."""

    code = fields.String(required=True)
    name_en = fields.String(required=True)
    name_zh = fields.String(required=True)
    asset = fields.String(required=True)
    key_id = fields.String(required=True)
    enabled = fields.Boolean(required=True)
    out = fields.Nested(TermsResponse, required=True, allow_none=True, attribute="terms.out", dump_default=None)
    into = fields.Nested(
        TermsResponse, required=True, allow_none=True, attribute="terms.in", data_key="in", dump_default=None
    )


class PartnerListResponse(Schema):
    """The partners by code."""

    partners = fields.List(fields.Nested(PartnerResponse), required=True)


class ExchangeRequest(Schema):
    """A member gives `amount`: points when they go `out`, the partner's units when they come `in`.

    `partner_order_id` is the partner's own name for it, for ever.
    """

    partner = code(required=True)
    partner_order_id = text(128, required=True)
    direction = fields.Enum(Direction, by_value=True, required=True)
    member_id = member_id(required=True)
    amount = integer(1, MOST_AMOUNT, required=True)


class ExchangeReversalRequest(Schema):
    """Why, for staff."""

    reason = text(200, shortest=0, load_default="")


class ExchangeResponse(Schema):
    """An exchange: so many points for so many of the partner's units."""

    id = fields.UUID(required=True)
    partner = fields.String(required=True)
    partner_order_id = fields.String(required=True)
    direction = fields.Enum(Direction, by_value=True, required=True)
    member_id = fields.Integer(required=True)
    asset = fields.String(required=True)
    points = fields.Integer(required=True)
    units = fields.Integer(required=True)
    posting_id = fields.UUID(required=True)
    state = fields.Function(
        lambda it: "posted" if it.reversed_at is None else "reversed",
        required=True,
        metadata={"type": "string", "enum": ["posted", "reversed"]},
    )
    made_at = Instant(required=True)
    reversed_at = Instant(required=True, allow_none=True)


class ExchangesQuery(Schema):
    """Whose exchanges, and with which partner; members see their own, a partner's key its partner's."""

    member_id = query_integer(1, load_default=None)
    partner = code(load_default=None)
    after = fields.UUID(load_default=None)
    limit = query_integer(1, 200, load_default=50)


class ExchangeListResponse(Schema):
    """A page, newest first; send `next` as `after` to go on."""

    exchanges = fields.List(fields.Nested(ExchangeResponse), required=True)
    next = fields.UUID(required=True, allow_none=True)
