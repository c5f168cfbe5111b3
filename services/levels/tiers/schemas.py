"""What goes over the wire about tiers."""

from typing import Any

from marshmallow import Schema, fields, post_load, validate

from common.http.fields import Instant, code, integer, query_integer, text
from services.levels.fields import RewardField
from services.levels.tiers.domain import Tier


class TierFields(Schema):
    """A rung: the first has growth 0, keep 0 and validity_days 0; every other one a window of at least a day."""

    code = code(required=True)
    name_en = text(40, required=True)
    name_zh = text(40, required=True)
    growth = integer(required=True, metadata={"description": "Growth at which the tier is reached"})
    keep = integer(load_default=0, metadata={"description": "Growth that renews it at the window's end"})
    validity_days = integer(0, 3660, load_default=0, metadata={"description": "Business days of its window"})
    reward = RewardField(shortest=0, load_default=(), metadata={"description": "Once, when first reached"})


class TierRequest(TierFields):
    """A rung to publish."""

    @post_load
    def _tier(self, given: dict[str, Any], **_: Any) -> Tier:
        return Tier(**given)


class LadderRequest(Schema):
    """The whole ladder, lowest tier first."""

    tiers = fields.List(fields.Nested(TierRequest), required=True, validate=validate.Length(min=1, max=30))


class LadderResponse(Schema):
    """A published ladder."""

    version = fields.Integer(required=True)
    since = Instant(required=True)
    tiers = fields.List(fields.Nested(TierFields), required=True)


class TierName(Schema):
    """What a tier is called."""

    code = fields.String(required=True)
    name_en = fields.String(required=True)
    name_zh = fields.String(required=True)


class TierCount(TierName):
    """How many members hold a tier."""

    members = fields.Integer(required=True)


class TierCountsResponse(Schema):
    """Members per tier; facts up to `as_of` are in it."""

    tiers = fields.List(fields.Nested(TierCount), required=True)
    as_of = Instant(required=True)


class ChangesQuery(Schema):
    """Whose; a member may leave it out."""

    member_id = query_integer(1, load_default=None)


class TierChangeResponse(Schema):
    """A decision about a member's tier."""

    number = fields.Integer(required=True)
    kind = fields.String(required=True, validate=validate.OneOf(["promoted", "demoted", "renewed"]))
    from_tier = fields.String(required=True)
    to_tier = fields.String(required=True)
    at = Instant(required=True)
    cause = fields.String(required=True)
    ladder_version = fields.Integer(required=True)
    growth = fields.Integer(required=True)


class TierChangesResponse(Schema):
    """Every decision, newest first."""

    changes = fields.List(fields.Nested(TierChangeResponse), required=True)


class HeldTier(TierName):
    """The tier a member holds, and the growth that keeps it at the window's end."""

    keep = fields.Integer(required=True)


class NextTier(TierName):
    """The tier above, and the growth that reaches it."""

    growth = fields.Integer(required=True)


class PlaceResponse(Schema):
    """A member's place on the ladder. `missing` is the growth the next tier still needs."""

    tier = fields.Nested(HeldTier, required=True, allow_none=True)
    since = Instant(required=True, allow_none=True)
    window_ends_at = Instant(required=True, allow_none=True)
    next_tier = fields.Nested(NextTier, required=True, allow_none=True)
    missing = fields.Integer(required=True, allow_none=True)
