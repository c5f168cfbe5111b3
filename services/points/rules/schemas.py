"""What goes over the wire about earning rules."""

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from common.http.fields import Instant, code, document, integer, text
from services.points.programs.schemas import validity
from services.points.rules.expressions import LONGEST

_EVENT_TYPE = validate.Regexp(r"^[a-z][a-z0-9_.-]{0,63}\Z")


class RuleDocument(Schema):
    """For events of type `trigger`, when `condition` holds, award floor(`formula`) of `asset`.

    Expressions see `data` (the event's data) and `event` (`type`, `hour`, `weekday`, `day` in the program's time zone).
    """

    name_en = text(80, required=True)
    name_zh = text(80, required=True)
    trigger = fields.String(required=True, validate=_EVENT_TYPE)
    condition = text(LONGEST, load_default="true")
    formula = text(LONGEST, required=True)
    asset = code(required=True)
    validity = validity(load_default=None, allow_none=True)
    starts_at = Instant(load_default=None, allow_none=True)
    ends_at = Instant(load_default=None, allow_none=True)

    @validates_schema
    def _check_dates(self, data: dict[str, object], **_: object) -> None:
        starts_at, ends_at = data.get("starts_at"), data.get("ends_at")
        if starts_at and ends_at and starts_at >= ends_at:  # type: ignore[operator]
            raise ValidationError("The rule must end after it starts.", "ends_at")


class SimulationRequest(Schema):
    """One event, made up by hand."""

    type = fields.String(required=True, validate=_EVENT_TYPE)
    time = Instant(load_default=None, allow_none=True)
    data = document(load_default=dict)


class DecisionResponse(Schema):
    """What a rule decided and why."""

    rule = fields.String(required=True)
    version = fields.Integer(required=True, allow_none=True)
    asset = fields.String(required=True)
    amount = fields.Integer(required=True)
    reason = fields.String(required=True)


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
    """A published version."""

    version = fields.Integer(required=True)
    document = fields.Dict(required=True)


class RuleHistoryResponse(RuleResponse):
    """A rule with all its versions, newest first."""

    versions = fields.List(fields.Nested(RuleVersionResponse), required=True)


class RuleListResponse(Schema):
    """All rules of the program."""

    rules = fields.List(fields.Nested(RuleResponse), required=True)
