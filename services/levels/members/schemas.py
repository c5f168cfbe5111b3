"""What goes over the wire about members."""

from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load, validate, validates_schema

from common.http.fields import Flag, Instant, member_id, text
from services.levels.badges.schemas import HeldBadgeResponse
from services.levels.checkins.schemas import StreakResponse
from services.levels.members.domain import NEEDS_APP, IdentityKey, Person
from services.levels.tiers.schemas import PlaceResponse

MOST_IDENTITIES = 1000


class IdentityFields(Schema):
    """An identity: `{"type": "wechat_openid", "app": "wx12…", "value": "o6_bm…"}`; an openid needs its app.

    Types are the brand's own: `customer_id`, `wechat_unionid`, `phone_hash`, `anonymous_id`, `cookie_id`, …
    """

    type = fields.String(required=True, validate=validate.Regexp(r"^[a-z][a-z0-9_]{0,31}\Z"))
    app = text(64, shortest=0, load_default="", allow_none=True)
    value = text(255, required=True)

    @validates_schema
    def _with_app(self, given: dict[str, Any], **_: Any) -> None:
        if given["type"] in NEEDS_APP and not given["app"]:
            raise ValidationError("This type of identity needs the app it was given for.", "app")


def _key(given: dict[str, Any]) -> IdentityKey:
    return IdentityKey(given["type"], given["app"] or "", given["value"])


class IdentityRequest(IdentityFields):
    """One identity of a member."""

    @post_load
    def _made(self, given: dict[str, Any], **_: Any) -> IdentityKey:
        return _key(given)


class PersonRequest(IdentityFields):
    """An identity, and with `union` the unionid that came with it."""

    union = text(255, load_default=None, allow_none=True)

    @post_load
    def _person(self, given: dict[str, Any], **_: Any) -> Person:
        first = _key(given)
        union = given["union"]
        return (first, IdentityKey("wechat_unionid", "", union)) if union else (first,)


class ResolutionRequest(Schema):
    """Persons to resolve, each by an identity; with `create`, strangers become members who joined at `joined_at`."""

    identities = fields.List(
        fields.Nested(PersonRequest), required=True, validate=validate.Length(min=1, max=MOST_IDENTITIES)
    )
    create = Flag(required=True)
    joined_at = Instant(load_default=None, allow_none=True)


class ResolvedMember(Schema):
    """Whom an identity leads to; null when nobody."""

    member_id = fields.Integer(required=True, allow_none=True)
    created = fields.Boolean(required=True)


class ResolutionResponse(Schema):
    """The members, in the order of the identities."""

    members = fields.List(fields.Nested(ResolvedMember), required=True)


class PresenceRequest(Schema):
    """Numbers that may be members."""

    member_ids = fields.List(
        member_id(required=True), required=True, validate=validate.Length(min=1, max=MOST_IDENTITIES)
    )


class PresenceResponse(Schema):
    """Those that are."""

    member_ids = fields.List(fields.Integer(), required=True)


class MemberRequest(Schema):
    """All identities of one person."""

    identities = fields.List(fields.Nested(IdentityRequest), required=True, validate=validate.Length(min=1, max=20))
    joined_at = Instant(load_default=None, allow_none=True)


class MemberQuery(IdentityRequest):
    """By which identity."""


class ProfileResponse(Schema):
    """A member."""

    member_id = fields.Integer(required=True, attribute="member.member_id")
    joined_at = Instant(required=True, attribute="member.joined_at")
    growth = fields.Integer(required=True, attribute="place.growth")
    tier = fields.Nested(PlaceResponse, required=True, attribute="place")
    badges = fields.List(fields.Nested(HeldBadgeResponse), required=True)
    streaks = fields.List(fields.Nested(StreakResponse), required=True)
