"""What goes over the wire about timelines and explanations."""

from marshmallow import Schema, fields, validate

from common.http.fields import Instant, query_integer
from services.points.ledger.account_schemas import ExpiringSchema


class TimelineQuery(Schema):
    """Whose timeline; members may leave it out. `after` is a page's `next`."""

    member_id = query_integer(1, load_default=None)
    after = fields.String(load_default=None, validate=validate.Length(min=1, max=600))
    limit = query_integer(1, 200, load_default=50)


class CauseSchema(Schema):
    """What caused an item, as a link: an event (source, id), an adjustment, changeset or grant (id), an exchange
    (partner, order), a caller, time.
    """

    kind = fields.String(required=True)
    id = fields.String()
    source = fields.String()
    key = fields.String()
    partner = fields.String()
    order = fields.String()
    text = fields.String()


class TimelineItem(Schema):
    """One thing that happened. Which of the other fields are there depends on its kind."""

    at = Instant(required=True)
    kind = fields.String(required=True)
    cause = fields.Nested(CauseSchema)
    id = fields.String()
    asset = fields.String()
    amount = fields.Integer()
    seq = fields.Integer()
    entry = fields.String()
    held_delta = fields.Integer()
    balance_after = fields.Integer()
    posting_id = fields.String()
    hold_id = fields.String(allow_none=True)
    reverses = fields.Integer(allow_none=True)
    rule_version = fields.Integer(allow_none=True)
    lots = fields.List(fields.Nested(ExpiringSchema), metadata={"description": "What changed its last day, signed"})
    from_on = fields.String(allow_none=True)
    until_on = fields.String(allow_none=True)
    to_on = fields.String(allow_none=True)
    reason_code = fields.String()
    reason = fields.String(allow_none=True)
    to_member_id = fields.Integer()
    from_member_id = fields.Integer()
    available_at = fields.String()
    uncollected = fields.Integer()
    wanted = fields.Integer(metadata={"description": "What was to be earned, where it is more than the amount"})
    capped = fields.String(
        metadata={"description": "Why: `balance`, the asset's most_per_member, or its limit, e.g. `earning_limits.day`"}
    )
    factor = fields.String(allow_none=True)
    campaign = fields.String(allow_none=True)
    variant = fields.String()
    exchange = fields.String()
    agent = fields.String()
    approved_by = fields.String()
    decided_by = fields.String(allow_none=True)
    decision_note = fields.String(allow_none=True)
    note = fields.String()
    evidence = fields.String()
    beyond = fields.String(allow_none=True)
    undoes = fields.String(allow_none=True)
    status = fields.String()
    source = fields.String()
    type = fields.String()
    time = fields.String()
    order_id = fields.Raw(allow_none=True)
    decisions = fields.List(fields.Dict(), allow_none=True)
    reversed = fields.List(fields.Dict(), allow_none=True)
    rule = fields.String()
    refused = fields.String(allow_none=True)
    parts = fields.List(fields.Dict())


class TimelineResponse(Schema):
    """A page, newest first; send `next` as `after` to go on."""

    items = fields.List(fields.Nested(TimelineItem), required=True)
    next = fields.String(required=True, allow_none=True)


class ExplanationQuery(Schema):
    """Which order; with `member_id` it is also said when the order is another member's."""

    order_id = fields.String(required=True, validate=validate.Regexp(r"^[^\x00-\x1f\x7f]{1,128}\Z"))
    member_id = query_integer(1, load_default=None)


class FindingSchema(Schema):
    """One thing to say and what to do, in each language; `event` and `rule` are what it is about.

    What changed an award afterwards is named by `by` (an event's source and id, or who it was) with the instant `at`.
    """

    code = fields.String(required=True)
    en = fields.String(required=True)
    zh = fields.String(required=True)
    next_en = fields.String(required=True)
    next_zh = fields.String(required=True)
    event = fields.String(required=True, allow_none=True)
    rule = fields.String(required=True, allow_none=True)
    asset = fields.String(required=True, allow_none=True)
    amount = fields.Integer(required=True, allow_none=True)
    until = Instant(required=True, allow_none=True)
    by = fields.String(required=True, allow_none=True)
    at = Instant(required=True, allow_none=True)


class OrderTotals(Schema):
    """What the order came to in one asset: awarded − reversed = net, of which `pending` cannot be spent yet."""

    asset = fields.String(required=True)
    awarded = fields.Integer(required=True)
    reversed = fields.Integer(required=True)
    pending = fields.Integer(required=True)
    net = fields.Integer(required=True)


class OrderEventSchema(Schema):
    """An event about the order."""

    source = fields.String(required=True)
    id = fields.String(required=True)
    type = fields.String(required=True)
    member_id = fields.Integer(required=True)
    time = Instant(required=True)
    received_at = Instant(required=True)


class ExplanationResponse(Schema):
    """The outcome first (`verdict` is its code), then what there is to say, event by event and rule by rule."""

    order_id = fields.String(required=True)
    member_id = fields.Integer(required=True, allow_none=True)
    verdict = fields.String(required=True)
    findings = fields.List(fields.Nested(FindingSchema), required=True)
    totals = fields.List(fields.Nested(OrderTotals), required=True)
    events = fields.List(fields.Nested(OrderEventSchema), required=True)
