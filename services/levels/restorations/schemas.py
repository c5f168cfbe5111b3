"""What goes over the wire about restorations."""

from typing import Any

from marshmallow import Schema, ValidationError, fields, validates_schema

from common.http.fields import Instant, text
from services.levels.restorations.domain import MOST_DAYS


class RestorationRequest(Schema):
    """The days that were missed, first to last, and why they are given back."""

    first = fields.Date(required=True)
    last = fields.Date(required=True)
    reason = text(200, required=True)

    @validates_schema
    def _bounded(self, given: dict[str, Any], **_: Any) -> None:
        if not 0 <= (given["last"] - given["first"]).days < MOST_DAYS:
            raise ValidationError(f"Name 1 to {MOST_DAYS} days, first to last.", "last")


class RestorationResponse(Schema):
    """The days that were given back, and the streak as it stands now."""

    campaign = fields.String(required=True)
    days = fields.List(fields.Date(), required=True)
    restored_at = Instant(required=True)
    restored_by = fields.String(required=True)
    reason = fields.String(required=True)
    streak = fields.Integer(required=True)
