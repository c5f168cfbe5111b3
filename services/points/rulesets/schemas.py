"""What goes over the wire about rule sets."""

from typing import get_args

from marshmallow import Schema, fields, validate

from common.http.fields import Flag, code, text
from services.points.rules.document_schemas import RuleDocument
from services.points.rules.rule import Mode
from services.points.rulesets.domain import FORMAT

_MOST = validate.Length(max=100)


class SetGroupDocument(Schema):
    """A stacking group that rules of the set name."""

    code = code(required=True)
    mode = fields.String(required=True, validate=validate.OneOf(get_args(Mode)))


class SetRuleDocument(Schema):
    """A rule of the set."""

    code = code(required=True)
    document = fields.Nested(RuleDocument, required=True)


class RuleSetQuery(Schema):
    """Of what: the live rules, or the drafts."""

    of = fields.String(load_default="live", validate=validate.OneOf(["live", "drafts"]))


class RuleSetRequest(Schema):
    """A set of rules to write as drafts, all or none; `replace_drafts` lets it replace drafts of the same codes."""

    format = fields.String(required=True, validate=validate.Equal(FORMAT))
    groups = fields.List(fields.Nested(SetGroupDocument), validate=_MOST, load_default=list)
    rules = fields.List(fields.Nested(SetRuleDocument), required=True, validate=validate.Length(min=1, max=100))
    replace_drafts = Flag(load_default=False)


class SetRuleResponse(Schema):
    """A rule of the set."""

    code = fields.String(required=True)
    document = fields.Dict(required=True)


class RuleSetResponse(Schema):
    """A set of rules, as `POST /v1/rule-set/imports` takes it."""

    format = fields.String(required=True)
    groups = fields.List(fields.Nested(SetGroupDocument), required=True)
    rules = fields.List(fields.Nested(SetRuleResponse), required=True)


class TemplateResponse(Schema):
    """A set to begin with, and what it does."""

    code = fields.String(required=True)
    name_en = text(80, required=True)
    name_zh = text(80, required=True)
    says_en = text(200, required=True)
    says_zh = text(200, required=True)


class TemplateListResponse(Schema):
    """Every template."""

    templates = fields.List(fields.Nested(TemplateResponse), required=True)
