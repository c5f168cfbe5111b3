"""What goes over the wire about freezing."""

from marshmallow import Schema, fields

from common.http.fields import Instant, member_id, text


class FreezeRequest(Schema):
    """Whose account, and why: the reason stands in the account's journal for ever, so name nobody in it."""

    member_id = member_id(required=True)
    reason = text(200, required=True)


class FrozenAccount(Schema):
    """What became of one account; `changed` is false when it stood so already."""

    asset = fields.String(required=True)
    frozen = fields.Boolean(required=True)
    changed = fields.Boolean(required=True)
    posting_id = fields.UUID(required=True, allow_none=True)
    at = Instant(required=True, allow_none=True)


class FreezeResponse(Schema):
    """One account."""

    member_id = fields.Integer(required=True)
    account = fields.Nested(FrozenAccount, required=True)


class FreezeAllResponse(Schema):
    """Every account of the member."""

    member_id = fields.Integer(required=True)
    accounts = fields.List(fields.Nested(FrozenAccount), required=True)
