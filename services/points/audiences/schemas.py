"""What goes over the wire about audiences."""

from marshmallow import Schema, fields, validate

from common.http.fields import Instant, member_id, query_integer

MOST_MEMBERS = 1_000
_TEXTS = {"type": "array", "items": {"type": "string"}}


class MembersRequest(Schema):
    """Who is put into the list and who is taken out, up to 1,000 each; who is in or out already stays so."""

    add = fields.List(member_id(), load_default=list, validate=validate.Length(max=MOST_MEMBERS))
    remove = fields.List(member_id(), load_default=list, validate=validate.Length(max=MOST_MEMBERS))


class KeptResponse(Schema):
    """What was changed; `unchanged` members were as wanted already."""

    kind = fields.String(required=True)
    code = fields.String(required=True)
    added = fields.Integer(required=True)
    removed = fields.Integer(required=True)
    unchanged = fields.Integer(required=True)


class MembersQuery(Schema):
    """A page of a list by member id."""

    after = query_integer(0, load_default=0)
    limit = query_integer(1, 1_000, load_default=200)


class StayResponse(Schema):
    """A member in a list, since when, and who put them in."""

    member_id = fields.Integer(required=True)
    since = Instant(required=True)
    added_by = fields.String(required=True)


class MembersResponse(Schema):
    """Who stands in a list; `next` is the `after` of the next page."""

    members = fields.List(fields.Nested(StayResponse), required=True)
    next = fields.Integer(required=True, allow_none=True)


class ListResponse(Schema):
    """A tag or segment."""

    code = fields.String(required=True)
    size = fields.Integer(required=True)
    created_by = fields.String(required=True)
    created_at = Instant(required=True)


class ListsResponse(Schema):
    """The program's tags or segments."""

    lists = fields.List(fields.Nested(ListResponse), required=True)


class MembershipQuery(Schema):
    """At which instant; now when not given."""

    at = Instant(load_default=None)


class MembershipResponse(Schema):
    """Who a member was at an instant, as rules see it."""

    tier = fields.String(required=True, allow_none=True)
    tags = fields.Function(lambda member: sorted(member.tags), metadata=_TEXTS)
    segments = fields.Function(lambda member: sorted(member.segments), metadata=_TEXTS)
