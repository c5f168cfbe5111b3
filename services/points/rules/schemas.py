"""What goes over the wire about earning rules, their versions and groups; their document is in `document_schemas`."""

from typing import Any, get_args

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from common.http.fields import Flag, Instant, code, integer
from services.points.rules.rule import Mode


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
