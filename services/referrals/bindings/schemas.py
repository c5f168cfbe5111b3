"""What goes over the wire about bindings."""

from typing import Any

from marshmallow import Schema, fields, post_load, validate

from common.http import fields as bounded
from common.http.fields import Instant, query_integer, text
from services.referrals.bindings.domain import State


class BindRequest(Schema):
    """The code that was given, the channel it came by, and which poster or group it was."""

    code = text(16, required=True)
    channel = bounded.code(load_default=None, allow_none=True)
    touch = text(64, load_default=None, allow_none=True)


class MyBindingResponse(Schema):
    """A member's own binding; who invited them is not said."""

    id = fields.String(required=True)
    campaign = fields.String(required=True)
    code = fields.String(required=True)
    state = fields.String(required=True)
    bound_at = Instant(required=True)
    protected_until = Instant(required=True)


class BindingResponse(MyBindingResponse):
    """A binding as staff see it."""

    inviter_id = fields.Integer(required=True)
    invitee_id = fields.Integer(required=True, attribute="member_id")
    version = fields.Integer(required=True)
    channel = fields.String(required=True, allow_none=True)
    touch = fields.String(required=True, allow_none=True)
    reason = fields.String(required=True, allow_none=True)
    order_id = fields.String(required=True, allow_none=True)
    qualified_at = Instant(required=True, allow_none=True)
    reviewed_by = fields.String(required=True, allow_none=True)
    review_note = fields.String(required=True, allow_none=True)


class BindingsQuery(Schema):
    """Which bindings: those in a state, behind the last id of the page before."""

    state = fields.String(load_default=State.HELD.value, validate=validate.OneOf([state.value for state in State]))
    limit = query_integer(1, 500, load_default=100)
    after = fields.String(load_default=None, validate=validate.Regexp(r"^[1-9]\d{0,15}-[1-9]\d{0,8}\Z"))

    @post_load
    def as_values(self, query: dict[str, Any], **_: Any) -> dict[str, Any]:
        """The state and the place as values that rules work with."""
        after = query["after"] and tuple(map(int, query["after"].split("-")))
        return {**query, "state": State(query["state"]), "after": after}


class BindingListResponse(Schema):
    """A page of bindings; `next` goes into `after`, null at the end."""

    bindings = fields.List(fields.Nested(BindingResponse), required=True)
    next = fields.String(required=True, allow_none=True)


class ReviewRequest(Schema):
    """What was decided about a held binding, and why."""

    decision = fields.String(required=True, validate=validate.OneOf(["approve", "reject"]))
    note = text(500, required=True)


class TallyResponse(Schema):
    """An invitation of mine and what it brought."""

    campaign = fields.String(required=True)
    code = fields.String(required=True)
    bound = fields.Integer(required=True)
    qualified = fields.Integer(required=True)
    held = fields.Integer(required=True)
    revoked = fields.Integer(required=True)


class RelationsResponse(Schema):
    """Who brought a member, null for nobody; the newest whom they brought; their invitations with all they brought."""

    invited_by = fields.Nested(BindingResponse, required=True, allow_none=True)
    invited = fields.List(fields.Nested(BindingResponse), required=True)
    invitations = fields.List(fields.Nested(TallyResponse), required=True, attribute="tallies")


class TallyListResponse(Schema):
    """My invitations."""

    invitations = fields.List(fields.Nested(TallyResponse), required=True)
