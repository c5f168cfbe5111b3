"""What goes over the wire about programs and assets."""

from typing import Any
from zoneinfo import available_timezones

from marshmallow import Schema, fields, post_load, validate

from common.http.fields import Flag, code, integer, text
from services.points.programs.domain import Limits

_MONTH_DAY = "(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
_PERIOD = (
    "unlimited|([3-9][0-9]|[1-9][0-9]{2,8})s(_[UD])?|[1-9][0-9]{0,6}[mh](_[UD])?|[1-9][0-9]{0,3}[DWMQHY](_[UD])?"
    rf"|until:2[01][0-9]{{2}}-{_MONTH_DAY}|dates:{_MONTH_DAY}(,{_MONTH_DAY}){{0,19}}"
)
_DAYS = "36[0-6]|3[0-5][0-9]|[12][0-9]{2}|[1-9][0-9]?"
_NOT_A_VALIDITY = "Say unlimited, a period such as 12h, 30D, 2Q_U or 1Y_D, until:2026-12-31, or dates:06-30,12-31."
_NOT_THE_ASSETS = f"{_NOT_A_VALIDITY[:-1]}; or idle:6M."


def validity(**kwargs: Any) -> fields.String:
    """Of a rule or an earning: `unlimited`, `12M`, `_U` up to the end of the last unit, `_D` down to its beginning."""
    return fields.String(validate=validate.Regexp(rf"^({_PERIOD})\Z", error=_NOT_A_VALIDITY), **kwargs)


def asset_validity(**kwargs: Any) -> fields.String:
    """As `validity`, or `idle:6M`: so long after the last earn or spend."""
    pattern = rf"^({_PERIOD}|idle:[1-9][0-9]{{0,3}}[DWMQHY])\Z"
    return fields.String(validate=validate.Regexp(pattern, error=_NOT_THE_ASSETS), **kwargs)


def pending(**kwargs: Any) -> fields.String:
    """`none`, `7D`, `until:2026-12-01`, or a type of event and days: `order.confirmed+7D`."""
    pattern = validate.Regexp(
        rf"^(none|({_DAYS})D|until:2[01][0-9]{{2}}-{_MONTH_DAY}|[a-z][a-z0-9_.-]{{0,63}}\+(0|{_DAYS})D)\Z",
        error="Say none, up to 366 days such as 7D, until:2026-12-01, or an event and days: order.confirmed+7D.",
    )
    return fields.String(validate=pattern, **kwargs)


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


class LimitsSchema(Schema):
    """The most that one posting may be, and all of a member's in a day, week (from Monday), month or year."""

    posting = integer(1, load_default=None, allow_none=True)
    day = integer(1, load_default=None, allow_none=True)
    week = integer(1, load_default=None, allow_none=True)
    month = integer(1, load_default=None, allow_none=True)
    year = integer(1, load_default=None, allow_none=True)

    @post_load
    def _limits(self, data: dict[str, int | None], **_: Any) -> Limits | None:
        return Limits(**data) if any(data.values()) else None


class AssetRequest(Schema):
    """An asset's settings.

    `validity`: `unlimited`, a period such as `12h` (to the end of the day it ends on), `30D`, `2Q_U` (up to the
    quarter's end) or `1Y_D` (to this year's end), `until:2026-12-31`, `dates:06-30,12-31` (the next of them), or
    `idle:6M` after the last earn or spend. `pending`: what is earned becomes available at
    once (`none`), after `7D`, on a day (`until:2026-12-01`), or days after an event that names its order, or else the
    event that earned it (`order.confirmed+7D`, `review.approved+0D`). `grace_days`: points that come back expired are
    good for so long. `most_per_member`: what a member may have, held and pending included; what is earned beyond it is
    cut, and says so; a gift beyond it is refused; what comes back is never cut. `returns`: an order's refund takes back
    what rules gave for it, also what is `available` by now, or only while it is `pending`. `earning_limits`: what is
    earned beyond a period's is cut and says so, a posting beyond its own is refused; what was taken back counts no
    more. `spending_limits`: what goes beyond one is refused; a hold counts from when it is made until it is voided.
    """

    name_en = text(40, required=True)
    name_zh = text(40, required=True)
    unit_en = text(20, shortest=0, load_default="")
    unit_zh = text(20, shortest=0, load_default="")
    scale = integer(0, 4, load_default=0, metadata={"description": "Digits behind the point when it is shown"})
    debt_allowed = Flag(load_default=False)
    validity = asset_validity(load_default="unlimited")
    pending = pending(load_default="none")
    grace_days = integer(0, 366, load_default=0)
    transferable = Flag(load_default=False)
    transfer_most = integer(1, load_default=None, allow_none=True)
    transfer_most_per_day = integer(1, load_default=None, allow_none=True)
    most_per_member = integer(1, load_default=None, allow_none=True)
    returns = fields.String(load_default="available", validate=validate.OneOf(["available", "pending"]))
    earning_limits = fields.Nested(LimitsSchema, load_default=None, allow_none=True)
    spending_limits = fields.Nested(LimitsSchema, load_default=None, allow_none=True)


class AssetResponse(Schema):
    """An asset."""

    code = code(required=True)
    name_en = fields.String(required=True)
    name_zh = fields.String(required=True)
    unit_en = fields.String(required=True)
    unit_zh = fields.String(required=True)
    scale = fields.Integer(required=True)
    debt_allowed = fields.Boolean(required=True)
    validity = fields.String(required=True)
    pending = fields.String(required=True)
    grace_days = fields.Integer(required=True)
    transferable = fields.Boolean(required=True)
    transfer_most = fields.Integer(required=True, allow_none=True)
    transfer_most_per_day = fields.Integer(required=True, allow_none=True)
    most_per_member = fields.Integer(required=True, allow_none=True)
    returns = fields.String(required=True)
    earning_limits = fields.Nested(LimitsSchema, required=True, allow_none=True)
    spending_limits = fields.Nested(LimitsSchema, required=True, allow_none=True)


class AssetListResponse(Schema):
    """All assets of the program."""

    assets = fields.List(fields.Nested(AssetResponse), required=True)
