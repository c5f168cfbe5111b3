"""What goes over the wire about proposals."""

from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from common.http.fields import Instant, code, integer, text

_MOST = validate.Length(max=50)
_HEX = validate.Regexp(r"^[0-9a-f]{64}\Z", error="Not a fingerprint: 64 hexadecimal digits, as the proposal shows it.")


class RollbackProposal(Schema):
    """Which version of a rule shall decide again."""

    rule = code(required=True)
    version = integer(1, 2**31 - 1, required=True)


class ProposalRequest(Schema):
    """The drafts to publish and the versions to return to, all together."""

    drafts = fields.List(code(), validate=_MOST, load_default=list)
    rollbacks = fields.List(fields.Nested(RollbackProposal), validate=_MOST, load_default=list)
    note = text(500, shortest=0, load_default="")

    @validates_schema
    def _check_once(self, data: dict[str, Any], **_: Any) -> None:
        named = [*data.get("drafts", ()), *(one["rule"] for one in data.get("rollbacks", ()))]
        if not named:
            raise ValidationError("Name at least one rule, here or in rollbacks.", "drafts")
        if len(set(named)) < len(named):
            raise ValidationError("Name each rule once, here or in rollbacks.", "drafts")


class ApprovalRequest(Schema):
    """A yes to what was shown: `fingerprint` is the proposal's."""

    fingerprint = fields.String(required=True, validate=_HEX)
    note = text(500, shortest=0, load_default="")


class ProposalRejectionRequest(Schema):
    """A no, and why."""

    note = text(500, shortest=0, load_default="")


class ChangeResponse(Schema):
    """What would go live of a rule: its draft (`version` null) or that version, instead of the version `replaces`."""

    rule = fields.String(required=True)
    version = fields.Integer(required=True, allow_none=True)
    document = fields.Dict(required=True)
    replaces = fields.Integer(required=True, allow_none=True)
    mode = fields.String(required=True, allow_none=True)


class ProposalResponse(Schema):
    """A proposal and what became of it; one that waits says `outdated` when what would go live has changed since."""

    id = fields.UUID(required=True)
    state = fields.String(required=True)
    changes = fields.List(fields.Nested(ChangeResponse), required=True)
    fingerprint = fields.String(required=True)
    note = fields.String(required=True)
    requested_by = fields.String(required=True)
    requested_at = Instant(required=True)
    decided_by = fields.String(required=True, allow_none=True)
    decided_at = Instant(required=True, allow_none=True)
    decision_note = fields.String(required=True, allow_none=True)


class ProposalListResponse(Schema):
    """The newest proposals."""

    proposals = fields.List(fields.Nested(ProposalResponse), required=True)
