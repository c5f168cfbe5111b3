"""Marshmallow fields with the house's bounds: integers every JSON reader keeps exact, text without controls."""

from datetime import UTC, datetime
from typing import Any

from marshmallow import ValidationError, fields, validate

#: The largest integer every JSON reader (JavaScript's among them) keeps exact.
LARGEST = 2**53 - 1


def integer(low: int = 0, high: int = LARGEST, **kwargs: Any) -> fields.Integer:
    """A strict integer: refuses "5", 5.5 and true."""
    return fields.Integer(strict=True, validate=validate.Range(min=low, max=high), **kwargs)


def member_id(**kwargs: Any) -> fields.Integer:
    """A member's id."""
    return integer(1, **kwargs)


def query_integer(low: int = 0, high: int = LARGEST, **kwargs: Any) -> fields.Integer:
    """An integer in a query string, where all is text."""
    return fields.Integer(validate=validate.Range(min=low, max=high), **kwargs)


def text(longest: int, shortest: int = 1, **kwargs: Any) -> fields.String:
    """Text of bounded length without control characters."""
    pattern = validate.Regexp(r"^[^\x00-\x1f\x7f]*\Z", error="Control characters are not allowed.")
    return fields.String(validate=[validate.Length(min=shortest, max=longest), pattern], **kwargs)


def code(**kwargs: Any) -> fields.String:
    """A short name chosen by staff: lower-case letters, digits, `_` and `-`, up to 64."""
    return fields.String(validate=validate.Regexp(r"^[a-z][a-z0-9_-]{0,63}\Z"), **kwargs)


class Instant(fields.Field[datetime]):
    """An ISO-8601 instant with its offset, kept in UTC; years 2000 to 2199."""

    def __init__(self, **kwargs: Any) -> None:
        metadata = {"type": "string", "format": "date-time", **kwargs.pop("metadata", {})}
        super().__init__(metadata=metadata, **kwargs)

    def _serialize(self, value: datetime | None, attr: str | None, obj: Any, **_: Any) -> str | None:
        return None if value is None else value.astimezone(UTC).isoformat().replace("+00:00", "Z")

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> datetime:
        try:
            instant = datetime.fromisoformat(value)
        except (TypeError, ValueError) as error:
            raise ValidationError("Not an ISO-8601 instant, e.g. 2026-05-03T08:00:00+08:00.") from error
        if instant.tzinfo is None:
            raise ValidationError("The instant needs an offset, e.g. Z or +08:00.")
        if not 2000 <= instant.year < 2200:
            raise ValidationError("The year must be between 2000 and 2199.")
        return instant.astimezone(UTC)
