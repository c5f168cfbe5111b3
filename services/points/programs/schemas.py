"""What goes over the wire about programs and assets."""

from typing import Any
from zoneinfo import available_timezones

from marshmallow import Schema, fields, validate

from common.http.fields import Flag, code, text


def validity(**kwargs: Any) -> fields.String:
    """`unlimited`, or a number of days, weeks, months or years, `_U` rounded up to the end of the last one: `12M_U`."""
    return fields.String(validate=validate.Regexp(r"^(unlimited|[1-9][0-9]{0,3}[DWMY](_U)?)\Z"), **kwargs)


class ProgramRequest(Schema):
    """A program's settings."""

    name = text(100, required=True)
    time_zone = fields.String(
        load_default="Asia/Shanghai",
        validate=validate.OneOf(available_timezones(), error="Not an IANA time zone, e.g. Asia/Shanghai."),
    )
    currency = fields.String(load_default="CNY", validate=validate.Regexp(r"^[A-Z]{3}\Z"))


class ProgramResponse(Schema):
    """A program."""

    program_id = fields.Integer(required=True)
    name = fields.String(required=True)
    time_zone = fields.String(required=True)
    currency = fields.String(required=True)


class AssetRequest(Schema):
    """An asset's settings. `validity` is `unlimited` or e.g. `12M`, `30D`, `12M_U` (rounded up to the month's end)."""

    name_en = text(40, required=True)
    name_zh = text(40, required=True)
    debt_allowed = Flag(load_default=False)
    validity = validity(load_default="unlimited")


class AssetResponse(Schema):
    """An asset."""

    code = code(required=True)
    name_en = fields.String(required=True)
    name_zh = fields.String(required=True)
    debt_allowed = fields.Boolean(required=True)
    validity = fields.String(required=True)


class AssetListResponse(Schema):
    """All assets of the program."""

    assets = fields.List(fields.Nested(AssetResponse), required=True)
