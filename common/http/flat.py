"""A quick yes for flat bodies: the values that `schema.load` would give, or None when only the schema can say; and the
same for answers: what `schema.dump` would give.

Marshmallow takes 15-25 µs for a line of eight fields, a thousand times a request. Where every field is of a kind known
here, three or four comparisons each decide the same. Whatever is not plainly right goes to the schema, which words
what is wrong: so there is one list of rules and one of messages, and this module only saves time.
"""

from collections.abc import Callable
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, missing, validate
from marshmallow.decorators import VALIDATES_SCHEMA

from common.http.fields import Flag, Instant

#: Gives the loaded value, or raises ValidationError.
Read = Callable[[Any], Any]
QuickLoad = Callable[[Any], dict[str, Any] | None]
QuickDump = Callable[[Any], dict[str, Any]]


class _Doubtful(ValidationError):
    """Not plainly right: ask the schema."""

    def __init__(self) -> None:
        super().__init__("doubtful")


def quick_load(schema: Schema) -> QuickLoad | None:
    """The quick way for this schema, None when it has fields or hooks of another kind."""
    read = _read_object(schema)
    if read is None:
        return None

    def load(raw: Any) -> dict[str, Any] | None:
        try:
            return read(raw)  # type: ignore[no-any-return]
        except ValidationError:
            return None

    return load


def quick_dump(schema: Schema) -> QuickDump:
    """The dictionary that `schema.dump` gives for an object with all these attributes, of their own types.

    A schema with fields of another kind is simply asked itself.
    """
    known = [(name, _write_field(field)) for name, field in schema.dump_fields.items()]
    if any(schema._hooks.values()) or None in [write for _, write in known]:
        return schema.dump

    def dump(found: Any) -> dict[str, Any]:
        return {name: write(getattr(found, name)) for name, write in known if write}

    return dump


def _write_field(field: Any) -> Callable[[Any], Any] | None:
    if field.data_key is not None or field.attribute is not None or field.load_only or field.allow_none:
        return None
    kind = type(field)
    if kind in (fields.Integer, fields.String):
        return _itself
    if kind is fields.UUID:
        return str
    if kind is Instant:
        return lambda value: field._serialize(value, None, None)
    return None


def _itself(value: Any) -> Any:
    return value


def _read_object(schema: Schema) -> Read | None:
    laws = _laws(schema)
    if laws is None or schema.unknown != RAISE or schema.partial:
        return None
    known: list[tuple[str, bool, bool, Any, Read]] = []
    for name, field in schema.load_fields.items():
        read = _read_field(field)
        if read is None or field.data_key is not None or field.attribute is not None or field.dump_only:
            return None
        known.append((name, field.required, field.allow_none, field.load_default, read))

    def read_object(raw: Any) -> dict[str, Any]:
        if type(raw) is not dict:
            raise _Doubtful
        loaded: dict[str, Any] = {}
        given = 0
        for name, required, allow_none, default, read in known:
            if name in raw:
                given += 1
                value = raw[name]
                if value is not None:
                    loaded[name] = read(value)
                elif allow_none:
                    loaded[name] = None
                else:
                    raise _Doubtful
            elif required:
                raise _Doubtful
            elif default is not missing:
                loaded[name] = default() if callable(default) else default
        if given != len(raw):
            raise _Doubtful
        for law in laws:
            law(loaded, partial=False, many=False, unknown=RAISE)
        return loaded

    return read_object


def _laws(schema: Schema) -> list[Callable[..., None]] | None:
    """The schema's own checks of a whole object, which raise ValidationError; None when it has hooks of other kinds."""
    laws: list[Callable[..., None]] = []
    for tag, hooks in schema._hooks.items():
        for name, many, how in hooks:
            if tag != VALIDATES_SCHEMA or many or how.get("pass_original"):
                return None
            laws.append(getattr(schema, name))
    return laws


def _read_field(field: Any) -> Read | None:
    kind = type(field)
    if kind is fields.Dict:
        return _documented(field)
    checks = [_check(validator) for validator in field.validators]
    if None in checks:
        return None
    if kind is fields.Integer and field.strict:
        return _typed(int, checks)
    if kind is fields.String:
        return _typed(str, checks)
    if kind is Flag:
        return _typed(bool, checks)
    if kind is Instant and not checks:
        return lambda value: field._deserialize(value, None, None)
    if kind is fields.List:
        return _listed(field, checks)
    if kind is fields.Nested and not checks and not (field.many or field.only or field.exclude or field.unknown):
        return _read_object(field.schema)
    return None


def _typed(kind: type, checks: list[Any]) -> Read:
    def read(value: Any) -> Any:
        if type(value) is not kind:
            raise _Doubtful
        for check in checks:
            if not check(value):
                raise _Doubtful
        return value

    return read


def _listed(field: Any, checks: list[Any]) -> Read | None:
    read_item = _read_field(field.inner)
    if read_item is None or field.inner.allow_none:
        return None

    def read(value: Any) -> Any:
        if type(value) is not list or None in value or not all(check(value) for check in checks):
            raise _Doubtful
        return [read_item(item) for item in value]

    return read


def _documented(field: Any) -> Read | None:
    """Any JSON object: its keys are text already, and its validators are functions that raise ValidationError."""
    if field.value_field is not None or field.key_field.validators:
        return None

    def read(value: Any) -> Any:
        if type(value) is not dict:
            raise _Doubtful
        for check in field.validators:
            check(value)
        return value

    return read


def _check(validator: Any) -> Callable[[Any], bool] | None:
    """The validator as a predicate; None for one of another kind."""
    kind = type(validator)
    if kind is validate.And:
        inner = [_check(one) for one in validator.validators]
        return None if None in inner else lambda value: all(check(value) for check in inner if check)
    if kind is validate.Regexp:
        match = validator.regex.match
        return lambda value: match(value) is not None
    if kind is validate.OneOf:
        choices = frozenset(validator.choices)
        return choices.__contains__
    if kind is validate.NoneOf:
        banned = frozenset(validator.iterable)
        return lambda value: value not in banned
    if kind is validate.Equal:
        return lambda value: bool(value == validator.comparable)
    if kind is validate.Length and validator.equal is None:
        shortest, longest = validator.min or 0, validator.max if validator.max is not None else 2**63
        return lambda value: shortest <= len(value) <= longest
    if kind is validate.Range and validator.min_inclusive and validator.max_inclusive:
        low, high = validator.min, validator.max
        if low is not None and high is not None:
            return lambda value: bool(low <= value <= high)
    return None
