"""What goes over the wire about check-ins."""

from datetime import date
from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load, validate, validates_schema

from common.http.fields import Instant, code, integer, text
from services.levels.checkins.domain import CYCLES, Milestone
from services.levels.fields import RewardField

_MOST_DAYS = 366


class MilestoneFields(Schema):
    """A milestone of a streak. With a `stock`, those who come too late get the `fallback`."""

    streak = integer(1, 3660, required=True)
    reward = RewardField(required=True)
    stock = integer(load_default=None, allow_none=True)
    fallback = RewardField(shortest=0, load_default=())


class MilestoneRequest(MilestoneFields):
    """A milestone to publish."""

    @post_load
    def _milestone(self, given: dict[str, Any], **_: Any) -> Milestone:
        return Milestone(**given)


class CampaignFields(Schema):
    """The terms of a campaign. `day_table` holds a reward per day; an empty one is a day without."""

    name_en = text(40, required=True)
    name_zh = text(40, required=True)
    cycle = fields.String(load_default="week-from-enrolment", validate=validate.OneOf(CYCLES))
    day_table = fields.List(RewardField(shortest=0), required=True, validate=validate.Length(min=1, max=31))


class CampaignRequest(CampaignFields):
    """A campaign to publish."""

    milestones = fields.List(fields.Nested(MilestoneRequest), load_default=list, validate=validate.Length(max=50))


class CampaignResponse(CampaignFields):
    """A published campaign."""

    code = code(required=True)
    version = fields.Integer(required=True)
    milestones = fields.List(fields.Nested(MilestoneFields), required=True)


class CampaignListResponse(Schema):
    """The campaigns in force."""

    campaigns = fields.List(fields.Nested(CampaignResponse), required=True)


class CheckInRequest(Schema):
    """A tap: the day is the server's, in the program's time zone."""

    campaign = code(required=True)


class CheckInResponse(Schema):
    """A check-in."""

    campaign = fields.String(required=True)
    day = fields.Date(required=True)
    at = Instant(required=True)
    reward = RewardField(required=True)
    grant_id = fields.String(required=True, allow_none=True)


class TapResponse(CheckInResponse):
    """The day's check-in; `repeated` when it was there already, and nothing more was given."""

    streak = fields.Integer(required=True)
    repeated = fields.Boolean(required=True)


class CalendarQuery(Schema):
    """Which campaign, and which days: this month unless both ends are named."""

    campaign = code(required=True)
    first = fields.Date(load_default=None)
    last = fields.Date(load_default=None)

    @validates_schema
    def _bounded(self, given: dict[str, Any], **_: Any) -> None:
        first: date | None = given["first"]
        last: date | None = given["last"]
        if (first is None) != (last is None):
            raise ValidationError("Name both first and last, or neither.", "last")
        if first and last and not 0 <= (last - first).days < _MOST_DAYS:
            raise ValidationError("Ask for at most 366 days, first to last.", "last")


class ReachedMilestone(Schema):
    """A milestone the member has reached. `gift` is null while it waits, false when the stock was gone."""

    streak = fields.Integer(required=True)
    day = fields.Date(required=True)
    gift = fields.Boolean(required=True, allow_none=True)


class CalendarResponse(Schema):
    """The member's campaign."""

    campaign = fields.Nested(CampaignResponse, required=True)
    today = fields.Date(required=True)
    streak = fields.Integer(required=True)
    enrolled_on = fields.Date(required=True, allow_none=True)
    checkins = fields.List(fields.Nested(CheckInResponse), required=True)
    milestones = fields.List(fields.Nested(ReachedMilestone), required=True)


class StreakResponse(Schema):
    """Business days in a row."""

    campaign = fields.String(required=True)
    streak = fields.Integer(required=True)
    last_day = fields.Date(required=True)
