"""What goes over the wire about sessions."""

from marshmallow import Schema, fields, validate

from common.http.fields import Instant, code, text
from gateway.auth.login import PROVIDERS
from gateway.staff.schemas import password


class MemberSessionRequest(Schema):
    """A member's proof: the code that `wx.login` gave the mini-program, or in a sandbox `sandbox:<name>`."""

    program = code(required=True)
    provider = fields.String(load_default="wechat", validate=validate.OneOf(PROVIDERS))
    code = text(128, required=True)


class MemberSessionResponse(Schema):
    """A member's token, for `Authorization: Bearer`."""

    token = fields.String(required=True)
    expires_at = Instant(required=True)
    member_id = fields.Integer(required=True, attribute="identity.member_id")


class StaffSessionRequest(Schema):
    """A staff member's proof."""

    program = code(required=True)
    name = code(required=True)
    password = fields.String(
        required=True, load_only=True, validate=validate.Length(min=1, max=128), metadata={"format": "password"}
    )


class StaffSessionResponse(Schema):
    """A staff token, for `Authorization: Bearer`."""

    token = fields.String(required=True)
    expires_at = Instant(required=True)
    name = fields.String(required=True, attribute="identity.subject")
    roles = fields.Function(
        lambda made: sorted(made.identity.roles), metadata={"type": "array", "items": {"type": "string"}}
    )


class PasswordRequest(Schema):
    """The password as it is and as it shall be."""

    current_password = fields.String(
        required=True, load_only=True, validate=validate.Length(min=1, max=128), metadata={"format": "password"}
    )
    new_password = password(required=True)


class CallerResponse(Schema):
    """Who the credentials belong to."""

    kind = fields.String(required=True, validate=validate.OneOf(("member", "staff", "system")))
    program_id = fields.Integer(required=True)
    subject = fields.String(required=True, metadata={"description": "Member id, staff name or key id"})
    roles = fields.Function(
        lambda caller: sorted(caller.roles), metadata={"type": "array", "items": {"type": "string"}}
    )
