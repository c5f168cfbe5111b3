"""The document of a rule, as drafts, sets and versions have it over the wire."""

import json
from datetime import date
from typing import Any, get_args

from marshmallow import Schema, ValidationError, fields, post_load, validate, validates_schema

from common.http.fields import Instant, code, integer, text
from services.points.programs.schemas import pending, validity
from services.points.rules.expressions import LONGEST, plain
from services.points.rules.rule import Calendar, Kind, Of, Per
from services.points.rules.tables import LONGEST_DOCUMENT, MOST_NODES

EVENT_TYPE = validate.Regexp(r"^[a-z][a-z0-9_.-]{0,63}\Z")
_CLOCK = validate.Regexp(r"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)\Z", error="Not a time of day, e.g. 07:30 or 24:00.")
_FACTOR = validate.Regexp(
    r"^([1-9](\.[0-9]{1,4})?|10(\.0{1,4})?)\Z", error='Decimal text above 1, at most 10, e.g. "1.5" or "2".'
)
_MOST_CODES = 100
_YEAR_HOURS = 366 * 24
_TWO = validate.Length(equal=2)


def codes(**kwargs: Any) -> fields.List[Any]:
    """Codes of things, up to a hundred."""
    return fields.List(code(), validate=validate.Length(max=_MOST_CODES), load_default=list, **kwargs)


class AudienceDocument(Schema):
    """For whom: within one list any of them, between the lists all; an empty list asks nothing."""

    tiers = codes()
    tags = codes()
    segments = codes()
    channels = fields.List(
        text(64),
        validate=validate.Length(max=_MOST_CODES),
        load_default=list,
        metadata={"description": "Compared with data.channel of the event"},
    )


class ScheduleDocument(Schema):
    """When, on the clocks and calendars of the program's time zone; an empty list asks nothing.

    `weekdays` 1 Monday to 7 Sunday; `hours` half-open, `["07:00", "09:30"]`; `dates` inclusive,
    `["2026-11-01", "2026-11-11"]`.
    """

    weekdays = fields.List(integer(1, 7), validate=validate.Length(max=7), load_default=list)
    hours = fields.List(
        fields.List(fields.String(validate=_CLOCK), validate=_TWO), validate=validate.Length(max=24), load_default=list
    )
    dates = fields.List(
        fields.List(fields.String(metadata={"format": "date"}), validate=_TWO),
        validate=validate.Length(max=_MOST_CODES),
        load_default=list,
    )

    @validates_schema
    def _check_dates(self, data: dict[str, Any], **_: Any) -> None:
        for number, span in enumerate(data.get("dates", ())):
            for day in span:
                try:
                    known = date.fromisoformat(day).isoformat() == day
                except ValueError:
                    known = False
                if not known:
                    raise ValidationError({"dates": {number: ["Not a day of the calendar, e.g. 2026-11-11."]}})


class CapDocument(Schema):
    """At most `amount` per window (of the program's calendar), of one member or of the rule in all."""

    per = fields.String(required=True, validate=validate.OneOf(get_args(Per)))
    of = fields.String(required=True, validate=validate.OneOf(get_args(Of)))
    amount = integer(1, required=True)


class TimesDocument(Schema):
    """At most so many awards to one member per window (of the program's calendar)."""

    per = fields.String(required=True, validate=validate.OneOf(get_args(Calendar)))
    most = integer(1, 1_000, required=True)


class FrequencyDocument(Schema):
    """How often one member is awarded; an award that was cut to nothing or refunded wholly does not count.

    `cooldown_hours`: at least so many hours from one award to the next.
    """

    times = fields.List(fields.Nested(TimesDocument), validate=validate.Length(max=4), load_default=list)
    cooldown_hours = integer(1, _YEAR_HOURS, load_default=None, allow_none=True)


class HoldoutDocument(Schema):
    """This share of the members, always the same ones, never gets the rule."""

    percent = integer(0, 100, required=True)


class VariantDocument(Schema):
    """This share of the members (its weight of all weights) is awarded by its formula; null: as the rule itself says.

    The formula "0" awards nothing.
    """

    code = code(required=True)
    weight = integer(1, 1_000, required=True)
    formula = text(LONGEST, load_default=None, allow_none=True)


class GoalDocument(Schema):
    """What members are to do within `days` of first being asked: an `event` of that type with a true `condition`.

    The condition sees the `data` of that event.
    """

    event = fields.String(required=True, validate=EVENT_TYPE)
    days = integer(1, 366, required=True)
    condition = text(LONGEST, load_default="true")


class ExperimentDocument(Schema):
    """Variants of the rule's formula, dealt out by a hash of `name` and member; the first is compared with the others.

    Published variants stay as they are: others need another `name`, which deals the members out anew.
    """

    name = code(required=True)
    variants = fields.List(fields.Nested(VariantDocument), required=True, validate=validate.Length(min=2, max=10))
    goal = fields.Nested(GoalDocument, load_default=None, allow_none=True)


class RuleDocument(Schema):
    """For events of type `trigger`, when `condition` holds, award floor(`formula`), or what `table` says, of `asset`.

    Expressions see `data` (the event's data), `event` (`type`, `hour`, `weekday`, `day`, `month_day` in the program's
    time zone) and `member` (`tier`, `tags`). `table` is a ZEN decision-table document (JDM) of input, output,
    expression and decision-table nodes on one path, which gives `award`. A `multiplier` awards nothing itself: awards
    of its trigger and asset are multiplied by the highest `factor` that applies.
    """

    kind = fields.String(load_default="award", validate=validate.OneOf(get_args(Kind)))
    name_en = text(80, required=True)
    name_zh = text(80, required=True)
    trigger = fields.String(required=True, validate=EVENT_TYPE)
    condition = text(LONGEST, load_default="true")
    formula = text(LONGEST, load_default=None, allow_none=True)
    table = fields.Dict(keys=fields.String(), load_default=None, allow_none=True)
    asset = code(required=True)
    validity = validity(load_default=None, allow_none=True)
    pending = pending(load_default=None, allow_none=True)
    starts_at = Instant(load_default=None, allow_none=True)
    ends_at = Instant(load_default=None, allow_none=True)
    audience = fields.Nested(AudienceDocument, load_default=dict)
    schedule = fields.Nested(ScheduleDocument, load_default=dict)
    caps = fields.List(fields.Nested(CapDocument), validate=validate.Length(max=10), load_default=list)
    frequency = fields.Nested(FrequencyDocument, load_default=dict)
    budget = integer(1, load_default=None, allow_none=True)
    priority = integer(-1000, 1000, load_default=0)
    group = code(load_default=None, allow_none=True)
    holdout = fields.Nested(HoldoutDocument, load_default=None, allow_none=True)
    factor = fields.String(load_default=None, allow_none=True, validate=_FACTOR)
    experiment = fields.Nested(ExperimentDocument, load_default=None, allow_none=True)
    applies_to = codes(metadata={"description": "Codes of award rules; empty: every one of the trigger and asset"})

    @validates_schema
    def _check_table(self, data: dict[str, Any], **_: Any) -> None:
        table = data.get("table")
        if table is None:
            return
        if len(json.dumps(table, ensure_ascii=False, default=str)) > LONGEST_DOCUMENT:
            raise ValidationError(f"At most {LONGEST_DOCUMENT} characters and {MOST_NODES} nodes.", "table")

    @post_load
    def _plain_table(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        # Positions of nodes on an editor's canvas are decimals, which are kept as JSON numbers.
        return {**data, "table": plain(data["table"])}
