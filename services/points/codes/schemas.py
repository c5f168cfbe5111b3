"""What goes over the wire about codes."""

from typing import Any

from marshmallow import Schema, fields, post_load, validate

from common.http.fields import Instant, integer, text
from services.points.codes.domain import Terms
from services.points.intake.schemas import DecisionSchema

MOST_CODES = 1_000_000
MOST_EXPORTED = 100_000
_PATTERN = validate.Regexp(
    r"^[A-Z0-9?][A-Z0-9?-]{3,39}\Z", error="4 to 40 capitals, digits, - and ? (a random character)."
)


class CodeSetRequest(Schema):
    """A set of codes: `pattern` as printed, `?` a random character, e.g. `SPRING-????-????-????`.

    Without `?` it is one code that is meant to be known. `uses_per_code` and `uses_per_member` null: however often.
    """

    name_en = text(80, required=True)
    name_zh = text(80, required=True)
    pattern = fields.String(required=True, validate=_PATTERN)
    count = integer(1, MOST_CODES, required=True)
    uses_per_code = integer(1, load_default=1, allow_none=True)
    uses_per_member = integer(1, load_default=1, allow_none=True)
    starts_at = Instant(load_default=None, allow_none=True)
    ends_at = Instant(load_default=None, allow_none=True)

    @post_load
    def _terms(self, given: dict[str, Any], **_: Any) -> Terms:
        return Terms(**given)


class CodeSetResponse(Schema):
    """A set and its progress: `made` of its `count` codes."""

    code = fields.String(required=True)
    name_en = fields.String(required=True)
    name_zh = fields.String(required=True)
    pattern = fields.String(required=True)
    count = fields.Integer(required=True)
    made = fields.Integer(required=True)
    uses_per_code = fields.Integer(required=True, allow_none=True)
    uses_per_member = fields.Integer(required=True, allow_none=True)
    starts_at = Instant(required=True, allow_none=True)
    ends_at = Instant(required=True, allow_none=True)
    created_by = fields.String(required=True)
    created_at = Instant(required=True)
    closed_by = fields.String(required=True, allow_none=True)
    closed_at = Instant(required=True, allow_none=True)


class CodeSetFigures(CodeSetResponse):
    """A set, and how often its codes were redeemed (`uses`), how many of them (`used`), by how many `members`."""

    uses = fields.Integer(required=True)
    used = fields.Integer(required=True)
    members = fields.Integer(required=True)


class CodeSetList(Schema):
    """All sets of the program."""

    code_sets = fields.List(fields.Nested(CodeSetResponse), required=True)


class ExportRequest(Schema):
    """Which codes to take out: the next `limit` behind the number `after`."""

    after = integer(0, MOST_CODES * 2, load_default=0)
    limit = integer(1, MOST_EXPORTED, load_default=MOST_EXPORTED)


class RedemptionRequest(Schema):
    """A code as somebody typed or scanned it; case, spaces and dashes do not matter."""

    code = text(64, required=True)


class RedemptionResponse(Schema):
    """What the code brought: its set, and what every rule decided."""

    code_set = fields.String(required=True)
    name_en = fields.String(required=True)
    name_zh = fields.String(required=True)
    redeemed_at = Instant(required=True)
    decisions = fields.List(fields.Nested(DecisionSchema), required=True)
