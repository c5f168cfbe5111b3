"""What goes over the wire about events: CloudEvents 1.0 in structured JSON, single or as an array."""

from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from common.http.fields import LARGEST, Instant, document, integer, query_integer, text
from services.points.intake import domain

MOST_EVENTS = 1000

_SUBJECT = r"^(member:[1-9][0-9]{0,14}|(?!member[:/])[a-z][a-z0-9_]{0,31}(/[A-Za-z0-9_-]{1,64})?:[!-~]{1,128})\Z"

#: Events are offered to the neighbours under their type, so nobody outside may speak in the services' own names.
_OUR_OWN = (
    *("ledger.entry", "program.configured", "grant.refused", "reward.granted", "reward.reversed", "list.joined"),
    *domain.OUR_TYPES,
)


_SOURCE = validate.Regexp(
    rf"^(?!{domain.OUR_SOURCES})[!-~]{{1,128}}\Z",
    error=f"Required: 1 to 128 printable characters; sources that begin with {domain.OUR_SOURCES} are our own.",
)


class EventSchema(Schema):
    """A CloudEvent. `subject` is `member:17` or an identity: `customer_id:00123`, `wechat_openid/<appid>:<openid>`.

    `order.paid` data needs `order_id` and `paid_fen`; `order.refunded` needs `order_id`, `refund_id`, `refunded_fen`.
    """

    specversion = fields.String(required=True, validate=validate.Equal("1.0"))
    id = fields.String(required=True, validate=validate.Regexp(r"^[!-~]{1,128}\Z"))
    source = fields.String(required=True, validate=_SOURCE)
    type = fields.String(
        required=True,
        validate=[
            validate.Regexp(r"^[a-z][a-z0-9_.-]{0,63}\Z"),
            validate.NoneOf(_OUR_OWN, error="This type is a fact of our own; an outside event needs another."),
        ],
    )
    subject = fields.String(required=True, validate=validate.Regexp(_SUBJECT))
    time = Instant(required=True)
    datacontenttype = fields.String(validate=validate.Equal("application/json"))
    data = document(load_default=dict)

    @validates_schema
    def _check_data(self, event: dict[str, Any], **_: Any) -> None:
        required = _REQUIRED_DATA.get(event["type"], {})
        errors = {name: [message] for name, check in required.items() if (message := check(event["data"].get(name)))}
        if errors:
            raise ValidationError({"data": errors})


class DecisionSchema(Schema):
    """What one rule decided, and why; `wanted` when a cap or budget let less, `base` and `factor` when multiplied."""

    rule = fields.String(required=True)
    version = fields.Integer(required=True)
    asset = fields.String(required=True)
    amount = fields.Integer(required=True)
    reason = fields.String(required=True)
    wanted = fields.Integer()
    base = fields.Integer()
    factor = fields.String()
    campaign = fields.String()
    variant = fields.String(metadata={"description": "Which variant of the rule's experiment the member has"})


class AmendmentSchema(Schema):
    """What a late event or a refund changed of this event's award: when, by which event, from how much to what.

    `reason` says why it did not grow as far as it should have.
    """

    at = Instant(required=True)
    by = fields.String(required=True)
    rule = fields.String(required=True)
    was = fields.Integer(required=True, data_key="from")
    becomes = fields.Integer(required=True, data_key="to")
    reason = fields.String()


class ReversedSchema(Schema):
    """What a refund took back of which rule's award; `reason` says why when it could not."""

    rule = fields.String(required=True)
    asset = fields.String(required=True)
    amount = fields.Integer(required=True)
    reason = fields.String(required=True, allow_none=True)


class EventResult(Schema):
    """What came of one event."""

    source = fields.String(required=True)
    id = fields.String(required=True)
    member_id = fields.Integer(required=True)
    replayed = fields.Boolean(required=True)
    decisions = fields.List(fields.Nested(DecisionSchema), required=True)
    reversed = fields.List(fields.Nested(ReversedSchema), required=True)
    reason = fields.String(required=True, allow_none=True)
    amended = fields.List(fields.Nested(AmendmentSchema))


class EventResults(Schema):
    """One result an event, in their order."""

    results = fields.List(fields.Nested(EventResult), required=True)


def _check_name(value: str) -> None:
    if message := _name(value):
        raise ValidationError(message)


class ReturnRequest(Schema):
    """A refund as its event would tell it; `time` now, `refund_id` a new one unless given."""

    subject = fields.String(required=True, validate=validate.Regexp(_SUBJECT))
    order_id = fields.String(required=True, validate=_check_name)
    refunded_fen = integer(1, required=True)
    refund_id = fields.String(load_default=None, allow_none=True, validate=_check_name)
    time = Instant(load_default=None, allow_none=True)


class ReturnEffect(Schema):
    """An account that would change: by how much its balance, and how it would stand."""

    asset = fields.String(required=True, attribute="account.asset")
    change = fields.Integer(required=True)
    balance = fields.Integer(required=True, attribute="account.balance")
    available = fields.Integer(required=True, attribute="account.available")
    pending = fields.Integer(required=True, attribute="account.pending")
    held = fields.Integer(required=True, attribute="account.held")
    debt = fields.Integer(required=True, attribute="account.debt")


class ReturnResponse(Schema):
    """What the refund's event would be answered, and every account that would change, also by caps that get free."""

    member_id = fields.Integer(required=True, attribute="result.member_id")
    reversed = fields.List(fields.Nested(ReversedSchema), required=True, attribute="result.reversed")
    reason = fields.String(required=True, allow_none=True, attribute="result.reason")
    accounts = fields.List(fields.Nested(ReturnEffect), required=True, attribute="effects")


class StoredEvent(Schema):
    """An event as it was received, with what came of it and why."""

    source = fields.String(required=True)
    id = fields.String(required=True)
    type = fields.String(required=True)
    member_id = fields.Integer(required=True)
    time = Instant(required=True)
    received_at = Instant(required=True)
    data = fields.Dict(required=True)
    result = fields.Dict(required=True)


class StoredEvents(Schema):
    """Events, newest first."""

    events = fields.List(fields.Nested(StoredEvent), required=True)


class EventsQuery(Schema):
    """A member's newest events, or those that name an order, or the one of `source` and `id`; members see their own."""

    member_id = query_integer(1, load_default=None)
    source = fields.String(load_default=None, validate=validate.Length(min=1, max=128))
    id = fields.String(load_default=None, validate=validate.Length(min=1, max=128))
    order_id = text(128, load_default=None)
    limit = query_integer(1, 200, load_default=50)

    @validates_schema
    def _check_which(self, query: dict[str, Any], **_: Any) -> None:
        one = query["source"] is not None
        others = query["member_id"] is not None or query["order_id"] is not None
        if one != (query["id"] is not None) or (one and others):
            raise ValidationError("Send member_id, or order_id, or source and id.")


def _name(value: Any) -> str | None:
    good = isinstance(value, str) and 0 < len(value) <= 128 and value.isprintable()
    return None if good else "Required: text of 1 to 128 printable characters."


def _fen(value: Any) -> str | None:
    good = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LARGEST
    return None if good else "Required: an integer amount in the smallest unit (分), from 0."


def _positive_fen(value: Any) -> str | None:
    return _fen(value) or (None if value else "Must be more than 0.")


_REQUIRED_DATA = {
    "order.paid": {"order_id": _name, "paid_fen": _fen},
    "order.confirmed": {"order_id": _name},
    "order.refunded": {"order_id": _name, "refund_id": _name, "refunded_fen": _positive_fen},
}


EVENT_DOCUMENT: dict[str, Any] = {
    "type": "object",
    "required": ["specversion", "id", "source", "type", "subject", "time"],
    "additionalProperties": False,
    "properties": {
        "specversion": {"const": "1.0"},
        "id": {"type": "string", "pattern": "^[!-~]{1,128}$"},
        "source": {"type": "string", "pattern": "^[!-~]{1,128}$"},
        "type": {"type": "string", "pattern": "^[a-z][a-z0-9_.-]{0,63}$", "examples": ["order.paid"]},
        "subject": {"type": "string", "examples": ["customer_id:00123", "member:17"]},
        "time": {"type": "string", "format": "date-time"},
        "datacontenttype": {"const": "application/json"},
        "data": {"type": "object", "examples": [{"order_id": "A1", "paid_fen": 12890}]},
    },
}
