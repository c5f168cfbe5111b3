"""What goes over the wire about back-tests."""

from datetime import timedelta
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from common.http.fields import Instant, code, integer, query_integer

_LONGEST = timedelta(days=366)
_MOST_RULES = 100


def _codes(**kwargs: Any) -> fields.List[Any]:
    return fields.List(code(), validate=validate.Length(max=_MOST_RULES), load_default=list, **kwargs)


class BacktestRequest(Schema):
    """Which time (the last `days` business days, or `from` ≤ time < `to`, at most a year) and which changes of rules.

    The candidate is the live set with the drafts of `drafts` in place of their rules (or joining them), and without the
    rules of `retire`. With neither, what is live is compared with what was really awarded.
    """

    days = integer(1, 365, load_default=None, allow_none=True)
    since = Instant(data_key="from", load_default=None, allow_none=True)
    until = Instant(data_key="to", load_default=None, allow_none=True)
    drafts = _codes()
    retire = _codes()

    @validates_schema
    def _check_time(self, data: dict[str, Any], **_: Any) -> None:
        days, since, until = data["days"], data["since"], data["until"]
        if (days is None) == (since is None) or (since is None) != (until is None):
            raise ValidationError("Send days, or from and to.", "days")
        if since is not None and not timedelta() < until - since <= _LONGEST:
            raise ValidationError("It must be after from, by at most 366 days.", "to")

    @validates_schema
    def _check_rules(self, data: dict[str, Any], **_: Any) -> None:
        if set(data["drafts"]) & set(data["retire"]):
            raise ValidationError("A rule cannot be both drafted and left out.", "retire")


class BacktestsQuery(Schema):
    """A page of back-tests, newest first."""

    before = query_integer(1, load_default=None)
    limit = query_integer(1, 100, load_default=20)


class EventsProgress(Schema):
    """How many events there are to replay, how many are, and how many a second a worker gets through."""

    all = fields.Integer(required=True)
    done = fields.Integer(required=True)
    per_second = fields.Integer(required=True, allow_none=True)


class BacktestResponse(Schema):
    """A back-test: what was asked and how far it has come. `replayed_from`: earlier events only fill caps."""

    id = fields.Integer(required=True)
    state = fields.String(required=True, validate=validate.OneOf(["queued", "running", "done", "failed", "cancelled"]))
    actor = fields.String(required=True)
    asked_at = Instant(required=True)
    since = Instant(required=True, data_key="from")
    until = Instant(required=True, data_key="to")
    warm_since = Instant(required=True, data_key="replayed_from")
    drafts = fields.List(fields.String(), required=True)
    retired = fields.List(fields.String(), required=True, data_key="retire")
    events = fields.Nested(EventsProgress, required=True)
    ended_at = Instant(required=True, allow_none=True)
    failure = fields.String(required=True, allow_none=True)


class MembersMoved(Schema):
    """How many members would get more, less or the same of an asset; who gets none under either set is not counted."""

    gaining = fields.Integer(required=True)
    losing = fields.Integer(required=True)
    same = fields.Integer(required=True)


class Amounts(Schema):
    """Net of refunds: under the live set, under the candidate, and what was really awarded."""

    now = fields.Integer(required=True)
    candidate = fields.Integer(required=True)
    recorded = fields.Integer(required=True)


class DayFigures(Amounts):
    """One business day."""

    day = fields.String(required=True)


class AssetFigures(Amounts):
    """One asset: cost, who gains and loses, and its days."""

    asset = fields.String(required=True)
    difference = fields.Integer(required=True)
    members = fields.Nested(MembersMoved, required=True)
    days = fields.List(fields.Nested(DayFigures), required=True)


class BudgetFigures(Schema):
    """How far a budget would go, counted from the first replayed event; `spent_at` is when it first cut an award."""

    amount = fields.Integer(required=True)
    spent = fields.Integer(required=True)
    spent_at = fields.String(required=True, allow_none=True)


class VariantFigures(Schema):
    """What members of one variant of the rule's experiment would be awarded, net of refunds."""

    variant = fields.String(required=True)
    awards = fields.Integer(required=True)
    cost = fields.Integer(required=True)


class RuleSide(Schema):
    """A rule in one of the sets. `version` null: its draft. `cut` counts awards by the limit that cut them last."""

    version = fields.Integer(required=True, allow_none=True)
    awards = fields.Integer(required=True)
    cost = fields.Integer(required=True)
    taken_back = fields.Integer(required=True)
    cut = fields.Dict(keys=fields.String(), values=fields.Integer(), required=True)
    withheld = fields.Integer(required=True)
    budget = fields.Nested(BudgetFigures, required=True, allow_none=True)
    variants = fields.List(fields.Nested(VariantFigures))


class RecordedRule(Schema):
    """What the rule was really awarded for, in whatever versions it had then."""

    awards = fields.Integer(required=True)
    cost = fields.Integer(required=True)


class RuleComparison(Schema):
    """One rule under both sets; null where it is not in the set."""

    rule = fields.String(required=True)
    asset = fields.String(required=True)
    now = fields.Nested(RuleSide, required=True, allow_none=True)
    candidate = fields.Nested(RuleSide, required=True, allow_none=True)
    difference = fields.Integer(required=True)
    recorded = fields.Nested(RecordedRule, required=True)


class ChangeOfMember(Schema):
    """What a member would get instead."""

    member_id = fields.Integer(required=True)
    asset = fields.String(required=True)
    now = fields.Integer(required=True)
    candidate = fields.Integer(required=True)
    difference = fields.Integer(required=True)


class Sentence(Schema):
    """The result in a sentence."""

    en = fields.String(required=True)
    zh = fields.String(required=True)


class BacktestResult(Schema):
    """What was found. The same events and rules always give the same `digest`."""

    summary = fields.Nested(Sentence, required=True)
    events = fields.Integer(required=True)
    refunds_of_earlier_orders = fields.Integer(required=True)
    assets = fields.List(fields.Nested(AssetFigures), required=True)
    rules = fields.List(fields.Nested(RuleComparison), required=True)
    largest_changes = fields.List(fields.Nested(ChangeOfMember), required=True)
    digest = fields.String(required=True)


class BacktestReport(BacktestResponse):
    """A back-test with its result, once there is one."""

    result = fields.Nested(BacktestResult, required=True, allow_none=True)


class BacktestList(Schema):
    """Back-tests, newest first; `next` is the `before` of the next page, null on the last."""

    backtests = fields.List(fields.Nested(BacktestResponse), required=True)
    next = fields.Integer(required=True, allow_none=True)
