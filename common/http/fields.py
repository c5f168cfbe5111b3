"""Marshmallow fields with the house's bounds: integers every JSON reader keeps exact, text without controls."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from marshmallow import ValidationError, fields, validate

#: The largest integer every JSON reader (JavaScript's among them) keeps exact.
LARGEST = 2**53 - 1
#: How staff name things, in bodies and in addresses.
CODE = "[a-z][a-z0-9_-]{0,63}"
_LONGEST_DOCUMENT = 16_384
_DEEPEST_DOCUMENT = 8


def integer(low: int = 0, high: int = LARGEST, **kwargs: Any) -> fields.Integer:
    """A strict integer: refuses "5", 5.5 and true."""
    return fields.Integer(strict=True, validate=validate.Range(min=low, max=high), **kwargs)


def member_id(**kwargs: Any) -> fields.Integer:
    """A member's id."""
    return integer(1, **kwargs)


def query_integer(low: int = 0, high: int = LARGEST, **kwargs: Any) -> fields.Integer:
    """An integer in a query string, where all is text."""
    return fields.Integer(validate=validate.Range(min=low, max=high), **kwargs)


class Flag(fields.Boolean):
    """true or false, and nothing that Python takes for them: not 1, not "yes"."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bool:
        if not isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        return value


def text(longest: int, shortest: int = 1, **kwargs: Any) -> fields.String:
    """Text of bounded length without control characters."""
    pattern = validate.Regexp(r"^[^\x00-\x1f\x7f]*\Z", error="Control characters are not allowed.")
    return fields.String(validate=[validate.Length(min=shortest, max=longest), pattern], **kwargs)


def code(**kwargs: Any) -> fields.String:
    """A short name chosen by staff: lower-case letters, digits, `_` and `-`, up to 64."""
    return fields.String(validate=validate.Regexp(rf"^{CODE}\Z"), **kwargs)


def document(**kwargs: Any) -> fields.Dict:
    """A JSON object of bounded size and depth, in which every number is one that all readers keep exact."""
    return fields.Dict(keys=fields.String(), validate=_check_document, **kwargs)


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


def _check_document(data: dict[str, Any]) -> None:
    if _is_plain(data):
        return
    # The depth comes first: the text of something too deep cannot be taken.
    if _depth(data) > _DEEPEST_DOCUMENT or len(str(data)) > _LONGEST_DOCUMENT:
        raise ValidationError(f"At most {_LONGEST_DOCUMENT} characters and {_DEEPEST_DOCUMENT} levels of data.")
    if not _exact(data):
        raise ValidationError("Numbers in data must be exact: integers within ±(2^53 - 1), fractions of 15 digits.")


def _is_plain(data: dict[str, Any]) -> bool:
    """Whether it is a small flat object of text and integers, as most are; of others the full check must say."""
    length = 0
    for name, value in data.items():
        kind = type(value)
        if kind is str:
            length += len(value)
        elif kind is not int or abs(value) > LARGEST:
            return False
        length += len(name) + 4
    # A character takes at most ten when it is shown.
    return length * 10 <= _LONGEST_DOCUMENT


def _depth(value: Any, deep: int = 0) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return max((_depth(item, deep + 1) for item in inner), default=deep) if deep <= _DEEPEST_DOCUMENT else deep


def _exact(value: Any) -> bool:
    if isinstance(value, dict):
        return all(map(_exact, value.values()))
    if isinstance(value, list):
        return all(map(_exact, value))
    if isinstance(value, Decimal):
        return len(value.as_tuple().digits) <= 15 and abs(value.adjusted()) <= 15
    return not isinstance(value, int) or abs(value) <= LARGEST
