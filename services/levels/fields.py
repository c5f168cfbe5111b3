"""Marshmallow fields of this service: a reward, part by part."""

from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load, validate, validates_schema

from common.http.fields import code, integer
from services.levels.reward import AssetPart, BadgePart

MOST_PARTS = 10


class RewardPart(Schema):
    """`{"kind": "asset", "asset": "points", "amount": 50}` or `{"kind": "badge", "badge": "streak-7"}`."""

    kind = fields.String(required=True, validate=validate.OneOf(["asset", "badge"]))
    asset = code()
    amount = integer(1)
    badge = code()

    @validates_schema
    def _whole(self, given: dict[str, Any], **_: Any) -> None:
        needed = {"asset": {"asset", "amount"}, "badge": {"badge"}}[given["kind"]]
        for name in sorted({"asset", "amount", "badge"}):
            if (name in given) != (name in needed):
                wanted = "needs" if name in needed else "takes no"
                raise ValidationError(f"A part of kind {given['kind']} {wanted} {name}.", name)

    @post_load
    def _part(self, given: dict[str, Any], **_: Any) -> AssetPart | BadgePart:
        if given["kind"] == "asset":
            return AssetPart(given["asset"], given["amount"])
        return BadgePart(given["badge"])


class RewardField(fields.List[Any]):
    """A list of parts in the wire, a tuple inside; empty only where `shortest=0`."""

    def __init__(self, *, shortest: int = 1, **kwargs: Any) -> None:
        bounds = validate.Length(min=shortest, max=MOST_PARTS)
        super().__init__(fields.Nested(RewardPart), validate=bounds, **kwargs)

    def _deserialize(self, *args: Any, **kwargs: Any) -> Any:
        return tuple(super()._deserialize(*args, **kwargs))
