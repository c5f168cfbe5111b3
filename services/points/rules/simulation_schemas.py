"""What goes over the wire about the simulation of a rule."""

from typing import Any

from marshmallow import Schema, fields, post_load

from common.http.fields import Instant, code, document, member_id
from services.points.audiences.domain import Membership
from services.points.rules.document_schemas import EVENT_TYPE, FrequencyDocument, codes

_TEXTS = {"type": "array", "items": {"type": "string"}}


class MemberDocument(Schema):
    """A made-up member."""

    tier = code(load_default=None, allow_none=True)
    tags = codes()
    segments = codes()

    @post_load
    def _membership(self, data: dict[str, Any], **_: Any) -> Membership:
        return Membership(data["tier"], frozenset(data["tags"]), frozenset(data["segments"]))


class SimulationRequest(Schema):
    """One event, made up by hand; for a member as they were at its time, or for a made-up one."""

    type = fields.String(required=True, validate=EVENT_TYPE)
    time = Instant(load_default=None, allow_none=True)
    data = document(load_default=dict)
    member_id = member_id(load_default=None, allow_none=True)
    member = fields.Nested(MemberDocument, load_default=None, allow_none=True)


class CapResponse(Schema):
    """A cap, the window in which the event falls, and whether it cuts the award when nothing was awarded there yet."""

    per = fields.String(required=True)
    of = fields.String(required=True)
    amount = fields.Integer(required=True)
    window = fields.String(required=True)
    cuts = fields.Boolean(required=True)


class DecisionResponse(Schema):
    """What a rule decided and why.

    `base` is what the rule itself gives, `factor` what `campaign` multiplied it by, `wanted` what its group lets stand,
    `amount` what is left of it under caps and budget when nothing was awarded before. `version` null: the draft.
    """

    rule = fields.String(required=True)
    kind = fields.String(required=True)
    version = fields.Integer(required=True, allow_none=True)
    asset = fields.String(required=True)
    base = fields.Integer(required=True)
    factor = fields.String(required=True, allow_none=True)
    campaign = fields.String(required=True, allow_none=True)
    wanted = fields.Integer(required=True)
    amount = fields.Integer(required=True)
    reason = fields.String(required=True)
    priority = fields.Integer(required=True)
    group = fields.String(required=True, allow_none=True)
    mode = fields.String(required=True, allow_none=True)
    validity = fields.String(required=True, allow_none=True)
    pending = fields.String(required=True, allow_none=True)
    caps = fields.List(fields.Nested(CapResponse), required=True)
    frequency = fields.Nested(FrequencyDocument, required=True)
    budget = fields.Integer(required=True, allow_none=True)
    variant = fields.String(required=True, allow_none=True)


class VariantResponse(Schema):
    """What the draft decides for members of one variant of its experiment."""

    variant = fields.String(required=True)
    weight = fields.Integer(required=True)
    amount = fields.Integer(required=True)
    reason = fields.String(required=True)


class SimulatedMember(Schema):
    """Who the member was taken for."""

    tier = fields.String(required=True, allow_none=True)
    tags = fields.Function(lambda member: sorted(member.tags), metadata=_TEXTS)
    segments = fields.Function(lambda member: sorted(member.segments), metadata=_TEXTS)


class SimulationResponse(Schema):
    """What the draft decides for the event, and with it every live rule of the event's type.

    Without `member_id` the member has the first variant of every experiment; `variants` are those of the draft's.
    """

    rule = fields.String(required=True)
    version = fields.Integer(required=True, allow_none=True)
    asset = fields.String(required=True)
    amount = fields.Integer(required=True)
    reason = fields.String(required=True)
    member = fields.Nested(SimulatedMember, required=True)
    decisions = fields.List(fields.Nested(DecisionResponse), required=True)
    variants = fields.List(fields.Nested(VariantResponse), required=True)
