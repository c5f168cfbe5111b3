"""What goes over the wire about API keys."""

from marshmallow import Schema, fields, validate

from common.http.fields import code, integer
from gateway.keys.domain import DEFAULT_RATE_PER_SECOND, MOST_PER_SECOND, SCOPES


class KeyRequest(Schema):
    """A new key."""

    name = code(required=True)
    scopes = fields.List(
        fields.String(validate=validate.OneOf(SCOPES)),
        required=True,
        validate=validate.Length(min=1, max=len(SCOPES)),
    )
    rate_per_second = integer(1, MOST_PER_SECOND, load_default=DEFAULT_RATE_PER_SECOND)


class KeyResponse(Schema):
    """A key, without its secret."""

    id = fields.String(required=True)
    name = fields.String(required=True)
    scopes = fields.Function(lambda key: sorted(key.scopes), metadata={"type": "array", "items": {"type": "string"}})
    rate_per_second = fields.Integer(required=True)
    generation = fields.Integer(required=True)
    revoked = fields.Boolean(required=True)


class KeyListResponse(Schema):
    """The program's keys."""

    keys = fields.List(fields.Nested(KeyResponse), required=True)


class KeySecretResponse(Schema):
    """A key and its secret, which is never shown again."""

    key = fields.Nested(KeyResponse, required=True)
    secret = fields.String(required=True)
