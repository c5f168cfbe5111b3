"""What goes over the wire about experiments."""

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from marshmallow import Schema, ValidationError, fields, validates_schema

from common.http.fields import Instant
from services.points.rules.document_schemas import GoalDocument

_SHOWN = Decimal("0.0001")


class ExperimentQuery(Schema):
    """Over which events, `from` ≤ time < `to`; from its first publication until now unless told."""

    since = Instant(data_key="from", load_default=None)
    until = Instant(data_key="to", load_default=None)

    @validates_schema
    def _check_time(self, query: dict[str, Any], **_: Any) -> None:
        if query["since"] and query["until"] and query["since"] >= query["until"]:
            raise ValidationError("It must be after from.", "to")


class ComparisonResponse(Schema):
    """Against the first variant, by the two-proportion z-test over members who converted.

    `p_value`: how likely chance alone makes such a difference. `significant`: it is below 0.05, shared among the
    comparisons, and there is `enough` to compare (five expected of each kind).
    """

    p_value = fields.Function(lambda it: f"{it.p_value:.4f}", metadata={"type": "string", "examples": ["0.0312"]})
    significant = fields.Boolean(required=True)
    enough = fields.Boolean(required=True)


class VariantOutcome(Schema):
    """What came of one variant.

    `members` met it at `events`; `awarded` counts what later arrivals changed of it, `taken_back` is what refunds took.
    `converted` reached the goal in time, `open` still may; `conversion` is `converted` of `members` as decimal text.
    """

    variant = fields.String(required=True)
    weight = fields.Integer(required=True)
    formula = fields.String(required=True, allow_none=True)
    members = fields.Integer(required=True)
    events = fields.Integer(required=True)
    awarded = fields.Integer(required=True)
    taken_back = fields.Integer(required=True)
    converted = fields.Integer(required=True, allow_none=True)
    open = fields.Integer(required=True, allow_none=True)
    conversion = fields.String(required=True, allow_none=True)
    spend_fen = fields.Integer(required=True)
    spend_per_member_fen = fields.Integer(required=True, allow_none=True)
    compared = fields.Nested(ComparisonResponse, required=True, allow_none=True)


class ExperimentResponse(Schema):
    """The rule's newest experiment, in which `versions` it ran, and what came of each variant, the first one first."""

    rule = fields.String(required=True)
    experiment = fields.String(required=True)
    versions = fields.List(fields.Integer(), required=True)
    since = Instant(required=True, data_key="from")
    until = Instant(required=True, data_key="to")
    goal = fields.Nested(GoalDocument, required=True, allow_none=True)
    variants = fields.List(fields.Nested(VariantOutcome), required=True)


def shown(outcome: Any) -> dict[str, Any]:
    """The outcome as its schema dumps it: shares as decimal text, amounts per member rounded down."""
    goal = outcome.experiment.goal
    each = zip(outcome.experiment.variants, outcome.figures, outcome.comparisons, strict=True)
    return {
        "rule": outcome.rule,
        "experiment": outcome.experiment.name,
        "versions": outcome.versions,
        "since": outcome.since,
        "until": outcome.until,
        "goal": goal,
        "variants": [
            {
                "variant": variant.code,
                "weight": variant.weight,
                "formula": variant.formula,
                "members": figures.members,
                "events": figures.events,
                "awarded": figures.awarded,
                "taken_back": figures.taken_back,
                "converted": figures.converted if goal else None,
                "open": figures.open if goal else None,
                "conversion": _share(figures.converted, figures.members) if goal else None,
                "spend_fen": figures.spend_fen,
                "spend_per_member_fen": figures.spend_fen // figures.members if figures.members else None,
                "compared": comparison,
            }
            for variant, figures, comparison in each
        ],
    }


def _share(part: int, whole: int) -> str | None:
    return str((Decimal(part) / whole).quantize(_SHOWN, ROUND_HALF_UP)) if whole else None
