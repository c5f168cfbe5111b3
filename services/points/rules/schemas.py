"""What goes over the wire about earning rules."""

import json
from datetime import date
from typing import Any, get_args

from marshmallow import Schema, ValidationError, fields, post_load, validate, validates_schema

from common.http.fields import Flag, Instant, code, document, integer, member_id, text
from services.points.audiences.domain import Membership
from services.points.programs.schemas import pending, validity
from services.points.rules.expressions import LONGEST, plain
from services.points.rules.rule import Calendar, Kind, Mode, Of, Per
from services.points.rules.tables import LONGEST_DOCUMENT, MOST_NODES

_EVENT_TYPE = validate.Regexp(r"^[a-z][a-z0-9_.-]{0,63}\Z")
_CLOCK = validate.Regexp(r"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)\Z", error="Not a time of day, e.g. 07:30 or 24:00.")
_FACTOR = validate.Regexp(
    r"^([1-9](\.[0-9]{1,4})?|10(\.0{1,4})?)\Z", error='Decimal text above 1, at most 10, e.g. "1.5" or "2".'
)
_MOST_CODES = 100
_YEAR_HOURS = 366 * 24
_TEXTS = {"type": "array", "items": {"type": "string"}}
_TWO = validate.Length(equal=2)


def _codes(**kwargs: Any) -> fields.List[Any]:
    return fields.List(code(), validate=validate.Length(max=_MOST_CODES), load_default=list, **kwargs)


class AudienceDocument(Schema):
    """For whom: within one list any of them, between the lists all; an empty list asks nothing."""

    tiers = _codes()
    tags = _codes()
    segments = _codes()
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
    trigger = fields.String(required=True, validate=_EVENT_TYPE)
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
    applies_to = _codes(metadata={"description": "Codes of award rules; empty: every one of the trigger and asset"})

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


class MemberDocument(Schema):
    """A made-up member."""

    tier = code(load_default=None, allow_none=True)
    tags = _codes()
    segments = _codes()

    @post_load
    def _membership(self, data: dict[str, Any], **_: Any) -> Membership:
        return Membership(data["tier"], frozenset(data["tags"]), frozenset(data["segments"]))


class SimulationRequest(Schema):
    """One event, made up by hand; for a member as they were at its time, or for a made-up one."""

    type = fields.String(required=True, validate=_EVENT_TYPE)
    time = Instant(load_default=None, allow_none=True)
    data = document(load_default=dict)
    member_id = member_id(load_default=None, allow_none=True)
    member = fields.Nested(MemberDocument, load_default=None, allow_none=True)


class CapResponse(Schema):
    """A cap, the window in which the event falls, and whether it cuts the award when nothing was awarded there yet."""

    per = fields.String(required=True)
    of = fields.String(required=True)
    amount = fields.Integer(required=True)
    window = fields.String(required=True)
    cuts = fields.Boolean(required=True)


class DecisionResponse(Schema):
    """What a rule decided and why.

    `base` is what the rule itself gives, `factor` what `campaign` multiplied it by, `wanted` what its group lets stand,
    `amount` what is left of it under caps and budget when nothing was awarded before. `version` null: the draft.
    """

    rule = fields.String(required=True)
    kind = fields.String(required=True)
    version = fields.Integer(required=True, allow_none=True)
    asset = fields.String(required=True)
    base = fields.Integer(required=True)
    factor = fields.String(required=True, allow_none=True)
    campaign = fields.String(required=True, allow_none=True)
    wanted = fields.Integer(required=True)
    amount = fields.Integer(required=True)
    reason = fields.String(required=True)
    priority = fields.Integer(required=True)
    group = fields.String(required=True, allow_none=True)
    mode = fields.String(required=True, allow_none=True)
    validity = fields.String(required=True, allow_none=True)
    pending = fields.String(required=True, allow_none=True)
    caps = fields.List(fields.Nested(CapResponse), required=True)
    frequency = fields.Nested(FrequencyDocument, required=True)
    budget = fields.Integer(required=True, allow_none=True)


class SimulatedMember(Schema):
    """Who the member was taken for."""

    tier = fields.String(required=True, allow_none=True)
    tags = fields.Function(lambda member: sorted(member.tags), metadata=_TEXTS)
    segments = fields.Function(lambda member: sorted(member.segments), metadata=_TEXTS)


class SimulationResponse(Schema):
    """What the draft decides for the event, and with it every live rule of the event's type."""

    rule = fields.String(required=True)
    version = fields.Integer(required=True, allow_none=True)
    asset = fields.String(required=True)
    amount = fields.Integer(required=True)
    reason = fields.String(required=True)
    member = fields.Nested(SimulatedMember, required=True)
    decisions = fields.List(fields.Nested(DecisionResponse), required=True)


class PublicationRequest(Schema):
    """The drafts to publish together, all or none."""

    rules = fields.List(
        code(),
        required=True,
        validate=validate.Length(min=1, max=50),
    )

    @validates_schema
    def _check_once(self, data: dict[str, Any], **_: Any) -> None:
        if len(set(data["rules"])) < len(data["rules"]):
            raise ValidationError("Name each rule once.", "rules")


class RollbackRequest(Schema):
    """Which version shall decide again."""

    version = integer(1, 2**31 - 1, required=True)


class RuleResponse(Schema):
    """A rule: its draft, if any, and the version that is live, if one is."""

    code = fields.String(required=True)
    draft = fields.Dict(required=True, allow_none=True)
    live_version = fields.Integer(required=True, allow_none=True)
    changed_at = Instant(required=True)


class RuleVersionResponse(Schema):
    """A version, by whom it was first published and when; entries carry its `id`."""

    id = fields.Integer(required=True)
    version = fields.Integer(required=True)
    document = fields.Dict(required=True)
    published_by = fields.String(required=True, attribute="actor")
    published_at = Instant(required=True, attribute="at")


class RulePublicationResponse(Schema):
    """From `at` on that version decided (null: none), because `actor` said so."""

    version = fields.Integer(required=True, allow_none=True)
    actor = fields.String(required=True)
    at = Instant(required=True)


class RuleHistoryResponse(RuleResponse):
    """A rule with all its versions, and with what was made live when, newest first."""

    versions = fields.List(fields.Nested(RuleVersionResponse), required=True)
    history = fields.List(fields.Nested(RulePublicationResponse), required=True)


class RuleListResponse(Schema):
    """All rules of the program."""

    rules = fields.List(fields.Nested(RuleResponse), required=True)


class GroupRequest(Schema):
    """How the rules of a group get along: all award, the first by priority that awards, or the highest award."""

    mode = fields.String(required=True, validate=validate.OneOf(get_args(Mode)))


class GroupResponse(Schema):
    """A stacking group, and who last changed it."""

    code = fields.String(required=True)
    mode = fields.String(required=True)
    changed_by = fields.String(required=True)
    changed_at = Instant(required=True)


class GroupListResponse(Schema):
    """All stacking groups of the program."""

    groups = fields.List(fields.Nested(GroupResponse), required=True)


class RuleSettingsRequest(Schema):
    """Whether a second person must say yes before anything goes live."""

    second_person = Flag(required=True)


class RuleSettingsResponse(Schema):
    """How rules go live in the program."""

    second_person = fields.Boolean(required=True)
