"""The quick way into a schema says what the schema says, or nothing; a law for every body, right or wrong."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import Schema, ValidationError, fields, post_load, validate

from common.http.fields import Flag, Instant, code, integer, text
from common.http.flat import quick_load
from services.points.ledger.schemas import BatchLine, BatchRequest, HoldRequest, PostingRequest

RIGHT = {
    "member_id": st.integers(1, 2**53 - 1),
    "asset": st.from_regex(r"[a-z][a-z0-9_-]{0,9}", fullmatch=True),
    "kind": st.sampled_from(["earn", "spend"]),
    "amount": st.integers(1, 10**6),
    "validity": st.sampled_from([None, "30D", "12M_U"]),
    "earned_at": st.sampled_from([None, "2026-05-03T08:00:00+08:00", "2026-05-03", "1999-01-01T00:00:00Z"]),
    "reason": st.text(max_size=5),
    "key": st.from_regex(r"[!-~]{1,9}", fullmatch=True),
    "ttl_seconds": st.integers(0, 10),
}
WRONG = st.sampled_from([None, True, 0, -1, 2**53, 5.5, Decimal("5.0"), "", "5", "x" * 300, "a\n", [], {}, [1]])


@st.composite
def bodies(draw: st.DrawFn) -> Any:
    """Mostly right, often with something missing, too much or of another kind."""
    body = {}
    for name, right in RIGHT.items():
        if draw(st.integers(0, 9)):
            body[name] = draw(right if draw(st.integers(0, 19)) else WRONG)
    for name in draw(st.sampled_from([(), (), ("key", "ttl_seconds"), ("ttl_seconds",), ("kind", "earned_at")])):
        body.pop(name, None)
    return draw(st.sampled_from([body, body, body, body, None, [body], 5, "x"]))


def check(schema: Schema, raw: Any) -> None:
    quick = quick_load(schema)
    assert quick is not None
    loaded = quick(raw)
    if loaded is not None:
        assert loaded == schema.load(raw)
        assert [type(value) for value in loaded.values()] == [type(value) for value in schema.load(raw).values()]


@given(raw=bodies())
@pytest.mark.parametrize("schema", [PostingRequest(), BatchLine(), HoldRequest()])
def test_a_body(schema: Schema, raw: Any) -> None:
    check(schema, raw)


@given(raw=st.fixed_dictionaries({}, optional={"lines": st.lists(bodies(), max_size=3), "atomic": WRONG}))
def test_a_batch(raw: Any) -> None:
    check(BatchRequest(), raw)


def test_what_is_plainly_right_needs_no_schema() -> None:
    line = {"member_id": 1, "asset": "points", "kind": "earn", "amount": 10, "key": "a-1"}
    quick = quick_load(BatchRequest())
    assert quick is not None
    assert quick({"lines": [line]}) == BatchRequest().load({"lines": [line]})


class Hooked(Schema):
    name = fields.String()

    @post_load
    def _upper(self, data: Any, **_: Any) -> Any:
        return data


@pytest.mark.parametrize(
    "schema",
    [
        Hooked(),
        Schema.from_dict({"at": fields.DateTime()})(),
        Schema.from_dict({"n": fields.Integer()})(),
        Schema.from_dict({"n": fields.String(validate=lambda value: bool(value))})(),
        Schema.from_dict({"n": fields.String(data_key="m")})(),
        Schema.from_dict({"n": fields.String(validate=validate.ContainsOnly("ab"))})(),
        Schema.from_dict({"n": fields.List(fields.DateTime())})(),
    ],
)
def test_a_schema_of_another_kind_has_no_quick_way(schema: Schema) -> None:
    assert quick_load(schema) is None


@given(value=st.one_of(WRONG, st.sampled_from(["a", "b", 3, False, "2026-05-03T08:00:00Z", ["a", "b"], [None]])))
@pytest.mark.parametrize(
    "field",
    [
        integer(1, 5, allow_none=True),
        text(3),
        code(),
        Flag(),
        fields.String(validate=validate.Equal("a")),
        fields.String(validate=validate.OneOf(["a", "b"])),
        fields.List(fields.String(), validate=validate.Length(min=1, max=2)),
        fields.List(fields.String(allow_none=False)),
        fields.Nested(PostingRequest),
        Instant(),
    ],
)
def test_every_kind_of_field(field: Any, value: Any) -> None:
    schema = Schema.from_dict({"it": field})()
    quick = quick_load(schema)
    assert quick is not None
    try:
        expected = schema.load({"it": value})
    except ValidationError:
        assert quick({"it": value}) is None
        return
    assert quick({"it": value}) in (None, expected)
