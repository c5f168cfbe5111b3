"""What goes over the wire about leaderboards."""

from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load, validate, validates_schema

from common.http.fields import Flag, Instant, code, integer, query_integer, text
from services.levels.fields import RewardField
from services.levels.leaderboards.domain import METRICS, PERIODS, Prize

_MOST = 1000


class PrizeFields(Schema):
    """A reward for each position from `first` to `last`."""

    first = integer(1, _MOST, required=True)
    last = integer(1, _MOST, required=True)
    reward = RewardField(required=True)


class PrizeRequest(PrizeFields):
    """Prizes to publish."""

    @post_load
    def _prize(self, given: dict[str, Any], **_: Any) -> Prize:
        return Prize(**given)


class BoardFields(Schema):
    """A board: what it counts, and over which periods."""

    name_en = text(40, required=True)
    name_zh = text(40, required=True)
    metric = fields.String(required=True, validate=validate.OneOf(METRICS))
    periods = fields.List(fields.String(validate=validate.OneOf(PERIODS)), required=True)


def _prizes(schema: type[Schema]) -> fields.Dict:
    ranges = fields.List(fields.Nested(schema), validate=validate.Length(max=100))
    return fields.Dict(keys=fields.String(), values=ranges, load_default=dict)


class BoardRequest(BoardFields):
    """A board to publish. `prizes` are given when a period closes, e.g. `{"month": [{"first": 1, "last": 3, …}]}`."""

    prizes = _prizes(PrizeRequest)

    @validates_schema
    def _some_periods(self, given: dict[str, Any], **_: Any) -> None:
        periods = given["periods"]
        if not periods or len(set(periods)) < len(periods):
            raise ValidationError("Name at least one period, each once.", "periods")


class BoardResponse(BoardFields):
    """A published board; version 0 is built in."""

    code = code(required=True)
    version = fields.Integer(required=True)
    prizes = _prizes(PrizeFields)


class BoardListResponse(Schema):
    """The boards of the program."""

    boards = fields.List(fields.Nested(BoardResponse), required=True)


class RankQuery(Schema):
    """Which period: the one in which `on` falls, today when left out."""

    period = fields.String(load_default="month", validate=validate.OneOf(PERIODS))
    on = fields.Date(load_default=None)


class TopQuery(RankQuery):
    """And how many places."""

    limit = query_integer(1, _MOST, load_default=10)


class PeriodResponse(Schema):
    """Which ranking this is. `frozen`: the period was closed at `as_of`; else facts up to `as_of` are in it."""

    board = fields.String(required=True)
    metric = fields.String(required=True)
    period = fields.String(required=True)
    starts_on = fields.Date(required=True)
    ends_on = fields.Date(required=True, allow_none=True)
    frozen = fields.Boolean(required=True)
    as_of = Instant(required=True)


class PlacedResponse(Schema):
    """A place. `name` is masked; `member_id` only for staff, `you` for the member who asks."""

    rank = fields.Integer(required=True)
    name = fields.String(required=True)
    score = fields.Integer(required=True)
    member_id = fields.Integer()
    you = fields.Boolean()


class TopResponse(PeriodResponse):
    """The first places."""

    places = fields.List(fields.Nested(PlacedResponse), required=True)


class RankResponse(PeriodResponse):
    """My place; `gap` is how far the next better score is ahead."""

    rank = fields.Integer(required=True, allow_none=True)
    score = fields.Integer(required=True)
    gap = fields.Integer(required=True, allow_none=True)


class Visibility(Schema):
    """Whether the member is ranked."""

    visible = Flag(required=True)
