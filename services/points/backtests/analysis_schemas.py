"""What goes over the wire about the static check of rules."""

from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from common.http.fields import Instant, code

_MOST_RULES = 100


def _codes(**kwargs: Any) -> fields.List[Any]:
    return fields.List(code(), validate=validate.Length(max=_MOST_RULES), **kwargs)


class AnalysisRequest(Schema):
    """Which drafts to put in place (all there are when left out), and which live rules to leave out."""

    drafts = _codes(load_default=None, allow_none=True)
    retire = _codes(load_default=list)

    @validates_schema
    def _check_rules(self, data: dict[str, Any], **_: Any) -> None:
        if set(data["drafts"] or ()) & set(data["retire"]):
            raise ValidationError("A rule cannot be both drafted and left out.", "retire")


class ExampleMember(Schema):
    """Who the made-up event is about."""

    id = fields.Integer(required=True)
    tier = fields.String(required=True, allow_none=True)
    tags = fields.List(fields.String(), required=True)
    segments = fields.List(fields.String(), required=True)


class ExampleDecision(Schema):
    """What a rule decides about it."""

    rule = fields.String(required=True)
    asset = fields.String(required=True)
    amount = fields.Integer(required=True)
    reason = fields.String(required=True)


class ExampleEvent(Schema):
    """A made-up event."""

    type = fields.String(required=True)
    time = Instant(required=True)
    data = fields.Dict(required=True)
    member = fields.Nested(ExampleMember, required=True)


class ExampleResponse(Schema):
    """An event at which the concern shows, decided by the code that decides real events, before caps and budgets."""

    event = fields.Nested(ExampleEvent, required=True)
    decisions = fields.List(fields.Nested(ExampleDecision), required=True)


class ConcernResponse(Schema):
    """Something that is wrong, and with which rules; an `error` first, then a `warning`."""

    code = fields.String(required=True)
    severity = fields.String(required=True, validate=validate.OneOf(["error", "warning", "note"]))
    rules = fields.List(fields.String(), required=True)
    en = fields.String(required=True)
    zh = fields.String(required=True)
    example = fields.Nested(ExampleResponse, required=True, allow_none=True)


class LeftOutResponse(Schema):
    """A question that could not be asked, and why."""

    code = fields.String(required=True)
    en = fields.String(required=True)
    zh = fields.String(required=True)


class AnalysisResponse(Schema):
    """Which rules were checked, and what is wrong with them as far as made-up events show it."""

    as_of = Instant(required=True)
    rules = fields.List(fields.String(), required=True)
    concerns = fields.List(fields.Nested(ConcernResponse), required=True)
    left_out = fields.List(fields.Nested(LeftOutResponse), required=True)
