"""What goes over the wire about daily figures and the trial balance."""

from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load, validates_schema

from common.http.fields import Instant, query_integer
from common.http.spreadsheets import Heading
from services.points.figures.domain import Rate

MOST_POINTS = 1_000_000
_DAY = {"pattern": r"^2[01]\d\d-[01]\d-[0-3]\d$"}


class Day(fields.Date):
    """A business day of the years 2000 to 2199."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        day = super()._deserialize(value, attr, data, **kwargs)
        if not 2000 <= day.year < 2200:
            raise ValidationError("The year must be between 2000 and 2199.")
        return day


class LiabilityQuery(Schema):
    """Business days `from` to `to`, both included; the last 30 when left out.

    `rate_points` points are worth `rate_fen` 分: without both the answer speaks of points only.
    """

    first = Day(data_key="from", load_default=None, metadata=_DAY)
    last = Day(data_key="to", load_default=None, metadata=_DAY)
    rate_points = query_integer(1, MOST_POINTS, load_default=None)
    rate_fen = query_integer(1, MOST_POINTS, load_default=None)

    @validates_schema
    def _check_rate(self, given: dict[str, Any], **_: Any) -> None:
        if (given.get("rate_points") is None) != (given.get("rate_fen") is None):
            missing = "rate_fen" if given.get("rate_fen") is None else "rate_points"
            raise ValidationError("A rate is both: how many points, and how many fen they are worth.", missing)

    @post_load
    def _to_rate(self, given: dict[str, Any], **_: Any) -> dict[str, Any]:
        points, fen = given.pop("rate_points"), given.pop("rate_fen")
        return {**given, "rate": Rate(points, fen) if points else None}


class RateSchema(Schema):
    """`points` are worth `fen` 分."""

    points = fields.Integer(required=True)
    fen = fields.Integer(required=True)


class LiabilityDay(Schema):
    """A day: outstanding grew by issued + returned + adjusted + transferred_in, less the others."""

    day = fields.Date(required=True)
    issued = fields.Integer(required=True)
    redeemed = fields.Integer(required=True, metadata={"description": "Spent and captured"})
    expired = fields.Integer(required=True, metadata={"description": "Breakage"})
    clawed_back = fields.Integer(required=True, metadata={"description": "Reversals of earnings"})
    returned = fields.Integer(required=True, metadata={"description": "Reversals of spendings"})
    adjusted = fields.Integer(required=True, metadata={"description": "By staff, net, signed"})
    transferred_in = fields.Integer(required=True)
    transferred_out = fields.Integer(required=True)
    pending = fields.Integer(required=True, metadata={"description": "Not yet available, at the day's end"})
    held = fields.Integer(required=True, metadata={"description": "Held for redemptions, at the day's end"})
    outstanding = fields.Integer(required=True, metadata={"description": "What members own at the day's end"})
    liability_fen = fields.Integer(required=True, allow_none=True, metadata={"description": "Rounded down"})


class LiabilityResponse(Schema):
    """An asset's days, as of the instant of asking: every entry committed before it is in."""

    asset = fields.String(required=True)
    first = fields.Date(required=True, data_key="from")
    last = fields.Date(required=True, data_key="to")
    rate = fields.Nested(RateSchema, required=True, allow_none=True)
    as_of = Instant(required=True)
    days = fields.List(fields.Nested(LiabilityDay), required=True)


class BalancedSchema(Schema):
    """One asset; the amounts of its accounts add up to `difference`, which is 0."""

    asset = fields.String(required=True)
    accounts = fields.Function(
        lambda asset: dict(asset.accounts),
        required=True,
        metadata={
            "type": "object",
            "additionalProperties": {"type": "integer"},
            "description": "members and members_debt against issuance, redemption, breakage, clawback, returns, "
            "adjustments and transfers",
        },
    )
    difference = fields.Integer(required=True)


class TrialBalanceResponse(Schema):
    """Every asset's accounts of one instant."""

    as_of = Instant(required=True)
    balanced = fields.Boolean(required=True)
    assets = fields.List(fields.Nested(BalancedSchema), required=True)


LIABILITY_COLUMNS = {
    "day": Heading("day", "日期"),
    "issued": Heading("issued", "发放"),
    "redeemed": Heading("redeemed", "核销"),
    "expired": Heading("expired (breakage)", "过期"),
    "clawed_back": Heading("clawed back", "退款扣回"),
    "returned": Heading("returned", "退款返还"),
    "adjusted": Heading("adjusted", "人工调整"),
    "transferred_in": Heading("transferred in", "转入"),
    "transferred_out": Heading("transferred out", "转出"),
    "pending": Heading("pending at day's end", "日终待到账"),
    "held": Heading("held at day's end", "日终预留"),
    "outstanding": Heading("outstanding at day's end", "日终余额"),
    "liability_fen": Heading("liability (fen)", "负债(分)"),
}

TRIAL_BALANCE_COLUMNS = {
    "asset": Heading("asset", "资产"),
    "account": Heading("account", "科目"),
    "amount": Heading("amount", "金额"),
}
