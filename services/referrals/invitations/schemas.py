"""What goes over the wire about invitation campaigns and codes."""

from typing import Any

from marshmallow import Schema, fields, post_load

from common.http.fields import Instant, code, integer, text
from services.referrals.invitations.domain import FIRST_PAID_ORDER, Terms
from services.referrals.rewards.schemas import reward


class InvitationCampaignRequest(Schema):
    """A campaign's terms. Limits are of one inviter in this campaign; times may be left open."""

    name = text(100, required=True)
    trigger = text(40, load_default=FIRST_PAID_ORDER)
    minimum_paid_fen = integer(1, load_default=1)
    inviter_reward = reward(1, required=True)
    invitee_reward = reward(1, required=True)
    protect_days = integer(0, 3650, load_default=30)
    hourly_limit = integer(1, 1_000_000, load_default=20)
    monthly_cap = integer(1, 1_000_000, load_default=100)
    starts_at = Instant(load_default=None, allow_none=True)
    ends_at = Instant(load_default=None, allow_none=True)

    @post_load
    def as_terms(self, values: dict[str, Any], **_: Any) -> Terms:
        """The terms as the value that rules work with."""
        return Terms(**values)


class InvitationCampaignResponse(Schema):
    """One version of a campaign."""

    code = fields.String(required=True)
    version = fields.Integer(required=True)
    terms = fields.Nested(InvitationCampaignRequest, required=True)


class InvitationCampaignListResponse(Schema):
    """The campaigns of the program, each in its newest version."""

    campaigns = fields.List(fields.Nested(InvitationCampaignResponse), required=True)


class InvitationRequest(Schema):
    """In which campaign to invite."""

    campaign = code(required=True)


class InvitationResponse(Schema):
    """A member's invitation."""

    campaign = fields.String(required=True)
    code = fields.String(required=True)
