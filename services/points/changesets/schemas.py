"""What goes over the wire about changesets."""

from marshmallow import Schema, fields, validate

from common.http.fields import Flag, Instant, query_integer, text
from services.points.changesets.domain import Kind, State
from services.points.changesets.faults import fault_sentence

_KINDS = [kind.value for kind in Kind]
_STATES = [state.value for state in State]
#: A sheet must fit the body's limit of 4 MiB together with its quoting; larger ones come in parts.
LONGEST_SHEET = 3_500_000


def _sheet() -> fields.String:
    return fields.String(
        required=True,
        validate=validate.Length(min=1, max=LONGEST_SHEET),
        metadata={
            "description": "CSV with the columns member_id or identity, asset, amount, reason, and if wanted"
            " expires_on or validity, note"
        },
    )


class UploadRequest(Schema):
    """A new changeset with its first sheet; `more`: others follow, so the dry run waits for the last one."""

    kind = fields.String(required=True, validate=validate.OneOf(_KINDS))
    name = text(120, required=True)
    csv = _sheet()
    more = Flag(load_default=False)


class SheetRequest(Schema):
    """One more sheet, with its own header; without `more` it is the last and the dry run begins."""

    csv = _sheet()
    more = Flag(load_default=False)


class ChangesetDecisionRequest(Schema):
    """Yes or no, and a word to the one who asked."""

    note = text(1000, shortest=0, load_default="")


class AssetTotalsSchema(Schema):
    """What the lines of one asset come to."""

    asset = fields.String(required=True)
    lines = fields.Integer(required=True)
    credits = fields.Integer(required=True)
    debits = fields.Integer(required=True, metadata={"description": "Positive"})


class LargestSchema(Schema):
    """One of the largest lines."""

    part = fields.Integer(required=True)
    line = fields.Integer(required=True)
    member_id = fields.Integer(required=True, allow_none=True)
    asset = fields.String(required=True)
    amount = fields.Integer(required=True)


class SummarySchema(Schema):
    """What approving it would mean. `new_members` are strangers who would become members with their opening balance."""

    lines = fields.Integer(required=True)
    faults = fields.Integer(required=True)
    members = fields.Integer(required=True)
    new_members = fields.Integer(required=True)
    assets = fields.List(fields.Nested(AssetTotalsSchema), required=True)
    largest = fields.List(fields.Nested(LargestSchema), required=True)


class ChangesetResponse(Schema):
    """A changeset; `progress` is that of the dry run, in percent."""

    id = fields.UUID(required=True)
    kind = fields.String(required=True, validate=validate.OneOf(_KINDS))
    name = fields.String(required=True)
    status = fields.String(required=True, validate=validate.OneOf(_STATES))
    parts = fields.Integer(required=True)
    progress = fields.Integer(required=True)
    summary = fields.Nested(SummarySchema, required=True, allow_none=True)
    uploaded_by = fields.String(required=True)
    uploaded_at = Instant(required=True)
    checked_at = Instant(required=True, allow_none=True)
    approved_by = fields.String(required=True, allow_none=True)
    approved_at = Instant(required=True, allow_none=True)
    applied_at = Instant(required=True, allow_none=True)
    rejected_by = fields.String(required=True, allow_none=True)
    decision_note = fields.String(required=True, allow_none=True)
    undo_requested_by = fields.String(required=True, allow_none=True)
    undo_requested_at = Instant(required=True, allow_none=True)
    undo_approved_by = fields.String(required=True, allow_none=True)
    undone_at = Instant(required=True, allow_none=True)


class ChangesetsQuery(Schema):
    """Which changesets."""

    status = fields.String(load_default=None, validate=validate.OneOf(_STATES))
    kind = fields.String(load_default=None, validate=validate.OneOf(_KINDS))
    after = fields.UUID(load_default=None)
    limit = query_integer(1, 100, load_default=50)


class ChangesetListResponse(Schema):
    """A page, newest first; send `next` as `after` to go on."""

    changesets = fields.List(fields.Nested(ChangesetResponse), required=True)
    next = fields.UUID(required=True, allow_none=True)


class FaultsQuery(Schema):
    """A page of faults, behind the `after`-th."""

    after = query_integer(0, 2**31 - 1, load_default=0)
    limit = query_integer(1, 1000, load_default=200)


class FaultSchema(Schema):
    """What is wrong where, and what to do, in each language; `column` is empty when it is the whole line."""

    part = fields.Integer(required=True)
    line = fields.Integer(required=True)
    column = fields.String(required=True)
    code = fields.String(required=True)
    en = fields.Function(lambda row: fault_sentence(row.code, row.facts)[0], metadata={"type": "string"}, required=True)
    zh = fields.Function(lambda row: fault_sentence(row.code, row.facts)[1], metadata={"type": "string"}, required=True)


class FaultListResponse(Schema):
    """A page of what is wrong, by line; send `next` as `after` to go on."""

    faults = fields.List(fields.Nested(FaultSchema), required=True)
    next = fields.Integer(required=True, allow_none=True)


class LinesQuery(Schema):
    """A page of lines, behind `after`: part and line as `1.204`."""

    after = fields.String(load_default="0.0", validate=validate.Regexp(r"^[0-9]{1,4}\.[0-9]{1,8}\Z"))
    limit = query_integer(1, 1000, load_default=200)


class LineSchema(Schema):
    """A line as the dry run understood it; null member: a stranger who would become one."""

    part = fields.Integer(required=True)
    line = fields.Integer(required=True)
    member_id = fields.Integer(required=True, allow_none=True)
    asset = fields.String(required=True)
    amount = fields.Integer(required=True)
    reason = fields.String(required=True)
    validity = fields.String(required=True, allow_none=True)
    note = fields.String(required=True)
    before = fields.Integer(required=True, allow_none=True)
    after = fields.Integer(required=True, allow_none=True)


class LineListResponse(Schema):
    """A page of lines in the order of the sheets; send `next` as `after` to go on."""

    lines = fields.List(fields.Nested(LineSchema), required=True)
    next = fields.String(required=True, allow_none=True)


def position(after: str) -> tuple[int, int]:
    """Part and line of `1.204`."""
    part, line = after.split(".")
    return int(part), int(line)
