"""What goes over the wire about adjustments, their reasons and limits."""

import re
from datetime import date
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from common.http.fields import LARGEST, Flag, Instant, code, integer, member_id, query_integer, text
from services.points.adjustments.domain import AGENTS, Status
from services.points.programs.schemas import validity

_STAFF_NAME = validate.Regexp(r"^[a-z][a-z0-9_-]{0,63}\Z")
_SCRIPT = re.compile(r"\s*(javascript|data|vbscript)\s*:", re.IGNORECASE)


def _no_script(text: str) -> None:
    if _SCRIPT.match(text):
        raise ValidationError("A link must be one that opens a page: https://…")


def _day(**kwargs: Any) -> fields.Date:
    return fields.Date(validate=validate.Range(min=date(2000, 1, 1), max=date(2199, 12, 31)), **kwargs)


def note(**kwargs: Any) -> fields.String:
    """What staff write for staff; kept, never logged, never part of an entry."""
    return text(1000, shortest=0, **kwargs)


def _evidence() -> fields.String:
    return fields.String(
        load_default="",
        validate=[
            validate.Length(max=500),
            validate.Regexp(r"^[^\x00-\x1f\x7f]*\Z", error="Control characters are not allowed."),
            _no_script,
        ],
        metadata={"description": "A link, or the number of a ticket"},
    )


class AdjustmentRequest(Schema):
    """Give (`amount` > 0) or take points. `validity` overrides the asset's; `allow_debt` lets a debit go below zero."""

    member_id = member_id(required=True)
    asset = code(required=True)
    amount = fields.Integer(
        required=True,
        strict=True,
        validate=[validate.Range(min=-LARGEST, max=LARGEST), validate.NoneOf([0], error="Give or take something.")],
    )
    reason_code = code(required=True)
    note = note(load_default="")
    evidence = _evidence()
    validity = validity(load_default=None, allow_none=True)
    allow_debt = Flag(load_default=False)

    @validates_schema
    def _check_sign(self, given: dict[str, Any], **_: Any) -> None:
        if given["amount"] < 0 and given["validity"] is not None:
            raise ValidationError("Only what is given has a validity.", "validity")
        if given["amount"] > 0 and given["allow_debt"]:
            raise ValidationError("Only what is taken can go below zero.", "allow_debt")


class RedatingRequest(Schema):
    """Let `amount` points that end from `from_on` to `until_on` (without it: on that day) end on `to_on` instead.

    The soonest go first. Days are the program's; what is held or pending, or has expired, is not moved.
    """

    member_id = member_id(required=True)
    asset = code(required=True)
    amount = integer(1, required=True)
    from_on = _day(required=True)
    until_on = _day(load_default=None, allow_none=True)
    to_on = _day(required=True)
    reason_code = code(required=True)
    note = note(load_default="")
    evidence = _evidence()

    @validates_schema
    def _check_days(self, given: dict[str, Any], **_: Any) -> None:
        if given["until_on"] is not None and given["until_on"] < given["from_on"]:
            raise ValidationError("It cannot be before from_on.", "until_on")
        if given["from_on"] <= given["to_on"] <= (given["until_on"] or given["from_on"]):
            raise ValidationError("It lies within the days that are to be moved; choose one before or behind.", "to_on")


class AdjustmentDecisionRequest(Schema):
    """Yes or no, and a word to the one who asked."""

    note = note(load_default="")


class AdjustmentResponse(Schema):
    """An adjustment; `beyond` says what made it wait, `undoes` and `undone_by` name the other of the two.

    A redating has days and how many points it `moved`; its undoing the same days, a negative `amount`, and in `moved`
    how many points got their days back.
    """

    id = fields.UUID(required=True)
    member_id = fields.Integer(required=True)
    asset = fields.String(required=True)
    amount = fields.Integer(required=True)
    reason_code = fields.String(required=True)
    note = fields.String(required=True)
    evidence = fields.String(required=True)
    validity = fields.String(required=True, allow_none=True)
    allow_debt = fields.Boolean(required=True)
    from_on = fields.Date(required=True, allow_none=True)
    until_on = fields.Date(required=True, allow_none=True)
    to_on = fields.Date(required=True, allow_none=True)
    moved = fields.Integer(required=True, allow_none=True)
    status = fields.String(required=True, validate=validate.OneOf([status.value for status in Status]))
    beyond = fields.String(required=True, allow_none=True, validate=validate.OneOf(["adjustment", "day", "shortening"]))
    requested_by = fields.String(required=True)
    requested_at = Instant(required=True)
    expires_at = Instant(required=True, metadata={"description": "Until when a second person can decide"})
    decided_by = fields.String(required=True, allow_none=True)
    decided_at = Instant(required=True, allow_none=True)
    decision_note = fields.String(required=True, allow_none=True)
    posted_at = Instant(required=True, allow_none=True)
    posting_id = fields.UUID(required=True, allow_none=True)
    undoes = fields.UUID(required=True, allow_none=True)
    undone_by = fields.UUID(required=True, allow_none=True)


class AdjustmentsQuery(Schema):
    """Which adjustments; `day` is a business day of the program."""

    status = fields.String(load_default=None, validate=validate.OneOf([status.value for status in Status]))
    agent = fields.String(load_default=None, validate=_STAFF_NAME)
    member_id = query_integer(1, load_default=None)
    day = _day(load_default=None)
    after = fields.UUID(load_default=None)
    limit = query_integer(1, 200, load_default=50)


class AdjustmentListResponse(Schema):
    """A page, newest first; send `next` as `after` to go on."""

    adjustments = fields.List(fields.Nested(AdjustmentResponse), required=True)
    next = fields.UUID(required=True, allow_none=True)


class ReasonSchema(Schema):
    """Why points are given or taken."""

    code = code(required=True)
    name_en = text(60, required=True)
    name_zh = text(60, required=True)


class ReasonsRequest(Schema):
    """The whole list."""

    reasons = fields.List(fields.Nested(ReasonSchema), required=True, validate=validate.Length(min=1, max=100))

    @validates_schema
    def _check_once(self, given: dict[str, Any], **_: Any) -> None:
        codes = [reason["code"] for reason in given["reasons"]]
        if len(set(codes)) < len(codes):
            raise ValidationError("A code can stand in the list once.", "reasons")


class ReasonsResponse(Schema):
    """The whole list."""

    reasons = fields.List(fields.Nested(ReasonSchema), required=True)


class LimitSchema(Schema):
    """What staff of a role post alone: of one asset, or without `asset` of each that has no limit of its own."""

    role = fields.String(required=True, validate=validate.OneOf(AGENTS))
    asset = code(load_default=None, allow_none=True)
    most_per_adjustment = integer(0, required=True)
    most_per_day = integer(0, required=True)


class LimitsRequest(Schema):
    """All limits; `pending_days` is how long a request waits for a second person."""

    limits = fields.List(fields.Nested(LimitSchema), required=True, validate=validate.Length(max=200))
    pending_days = integer(1, 90, load_default=7)

    @validates_schema
    def _check_once(self, given: dict[str, Any], **_: Any) -> None:
        keys = [(limit["role"], limit["asset"]) for limit in given["limits"]]
        if len(set(keys)) < len(keys):
            raise ValidationError("A role has one limit for each asset.", "limits")


class LimitsResponse(Schema):
    """All limits that were set; a role without one has the default of 500 at once and 2,000 a day."""

    limits = fields.List(fields.Nested(LimitSchema), required=True)
    pending_days = fields.Integer(required=True)
