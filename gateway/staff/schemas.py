"""What goes over the wire about staff."""

from typing import Any

from marshmallow import Schema, fields, validate

from common.http.fields import Flag, code
from gateway.staff.domain import PASSWORD_LENGTH, ROLES


def password(**kwargs: Any) -> fields.String:
    """A password; never answered, never logged."""
    shortest, longest = PASSWORD_LENGTH
    bounds = validate.Length(min=shortest, max=longest)
    return fields.String(validate=bounds, load_only=True, metadata={"format": "password"}, **kwargs)


def roles(**kwargs: Any) -> "fields.List[str]":
    """Roles of staff."""
    known = fields.String(validate=validate.OneOf(ROLES))
    return fields.List(known, validate=validate.Length(min=1, max=len(ROLES)), **kwargs)


class StaffRequest(Schema):
    """New staff."""

    name = code(required=True)
    roles = roles(required=True)
    password = password(required=True)


class StaffChange(Schema):
    """Roles and state of a person; `password` sets a new one."""

    roles = roles(required=True)
    disabled = Flag(load_default=False)
    password = password(load_default=None)


class StaffResponse(Schema):
    """One person."""

    name = fields.String(required=True)
    roles = fields.Function(
        lambda person: sorted(person.roles), metadata={"type": "array", "items": {"type": "string"}}
    )
    disabled = fields.Boolean(required=True)


class StaffListResponse(Schema):
    """The program's staff."""

    staff = fields.List(fields.Nested(StaffResponse), required=True)
