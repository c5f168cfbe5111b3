"""What goes over the wire about the audit."""

from marshmallow import Schema, fields

from common.http.fields import Instant, code, query_integer


class AuditQuery(Schema):
    """Of whom, how much, and where to go on."""

    staff = code(load_default=None)
    limit = query_integer(1, 200, load_default=50)
    after = query_integer(1, 2**63 - 1, load_default=None)


class AuditRecordResponse(Schema):
    """One request; `status` is null when its answer was never known."""

    id = fields.Integer(required=True)
    staff = fields.String(required=True)
    method = fields.String(required=True)
    path = fields.String(required=True)
    status = fields.Integer(required=True, allow_none=True)
    request_id = fields.String(required=True)
    at = Instant(required=True)


class AuditResponse(Schema):
    """A page of the audit."""

    records = fields.List(fields.Nested(AuditRecordResponse), required=True)
    next = fields.Integer(required=True, allow_none=True)
