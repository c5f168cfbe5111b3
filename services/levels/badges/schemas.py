"""What goes over the wire about badges."""

from marshmallow import Schema, fields, validate

from common.http.fields import Instant, code, integer, text
from services.levels.badges.domain import PERIODS


class BadgeRequest(Schema):
    """A badge of the catalogue."""

    name_en = text(40, required=True)
    name_zh = text(40, required=True)
    criteria_en = text(500, required=True)
    criteria_zh = text(500, required=True)
    series = code(load_default=None, allow_none=True)
    level = integer(1, 1000, load_default=None, allow_none=True)
    icon = text(500, load_default=None, allow_none=True, metadata={"description": "Where the picture is"})
    slot = code(load_default=None, allow_none=True, metadata={"description": "Where the front end shows it"})
    period = fields.String(load_default="ever", validate=validate.OneOf(PERIODS))


class HeldBadgeResponse(Schema):
    """A badge on a member. `period` is empty for one earned once for ever, else e.g. `2026-11`."""

    badge = fields.String(required=True)
    period = fields.String(required=True)
    earned_at = Instant(required=True)


class BadgeResponse(BadgeRequest):
    """A badge of the catalogue; `held` only for the member who asks."""

    code = code(required=True)
    held = fields.List(fields.Nested(HeldBadgeResponse))


class BadgeListResponse(Schema):
    """The catalogue."""

    badges = fields.List(fields.Nested(BadgeResponse), required=True)


class BadgeGrantResponse(Schema):
    """One line of history."""

    badge = fields.String(required=True)
    period = fields.String(required=True)
    grant_id = fields.String(required=True)
    cause = fields.String(required=True)
    at = Instant(required=True)
    revoked_at = Instant(required=True, allow_none=True)
    revoked_by = fields.String(required=True, allow_none=True)
    reason = fields.String(required=True, allow_none=True)


class MemberBadgesResponse(Schema):
    """What a member holds, and everything the member was ever given."""

    held = fields.List(fields.Nested(HeldBadgeResponse), required=True)
    history = fields.List(fields.Nested(BadgeGrantResponse), required=True)


class RevocationRequest(Schema):
    """Why a badge is taken."""

    reason = text(500, required=True)


class RevocationResponse(Schema):
    """The history of the badge, the revocation included."""

    history = fields.List(fields.Nested(BadgeGrantResponse), required=True)
