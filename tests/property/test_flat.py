"""The quick way into a schema says what the schema says, or nothing; a law for every body, right or wrong."""

import json
from datetime import datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import Schema, ValidationError, fields, post_load, validate

from common.http.fields import Flag, Instant, code, integer, text
from common.http.flat import quick_dump, quick_load, quick_load_many
from services.points.intake.schemas import EventSchema
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


@given(raw=st.lists(bodies(), min_size=1, max_size=4))
def test_many_at_once_are_read_as_each_by_itself(raw: list[Any]) -> None:
    quick, quick_many = quick_load(BatchLine()), quick_load_many(BatchLine())
    assert quick is not None
    assert quick_many is not None
    each = [quick(one) for one in raw]
    assert quick_many(raw) == (None if None in each else each)


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("amount", 2**53),
        ("amount", 0),
        ("amount", True),
        ("amount", Decimal(5)),
        ("amount", None),
        ("kind", "hold"),
        ("key", "a b"),
        ("reason", "x" * 201),
        ("reason", None),
        ("colour", "red"),
    ],
)
def test_one_wrong_line_among_right_ones_leaves_them_to_the_schema(name: str, wrong: Any, place: int) -> None:
    line = {"member_id": 1, "asset": "points", "kind": "earn", "amount": 10, "key": "a", "reason": "gift"}
    lines = [{**line, name: wrong} if number == place else line for number in range(3)]
    quick = quick_load(BatchRequest())
    assert quick is not None
    assert quick({"lines": lines}) is None
    assert quick({"lines": [line] * 3}) is not None


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
        Schema.from_dict({"n": fields.Float()})(),
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


class Part(Schema):
    """What stands within an answer."""

    asset = fields.String(required=True)
    until = fields.Date(required=True, allow_none=True)


class Shown(Schema):
    """An answer of every kind that is dumped quickly."""

    id = fields.UUID(required=True)
    parent = fields.UUID(required=True, allow_none=True)
    name = fields.String(required=True)
    note = fields.String(required=True, allow_none=True)
    amount = fields.Integer(required=True)
    open = fields.Boolean(required=True)
    on = fields.Date(required=True)
    at = Instant(required=True)
    ended_at = Instant(required=True, allow_none=True)
    refusal = fields.String(required=True, attribute="refusal_code")
    part = fields.Nested(Part, required=True)
    other = fields.Nested(Part, required=True, allow_none=True)
    parts = fields.List(fields.Nested(Part), required=True)
    days = fields.List(fields.Date(), required=True)


INSTANTS = st.datetimes(timezones=st.timezones(), min_value=datetime(1900, 1, 1), max_value=datetime(2200, 1, 1))  # noqa: DTZ001 - hypothesis wants naive bounds
PARTS = st.builds(SimpleNamespace, asset=st.text(), until=st.none() | st.dates())


@given(
    id=st.uuids(),
    parent=st.none() | st.uuids(),
    name=st.text(),
    note=st.none() | st.text(),
    amount=st.integers(),
    open=st.booleans(),
    on=st.dates(),
    at=INSTANTS,
    ended_at=st.none() | INSTANTS,
    refusal_code=st.text(),
    part=PARTS,
    other=st.none() | PARTS,
    parts=st.lists(PARTS, max_size=3),
    days=st.lists(st.dates(), max_size=3),
)
def test_an_answer(**values: Any) -> None:
    found, schema = SimpleNamespace(**values), Shown()
    dump = quick_dump(schema)
    assert dump != schema.dump
    assert json.dumps(dump(found)) == json.dumps(schema.dump(found))


@pytest.mark.parametrize(
    "field",
    [
        fields.Float(),
        fields.Date(format="%d.%m.%Y"),
        fields.String(data_key="other"),
        fields.String(attribute="a.b"),
        fields.Nested(Part, only=("asset",)),
        fields.Nested(Part, many=True),
        fields.List(fields.Float()),
        fields.List(fields.Date(allow_none=True)),
    ],
)
def test_an_answer_of_another_kind_is_dumped_by_its_schema(field: Any) -> None:
    schema = Schema.from_dict({"it": field})()
    assert quick_dump(schema) == schema.dump


EVENT = {
    "specversion": st.just("1.0"),
    "id": st.from_regex(r"[!-~]{1,9}", fullmatch=True),
    "source": st.just("shop"),
    "type": st.sampled_from(["review.posted", "order.paid", "order.refunded", "order.confirmed", "ledger.entry", "X"]),
    "subject": st.sampled_from(["member:17", "member:017", "customer_id:00123", "a/b/c:1"]),
    "time": st.sampled_from(["2026-05-03T08:00:00+08:00", "2026-05-03", "2026-05-03T08:00:00"]),
    "datacontenttype": st.sampled_from(["application/json", "text/xml"]),
    "data": st.dictionaries(
        st.sampled_from(["order_id", "paid_fen", "refund_id", "refunded_fen", "n"]),
        st.one_of(WRONG, st.just("A1"), st.integers(0, 100), st.just("x" * 17_000), st.just({"a": [1, {"b": 2}]})),
    ),
}


@given(raw=st.fixed_dictionaries({}, optional=EVENT) | st.fixed_dictionaries(EVENT) | WRONG)
def test_an_event_with_its_law_about_the_data_of_its_type(raw: Any) -> None:
    check(EventSchema(), raw)


def test_a_right_event_goes_the_quick_way() -> None:
    quick = quick_load(EventSchema())
    assert quick is not None
    data = {"order_id": "A1", "paid_fen": 1}
    right = {"specversion": "1.0", "id": "1", "source": "s", "type": "order.paid", "subject": "member:1", "data": data}
    assert quick({**right, "time": "2026-05-03T08:00:00Z"}) is not None
    assert quick({**right, "time": "2026-05-03T08:00:00Z", "data": {"order_id": "A1"}}) is None
