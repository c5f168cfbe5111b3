"""Laws of what may come in as an event, a question or a rule: every bound on its edge and right behind it."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import Schema

from services.points.intake.schemas import EventSchema, EventsQuery
from services.points.rules.simulation_schemas import SimulationRequest
from tests.earning import event, paid, refunded


def errors(value: dict[str, Any], schema: type[Schema] = EventSchema) -> dict[str, Any]:
    """What is wrong with the value, by field."""
    return dict(schema().validate(value))


def test_an_event_is_read_with_its_instant_in_utc_and_data_of_its_own() -> None:
    read = EventSchema().load(event(time="2026-05-03T00:30:00+08:00"))
    assert read["time"] == datetime(2026, 5, 2, 16, 30, tzinfo=UTC)
    sent = event()
    del sent["data"]
    assert EventSchema().load(sent)["data"] == {}


@pytest.mark.parametrize(
    "subject",
    [
        "member:1",
        "member:999999999999999",
        "members:1",
        "member_card:1",
        "customer_id:00123",
        "wechat_openid/wx12_-AB:o6_bmjrPTlm6_2sgVt7hMZOPfL2M",
        "phone_hash:" + "f" * 128,
        "a:b:c/d",
        "x" * 32 + ":1",
    ],
)
def test_a_subject_is_a_member_or_an_identity(subject: str) -> None:
    assert errors(event(subject=subject)) == {}


@pytest.mark.parametrize(
    "subject",
    [
        "",
        "member",
        "member:",
        "member:0",
        "member:01",
        "member:x",
        "member:1\n",
        "member:1000000000000000",
        "member:१",
        "member/app:1",
        "customer_id:",
        "customer id:1",
        "Customer_id:1",
        "1id:1",
        "wechat_openid/:1",
        "wechat_openid/a b:1",
        "phone_hash:" + "f" * 129,
        "x" * 33 + ":1",
        "customer_id:积分",
        17,
        None,
    ],
)
def test_anything_else_is_no_subject(subject: Any) -> None:
    assert set(errors(event(subject=subject))) == {"subject"}


@pytest.mark.parametrize(
    "time",
    ["2026-05-03", "2026-05-03T08:00:00", "03.05.2026", "", "1999-12-31T23:59:59Z", "2200-01-01T00:00:00Z", 0, None],
)
def test_a_time_is_an_instant_with_its_offset_in_this_age(time: Any) -> None:
    assert set(errors(event(time=time))) == {"time"}


@pytest.mark.parametrize("time", ["2000-01-01T00:00:00Z", "2199-12-31T23:59:59Z", "2026-05-03T08:00:00.123456+08:00"])
def test_edges_of_time_are_welcome(time: str) -> None:
    assert errors(event(time=time)) == {}


@pytest.mark.parametrize(
    ("field", "good", "bad"),
    [
        ("id", ["1", "!" * 128, "a/b"], ["", "a b", "x" * 129, "é", 5]),
        ("source", ["shop", "//pos/17"], ["", "my shop", "x" * 129, None]),
        ("type", ["a", "order.paid", "x" * 64], ["", "Order", "1a", "x" * 65, "a b", "ledger.entry", "reward.granted"]),
        ("specversion", ["1.0"], ["1", 1.0, "1.1"]),
        ("datacontenttype", ["application/json"], ["text/json", ""]),
    ],
)
def test_every_attribute_has_its_form(field: str, good: list[Any], bad: list[Any]) -> None:
    for value in good:
        sent = event(**{field: value})
        if value == "order.paid":
            sent["data"] = paid()["data"]
        assert errors(sent) == {}, value
    for value in bad:
        assert set(errors(event(**{field: value}))) == {field}, value


def nested(levels: int) -> dict[str, Any]:
    """Data of so many levels."""
    data: Any = 1
    for level in range(levels):
        data = {"a": data} if level % 2 == 0 or level == levels - 1 else [data]
    return dict(data)


def test_data_has_at_most_eight_levels_and_sixteen_kibibytes() -> None:
    assert errors(event(data=nested(8))) == {}
    assert set(errors(event(data=nested(9)))) == {"data"}
    frame = len(str({"a": ""}))
    assert errors(event(data={"a": "x" * (16_384 - frame)})) == {}
    assert set(errors(event(data={"a": "x" * (16_385 - frame)}))) == {"data"}
    assert set(errors(event(data=[1]))) == {"data"}
    assert set(errors(event(data=None))) == {"data"}


@pytest.mark.parametrize(
    ("number", "exact"),
    [
        (2**53 - 1, True),
        (-(2**53) + 1, True),
        (2**53, False),
        (-(2**53), False),
        (True, True),
        (Decimal("0.123456789012345"), True),
        (Decimal("0.1234567890123456"), False),
        (Decimal("1e15"), True),
        (Decimal("1e16"), False),
        (Decimal("1e-15"), True),
        (Decimal("1e-16"), False),
        (Decimal("268.28000000000003"), False),
    ],
)
def test_numbers_in_data_are_exact_everywhere(number: Any, exact: bool) -> None:
    for data in ({"n": number}, {"a": [1, {"n": number}]}):
        assert errors(event(data=data)) == {} if exact else set(errors(event(data=data))) == {"data"}
        assert bool(errors({"type": "t", "data": data}, SimulationRequest)) is not exact


def test_a_payment_names_its_order_and_its_amount() -> None:
    for value in (0, 1, 2**53 - 1):
        assert errors(paid(paid_fen=value)) == {}
    for wrong in (-1, True, "5", Decimal("5.0"), None, [], {}):
        assert set(errors(event(type="order.paid", data={"order_id": "A", "paid_fen": wrong}))["data"]) == {"paid_fen"}
    for name in ("", "x" * 129, "a\nb", "\x00", 5, None):
        assert set(errors(event(type="order.paid", data={"order_id": name, "paid_fen": 1}))["data"]) == {"order_id"}
    assert errors(paid("订单 1", id="e1")) == {}
    assert set(errors(event(type="order.paid"))["data"]) == {"order_id", "paid_fen"}


def test_a_refund_names_itself_its_order_and_more_than_nothing() -> None:
    assert errors(refunded(1)) == {}
    assert errors(refunded(0))["data"] == {"refunded_fen": ["Must be more than 0."]}
    assert set(errors(event(type="order.refunded"))["data"]) == {"order_id", "refund_id", "refunded_fen"}


def test_a_question_is_about_one_event_or_about_a_member() -> None:
    both = {"source": "s", "id": "i"}
    for query in ({}, {"member_id": "7"}, both, {"limit": "200"}):
        assert errors(query, EventsQuery) == {}
    for wrong in ({"source": "s"}, {"id": "i"}, {"member_id": "7", "id": "i"}, {"member_id": "7", **both}):
        assert set(errors(wrong, EventsQuery)) == {"_schema"}
    for field, value in (("member_id", "0"), ("limit", "0"), ("limit", "201"), ("source", ""), ("id", "x" * 129)):
        assert field in errors({**both, field: value}, EventsQuery)


@given(subject=st.text(max_size=40), type=st.text(max_size=20), time=st.text(max_size=30))
def test_no_text_breaks_the_reading(subject: str, type: str, time: str) -> None:
    assert set(errors(event(subject=subject, type=type, time=time))) <= {"subject", "type", "time", "data"}
