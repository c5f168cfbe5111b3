"""How a reward is written in the settings of a campaign."""

from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from common.http.fields import code, integer

_NEEDED = {"asset": {"asset", "amount"}, "badge": {"badge"}}


class RewardPart(Schema):
    """One part: an amount of an asset, or a badge."""

    kind = fields.String(required=True, validate=validate.OneOf(_NEEDED))
    asset = code()
    amount = integer(1)
    badge = code()

    @validates_schema
    def has_what_its_kind_needs(self, part: dict[str, Any], **_: Any) -> None:
        """Raise unless the part has the fields of its kind and no others."""
        needed = _NEEDED[part["kind"]]
        given = set(part) - {"kind"}
        wrong = {name: ["Missing data for required field."] for name in needed - given}
        wrong |= {name: [f"A part of kind {part['kind']} has no {name}."] for name in given - needed}
        if wrong:
            raise ValidationError(wrong)


def reward(shortest: int, **kwargs: Any) -> fields.List[Any]:
    """A list of at least `shortest` and at most ten parts."""
    return fields.List(fields.Nested(RewardPart), validate=validate.Length(min=shortest, max=10), **kwargs)
