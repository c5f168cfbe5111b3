"""What goes over the wire about accounts: balances by bucket, journals, statements, totals."""

import uuid
from collections.abc import Callable
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from common.http.fields import Instant, query_integer
from services.points.ledger.balances import by_day
from services.points.ledger.domain import Kind
from services.points.ledger.schemas import OwnerQuery

MOST_STATEMENT_LINES = 1000
#: Shorter than a web process has to end its requests when it is replaced.
MOST_WAIT_SECONDS = 10


def _id(read: Callable[[Any], bytes]) -> fields.Function:
    shape = {"type": "string", "format": "uuid"}
    return fields.Function(lambda it: str(uuid.UUID(bytes=read(it))), metadata=shape, required=True)


class AccountQuery(OwnerQuery):
    """`as_of` is any instant: a past one gives what a reader saw then, a future one what time alone will make of it."""

    as_of = Instant(load_default=None)


class EntriesQuery(OwnerQuery):
    """A page of entries: those with a seq below `before`, newest first; or those behind `after_seq`, oldest first.

    With `wait_seconds` the answer waits so long for an entry behind `after_seq` while there is none.
    """

    before = query_integer(1, load_default=None)
    after_seq = query_integer(0, load_default=None)
    wait_seconds = query_integer(0, MOST_WAIT_SECONDS, load_default=0)
    limit = query_integer(1, 200, load_default=50)

    @validates_schema
    def _one_way(self, data: dict[str, Any], **_: Any) -> None:
        if data["after_seq"] is None and data["wait_seconds"]:
            raise ValidationError("Say behind which entry: after_seq.", "wait_seconds")
        if data["after_seq"] is not None and data["before"] is not None:
            raise ValidationError("Go back with before or on with after_seq, not both.", "before")


class StatementQuery(OwnerQuery):
    """A month such as 2026-05, the present one when left out; and a page of its lines, those behind seq `after`."""

    month = fields.String(load_default=None, validate=validate.Regexp(r"^20\d\d-(0[1-9]|1[0-2])\Z"))
    after = query_integer(1, load_default=None)
    limit = query_integer(1, MOST_STATEMENT_LINES, load_default=MOST_STATEMENT_LINES)


class ExpiringSchema(Schema):
    """Usable until the end of the day `on`, in the program's zone; null never expires."""

    on = fields.Date(required=True, allow_none=True)
    amount = fields.Integer(required=True)


class AwaitedSchema(Schema):
    """A pending earning: what is left of it becomes available at that instant."""

    posting_id = _id(lambda it: it.posting_id)
    amount = fields.Integer(required=True)
    available_at = Instant(required=True)


class ReservedSchema(Schema):
    """An open hold: what it keeps comes back by itself at `expires_at`, unless it is captured or voided before."""

    hold_id = _id(lambda it: it.hold_id)
    amount = fields.Integer(required=True)
    expires_at = Instant(required=True)


class LifetimeSchema(Schema):
    """All that ever happened: earned − spent − expired + reversed + transferred = balance; the last two are signed."""

    earned = fields.Integer(required=True)
    spent = fields.Integer(required=True)
    expired = fields.Integer(required=True)
    reversed = fields.Integer(required=True)
    transferred = fields.Integer(required=True)


class AccountSummary(Schema):
    """An account by bucket: available + pending + held − debt = balance."""

    asset = fields.String(required=True)
    balance = fields.Integer(required=True)
    available = fields.Integer(required=True)
    pending = fields.Integer(required=True)
    held = fields.Integer(required=True)
    debt = fields.Integer(required=True)
    frozen = fields.Boolean(required=True)
    next_expiry = fields.Nested(ExpiringSchema, required=True, allow_none=True)
    next_activation = fields.Nested(AwaitedSchema, required=True, allow_none=True)
    lots = fields.List(fields.Nested(ExpiringSchema), required=True)


class AccountResponse(AccountSummary):
    """An account by bucket at an instant, what ends when, and all that ever happened on it."""

    as_of = Instant(required=True)
    holds = fields.List(fields.Nested(ReservedSchema), required=True)
    pending_earnings = fields.List(fields.Nested(AwaitedSchema), required=True, attribute="awaited")
    lifetime = fields.Nested(LifetimeSchema, required=True)


class AccountListResponse(Schema):
    """Every account of a member."""

    accounts = fields.List(fields.Nested(AccountSummary), required=True)


class _Lots(fields.List[Any]):
    """Moves `[day, amount, …]` as lots."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> Any:
        return super()._serialize(by_day(value), attr, obj, **kwargs)


class EntryResponse(Schema):
    """One line of the journal, with its cause."""

    seq = fields.Integer(required=True)
    kind = fields.Function(lambda row: Kind(row.kind).name.lower(), metadata={"type": "string"}, required=True)
    amount = fields.Integer(required=True)
    held_delta = fields.Integer(required=True)
    balance_after = fields.Integer(required=True)
    held_after = fields.Integer(required=True)
    at = Instant(required=True)
    cause = fields.String(required=True)
    rule_version = fields.Integer(required=True, allow_none=True)
    reverses = fields.Integer(required=True, allow_none=True)
    reversed = fields.Integer(
        required=True, allow_none=True, metadata={"description": "How much of the entry `reverses` this one undid"}
    )
    hold_id = fields.UUID(required=True, allow_none=True)
    lots = _Lots(
        fields.Nested(ExpiringSchema),
        required=True,
        metadata={"description": "What it did to the lots, signed, by last day: a redating takes from one for another"},
    )
    posting_id = fields.UUID(required=True)
    hash = fields.Function(lambda row: row.hash.hex(), metadata={"type": "string"}, required=True)
    meta = fields.Dict(required=True, allow_none=True)


class EntriesResponse(Schema):
    """A page of the journal; send `next` as `before` to go on, null at the end.

    Behind an `after_seq`, `next` is the `after_seq` to go on from, and there is no end.
    """

    entries = fields.List(fields.Nested(EntryResponse), required=True)
    next = fields.Integer(required=True, allow_none=True)


class StatementResponse(Schema):
    """A month, and a page of its lines: brought_forward + Σ amounts = carried_forward; send `next` as `after` to go on.

    The first page brings the month's opening forward, the others what was carried; the last carries the closing.
    """

    asset = fields.String(required=True, attribute="month.asset")
    month = fields.String(required=True, attribute="month.month")
    opening = fields.Integer(required=True, attribute="month.opening")
    closing = fields.Integer(required=True, attribute="month.closing")
    brought_forward = fields.Integer(required=True)
    entries = fields.List(fields.Nested(EntryResponse), required=True)
    carried_forward = fields.Integer(required=True)
    next = fields.Integer(required=True, allow_none=True)


class TotalsResponse(Schema):
    """An asset's whole life: issued + reversed − redeemed − expired = outstanding."""

    asset = fields.String(required=True)
    members = fields.Integer(required=True)
    issued = fields.Integer(required=True)
    redeemed = fields.Integer(required=True)
    expired = fields.Integer(required=True)
    reversed = fields.Integer(required=True)
    outstanding = fields.Integer(required=True)
    debt = fields.Integer(required=True)
    as_of = Instant(required=True)
