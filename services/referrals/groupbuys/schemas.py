"""What goes over the wire about group-buys."""

from typing import Any

from marshmallow import Schema, fields, post_load

from common.http.fields import Flag, Instant, code, integer, query_integer, text
from services.referrals.groupbuys.domain import Terms
from services.referrals.rewards.schemas import reward

_THIRTY_DAYS = 30 * 86_400


class GroupbuyCampaignRequest(Schema):
    """What a group-buy is: the item and its price for each, how many it takes, how long it may take, who may join."""

    item = text(100, required=True)
    price_fen = integer(1, required=True)
    size = integer(2, 100, required=True)
    window_seconds = integer(1, _THIRTY_DAYS, load_default=86_400)
    seat_hold_seconds = integer(1, 86_400, load_default=900)
    per_member_limit = integer(1, 1000, load_default=1)
    new_members_only = Flag(load_default=False)
    reward_on_fill = reward(0, load_default=list)
    reward_for_head = reward(0, load_default=list)
    starts_at = Instant(load_default=None, allow_none=True)
    ends_at = Instant(load_default=None, allow_none=True)

    @post_load
    def as_terms(self, values: dict[str, Any], **_: Any) -> Terms:
        """The terms as the value that rules work with."""
        return Terms(**values)


class GroupbuyCampaignResponse(Schema):
    """One version of a campaign."""

    code = fields.String(required=True)
    version = fields.Integer(required=True)
    terms = fields.Nested(GroupbuyCampaignRequest, required=True)


class GroupbuyCampaignListResponse(Schema):
    """The campaigns of the program, each in its newest version."""

    campaigns = fields.List(fields.Nested(GroupbuyCampaignResponse), required=True)


class OpenGroupRequest(Schema):
    """Of which campaign to open a group."""

    campaign = code(required=True)


class SeatResponse(Schema):
    """A seat; `member_id` is null for those outside the group."""

    number = fields.Integer(required=True)
    state = fields.String(required=True)
    member_id = fields.Integer(required=True, allow_none=True)
    refunded = fields.Boolean(required=True)


class MySeatResponse(Schema):
    """My seat: its id goes into the order as `groupbuy_seat`, to be paid until `held_until`."""

    id = fields.UUID(required=True)
    number = fields.Integer(required=True)
    state = fields.String(required=True)
    held_until = Instant(required=True, allow_none=True)
    order_id = fields.String(required=True, allow_none=True)


class GroupResponse(Schema):
    """A group as the caller may see it."""

    id = fields.UUID(required=True, attribute="group.id")
    campaign = fields.String(required=True, attribute="group.campaign")
    version = fields.Integer(required=True, attribute="group.version")
    item = fields.String(required=True, attribute="campaign.terms.item")
    price_fen = fields.Integer(required=True, attribute="campaign.terms.price_fen")
    size = fields.Integer(required=True, attribute="campaign.terms.size")
    state = fields.String(required=True, attribute="group.state")
    opened_at = Instant(required=True, attribute="group.opened_at")
    due_at = Instant(required=True, attribute="group.due_at")
    closed_at = Instant(required=True, allow_none=True, attribute="group.closed_at")
    head_id = fields.Integer(required=True, allow_none=True)
    free_seats = fields.Integer(required=True)
    seats = fields.List(fields.Nested(SeatResponse), required=True)
    my_seat = fields.Nested(MySeatResponse, required=True, allow_none=True)


class GroupsQuery(Schema):
    """The campaign whose groups to join, behind the last group of the page before."""

    campaign = code(required=True)
    limit = query_integer(1, 100, load_default=20)
    after = fields.UUID(load_default=None)


class OpenGroupsResponse(Schema):
    """The open groups in which a member sits."""

    groupbuys = fields.List(fields.Nested(GroupResponse), required=True)


class GroupListResponse(Schema):
    """A page of groups; `next` goes into `after`, null at the end."""

    groupbuys = fields.List(fields.Nested(GroupResponse), required=True)
    next = fields.UUID(required=True, allow_none=True)
