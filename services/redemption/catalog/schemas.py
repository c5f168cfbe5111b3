"""What goes over the wire about items."""

from marshmallow import Schema, fields, validate

from common.http.fields import Flag, Instant, code, integer, query_integer, text
from services.redemption.catalog.domain import Availability

MOST_PRICE = 10**12
MOST_STOCK = 10**9


class ItemRequest(Schema):
    """An item's offer and stock. `stock` counts every piece ever put up, the sold ones included."""

    name_en = text(100, required=True)
    name_zh = text(100, required=True)
    description = fields.String(load_default="", validate=validate.Length(max=2000))
    asset = code(load_default="points")
    price = integer(1, MOST_PRICE, required=True)
    stock = integer(0, MOST_STOCK, required=True)
    per_member_limit = integer(1, MOST_STOCK, load_default=None, allow_none=True)
    available_from = Instant(load_default=None, allow_none=True)
    available_until = Instant(load_default=None, allow_none=True)
    active = Flag(load_default=True)


class StockSchema(Schema):
    """Pieces of an item: available = total − reserved − sold."""

    total = fields.Integer(required=True)
    reserved = fields.Integer(required=True)
    sold = fields.Integer(required=True)
    available = fields.Integer(required=True)


class ItemResponse(Schema):
    """An item as it stands, and what a member finds at it: `state`."""

    code = code(required=True)
    version = fields.Integer(required=True)
    name_en = fields.String(required=True, attribute="offer.name_en")
    name_zh = fields.String(required=True, attribute="offer.name_zh")
    description = fields.String(required=True, attribute="offer.description")
    asset = fields.String(required=True, attribute="offer.price.asset")
    price = fields.Integer(required=True, attribute="offer.price.amount")
    per_member_limit = fields.Integer(required=True, allow_none=True, attribute="offer.per_member_limit")
    available_from = Instant(required=True, allow_none=True, attribute="offer.available_from")
    available_until = Instant(required=True, allow_none=True, attribute="offer.available_until")
    active = fields.Boolean(required=True, attribute="offer.active")
    stock = fields.Nested(StockSchema, required=True)
    state = fields.String(required=True, validate=validate.OneOf([state.value for state in Availability]))


class ItemsQuery(Schema):
    """Where to go on (`next` of the page before), and how much."""

    after = fields.String(load_default="", validate=validate.Length(max=64))
    limit = query_integer(1, 200, load_default=50)


class ItemPage(Schema):
    """Items by code; `next` is null on the last page."""

    items = fields.List(fields.Nested(ItemResponse), required=True)
    next = fields.String(required=True, allow_none=True)
