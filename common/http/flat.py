"""A quick yes for flat bodies: the values that `schema.load` would give, or None when only the schema can say; and the
same for answers: what `schema.dump` would give.

Marshmallow takes 15-25 µs for a line of eight fields, a thousand times a request. Where every field is of a kind known
here, a few comparisons over all values of a field decide the same; a single object is a column of one. Whatever is not
plainly right goes to the schema, which words what is wrong: so there is one list of rules and one of messages, and this
module only saves time.
"""

from collections.abc import Callable
from datetime import date
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, missing, validate
from marshmallow.decorators import VALIDATES_SCHEMA

from common.http.fields import Flag, Instant

#: Gives the loaded values of a column, none of whose values is None; or raises ValidationError.
Read = Callable[[list[Any]], list[Any]]
#: Whether all values of a column are right.
Check = Callable[[list[Any]], bool]
QuickLoad = Callable[[Any], dict[str, Any] | None]
QuickLoadMany = Callable[[list[Any]], list[dict[str, Any]] | None]
QuickDump = Callable[[Any], dict[str, Any]]


_LONGEST_INTEGER = 18


class _Doubtful(ValidationError):
    """Not plainly right: ask the schema."""

    def __init__(self) -> None:
        super().__init__("doubtful")


def quick_load(schema: Schema) -> QuickLoad | None:
    """The quick way for this schema, None when it has fields or hooks of another kind."""
    load_many = quick_load_many(schema)
    if load_many is None:
        return None

    def load(raw: Any) -> dict[str, Any] | None:
        loaded = load_many([raw])
        return loaded[0] if loaded else None

    return load


def quick_load_many(schema: Schema) -> QuickLoadMany | None:
    """The quick way for one or more objects of this schema at once; they are read field by field, not one by one."""
    read = _read_objects(schema)
    if read is None:
        return None

    def load(raw: list[Any]) -> list[dict[str, Any]] | None:
        try:
            return read(raw)
        except ValidationError:
            return None

    return load


def quick_dump(schema: Schema) -> QuickDump:
    """The dictionary that `schema.dump` gives for an object with all these attributes, of their own types.

    A schema with fields of another kind is simply asked itself.
    """
    known = [(name, field.attribute or name, _write_field(field)) for name, field in schema.dump_fields.items()]
    if any(schema._hooks.values()) or None in [write for _, _, write in known]:
        return schema.dump

    def dump(found: Any) -> dict[str, Any]:
        return {name: write(getattr(found, attribute)) for name, attribute, write in known if write}

    return dump


def _write_field(field: Any) -> Callable[[Any], Any] | None:
    if field.data_key is not None or "." in (field.attribute or "") or field.load_only:
        return None
    write = _writer(field)
    if write is None or not field.allow_none or write is _itself:
        return write
    return lambda value: None if value is None else write(value)


def _writer(field: Any) -> Callable[[Any], Any] | None:
    kind = type(field)
    if kind in (fields.Integer, fields.String, fields.Boolean):
        return _itself
    if kind is fields.UUID:
        return str
    if kind is Instant:
        return lambda value: field._serialize(value, None, None)
    if kind is fields.Date and field.format in (None, "iso"):
        return date.isoformat
    if kind is fields.Nested and not (field.many or field.only or field.exclude):
        return quick_dump(field.schema)
    if isinstance(field, fields.List) and kind._serialize is fields.List._serialize and not field.inner.allow_none:
        write = _write_field(field.inner)
        return None if write is None else lambda values: [write(value) for value in values]
    return None


def _itself(value: Any) -> Any:
    return value


def _read_objects(schema: Schema) -> Read | None:
    laws = _laws(schema)
    if laws is None or schema.unknown != RAISE or schema.partial:
        return None
    known: dict[str, tuple[Any, Read]] = {}
    for name, field in schema.load_fields.items():
        read = _read_field(field)
        if read is None or field.data_key is not None or field.attribute is not None or field.dump_only:
            return None
        known[name] = field, read
    blank = {name: field.load_default for name, (field, _) in known.items()}
    unsettled = [name for name, default in blank.items() if default is missing or callable(default)]

    def read_objects(rows: list[Any]) -> list[Any]:
        if set(map(type, rows)) != {dict}:
            raise _Doubtful
        given = set().union(*rows)
        if not given <= known.keys():
            raise _Doubtful
        loaded = [{**blank, **row} for row in rows]
        for name, (field, read) in known.items():
            if name in given:
                _read_column(name, field, read, rows, loaded)
            elif field.required:
                raise _Doubtful
        for name in unsettled:
            _settle(name, blank[name], rows, loaded)
        for one in loaded:
            for law in laws:
                law(one, partial=False, many=False, unknown=RAISE)
        return loaded

    return read_objects


def _read_column(name: str, field: Any, read: Read, rows: list[Any], loaded: list[dict[str, Any]]) -> None:
    """Read what the rows say of one field into what is loaded of them."""
    said = [one for one, row in zip(loaded, rows, strict=True) if row.get(name) is not None]
    if len(said) < len(rows):
        for row in rows:
            if row.get(name) is None and (not field.allow_none if name in row else field.required):
                raise _Doubtful
    values = [one[name] for one in said]
    found = read(values) if values else values
    if found is not values:
        for one, value in zip(said, found, strict=True):
            one[name] = value


def _settle(name: str, default: Any, rows: list[Any], loaded: list[dict[str, Any]]) -> None:
    """What a row does not say is made anew for each, or is not there at all."""
    for one, row in zip(loaded, rows, strict=True):
        if name not in row:
            if default is missing:
                del one[name]
            else:
                one[name] = default()


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
    if kind is fields.Integer:
        return _typed(int, checks) if field.strict else _worded(checks)
    if kind is fields.String:
        return _typed(str, checks)
    if kind is Flag:
        return _typed(bool, checks)
    if kind is Instant and not checks:
        return lambda values: [field._deserialize(value, None, None) for value in values]
    if kind is fields.List:
        return _listed(field, checks)
    if kind is fields.Nested and not checks and not (field.many or field.only or field.exclude or field.unknown):
        return _read_objects(field.schema)
    return None


def _typed(kind: type, checks: list[Any]) -> Read:
    def read(values: list[Any]) -> list[Any]:
        if set(map(type, values)) != {kind} or not all(check(values) for check in checks):
            raise _Doubtful
        return values

    return read


def _worded(checks: list[Any]) -> Read:
    """An integer as a query says it, where all is text."""

    def read(values: list[Any]) -> list[Any]:
        for value in values:
            if type(value) is not str or not (value.isascii() and value.isdigit()) or len(value) > _LONGEST_INTEGER:
                raise _Doubtful
        numbers = [int(value) for value in values]
        if not all(check(numbers) for check in checks):
            raise _Doubtful
        return numbers

    return read


def _listed(field: Any, checks: list[Any]) -> Read | None:
    read_items = _read_field(field.inner)
    if read_items is None or field.inner.allow_none:
        return None

    def read(values: list[Any]) -> list[Any]:
        if set(map(type, values)) != {list} or not all(check(values) for check in checks):
            raise _Doubtful
        if any(None in value for value in values):
            raise _Doubtful
        return [read_items(value) if value else [] for value in values]

    return read


def _documented(field: Any) -> Read | None:
    """Any JSON object: its keys are text already, and its validators are functions that raise ValidationError."""
    if field.value_field is not None or field.key_field.validators:
        return None

    def read(values: list[Any]) -> list[Any]:
        if set(map(type, values)) != {dict}:
            raise _Doubtful
        for check in field.validators:
            for value in values:
                check(value)
        return values

    return read


def _check(validator: Any) -> Check | None:
    """The validator as a predicate over a column; None for one of another kind."""
    kind = type(validator)
    if kind is validate.And:
        inner = [_check(one) for one in validator.validators]
        return None if None in inner else lambda values: all(check(values) for check in inner if check)
    if kind is validate.Regexp:
        match = validator.regex.match
        return lambda values: all(map(match, values))
    if kind is validate.OneOf:
        return frozenset(validator.choices).issuperset
    if kind is validate.NoneOf:
        return frozenset(validator.iterable).isdisjoint
    if kind is validate.Equal:
        return lambda values: all(value == validator.comparable for value in values)
    if kind is validate.Length and validator.equal is None:
        shortest, longest = validator.min or 0, validator.max if validator.max is not None else 2**63
        return lambda values: shortest <= min(map(len, values)) and max(map(len, values)) <= longest
    if kind is validate.Range and validator.min_inclusive and validator.max_inclusive:
        low, high = validator.min, validator.max
        if low is not None and high is not None:
            return lambda values: bool(low <= min(values) and max(values) <= high)
    return None
