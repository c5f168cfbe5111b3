"""The short way of a redemption answers what the plain way through Flask answers, for good and bad requests."""

import json
import re
from typing import Any
from unittest.mock import patch

import pytest
from werkzeug.test import Client, TestResponse

from common.http.lean import Lean
from common.identity import HEADER, Identity, sign
from tests.redemption import ORDERS, Mall
from tests.support import SECRET

SHORT, PLAIN = 1, 2
#: What is new in every answer.
NEW = ("created_at", "completed_at", "request_id")
ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
MEMBER = ("member", "7", ())
GOOD = {"item": "mug"}


@pytest.fixture
def ways(mall: Mall) -> dict[int, Client]:
    """A client of the short way, redeeming in one program, and one of the plain way, redeeming in another like it."""
    mall.points.give(7, 1000, program_id=PLAIN)
    for program_id in (SHORT, PLAIN):
        marketer = mall.callers.staff("marketer", program_id=program_id)
        for code, offer in {
            "mug": {"price": 100, "stock": 10},
            "gone": {"price": 1, "stock": 0},
            "car": {"price": 10_000, "stock": 1},
            "one": {"price": 1, "stock": 10, "per_member_limit": 1},
            "soon": {"price": 1, "stock": 1, "available_from": "2199-01-01T00:00:00Z"},
            "over": {"price": 1, "stock": 1, "available_until": "2001-01-01T00:00:00Z"},
            "hidden": {"price": 1, "stock": 1, "active": False},
        }.items():
            answer = marketer.put(f"/v1/items/{code}", {"name_en": "It", "name_zh": "它", **offer})
            assert answer.status_code == 200, answer.json
    lean: Any = mall.callers.app.wsgi_app
    assert isinstance(lean, Lean)
    return {SHORT: Client(lean), PLAIN: Client(lean.plain)}


def send(client: Client, program_id: int, body: Any = None, **changed: Any) -> TestResponse:
    request: dict[str, Any] = {"caller": MEMBER, "key": "a", "kind": "application/json", "headers": {}, "query": ""}
    request |= changed
    headers = dict(request["headers"])
    if request["caller"] is not None:
        kind, subject, roles = request["caller"]
        headers[HEADER] = sign(Identity(kind, program_id, subject, frozenset(roles)), secret=SECRET)
    if request["key"] is not None:
        headers["Idempotency-Key"] = request["key"]
    data = body if isinstance(body, bytes) else json.dumps(GOOD if body is None else body).encode()
    return client.post(ORDERS, data=data, headers=headers, content_type=request["kind"], query_string=request["query"])


def shown(answer: TestResponse) -> tuple[Any, ...]:
    """Everything of an answer but what is new in each."""
    body = {name: ID.sub("ID", str(value)) for name, value in (answer.json or {}).items() if name not in NEW}
    headers = {name: value for name, value in answer.headers if name not in ("Content-Length", "X-Request-ID")}
    return answer.status, headers, list(answer.json or {}), body


@pytest.mark.parametrize(
    ("status", "requests"),
    [
        (201, [{}]),
        (201, [{}, {}]),
        (201, [{"key": "a"}, {"key": "b"}]),
        (201, [{"body": {"item": "mug", "quantity": 3}}]),
        (422, [{}, {"body": {"item": "mug", "quantity": 2}}]),
        (409, [{"body": {"item": "gone"}}]),
        (409, [{"body": {"item": "gone"}}, {"body": {"item": "gone"}}]),
        (422, [{"body": {"item": "gone"}}, {}]),
        (422, [{}, {"body": {"item": "gone"}}]),
        (409, [{"body": {"item": "mug", "quantity": 11}}]),
        (422, [{"body": {"item": "car"}}]),
        (422, [{"body": {"item": "car"}}, {"body": {"item": "car"}}]),
        (409, [{"body": {"item": "one"}}, {"body": {"item": "one"}, "key": "b"}]),
        (409, [{"body": {"item": "soon"}}]),
        (409, [{"body": {"item": "over"}}]),
        (404, [{"body": {"item": "hidden"}}]),
        (404, [{"body": {"item": "nothing"}}]),
        (404, [{"body": {"item": "nothing"}, "headers": {"Accept-Language": "zh-CN"}}]),
        (409, [{"body": {"item": "gone"}, "headers": {"Accept-Language": "zh-CN"}}]),
        (422, [{"body": {"item": "Mug"}}]),
        (422, [{"body": {"item": "mug", "quantity": 0}}]),
        (422, [{"body": {"item": "mug", "quantity": 101}}]),
        (422, [{"body": {"item": "mug", "quantity": "1"}}]),
        (422, [{"body": {"item": "mug", "colour": "red"}}]),
        (422, [{"body": {}}]),
        (422, [{"body": [GOOD]}]),
        (400, [{"body": b"{"}]),
        (400, [{"body": b'{"item": NaN}'}]),
        (422, [{"body": b'{"item": "a\\u0000"}'}]),
        (413, [{"body": b" " * 4_194_305}]),
        (415, [{"kind": "text/plain"}]),
        (201, [{"kind": "application/json; charset=utf-8"}]),
        (400, [{"key": None}]),
        (400, [{"key": "a key"}]),
        (400, [{"key": "x" * 256}]),
        (201, [{"query": "x=1"}]),
        (201, [{"headers": {"X-Request-ID": "not one!"}}]),
        (401, [{"caller": None}]),
        (403, [{"caller": ("staff", "5", ("admin",))}]),
        (403, [{"caller": ("system", "shop", ("redemptions",))}]),
        (403, [{"caller": ("service", "points", ())}]),
    ],
)
def test_both_ways_answer_alike_and_leave_the_same(
    mall: Mall, ways: dict[int, Client], status: int, requests: list[dict[str, Any]]
) -> None:
    for request in requests:
        short, plain = (send(ways[way], way, **request) for way in (SHORT, PLAIN))
        assert shown(short) == shown(plain)
    assert short.status_code == plain.status_code == status, short.json
    left = "SELECT member_id, item, quantity, key, state, refusal_code FROM redemption_orders WHERE program_id = {}"
    assert sorted(mall.rows(left.format(SHORT))) == sorted(mall.rows(left.format(PLAIN)))
    assert mall.points.available(7, program_id=SHORT) == mall.points.available(7, program_id=PLAIN)
    mall.assert_settled()


@pytest.mark.parametrize("item", ["mug", "gone"])
def test_a_plain_redemption_does_not_pass_through_flask(mall: Mall, ways: dict[int, Client], item: str) -> None:
    with patch.object(mall.callers.app, "full_dispatch_request", side_effect=AssertionError("through Flask")):
        assert send(ways[SHORT], SHORT, {"item": item}).status_code == (201 if item == "mug" else 409)


def test_a_redemption_in_doubt_is_the_same_either_way(mall: Mall, ways: dict[int, Client]) -> None:
    mall.points.fail("hold", "unwell", times=100)
    short, plain = (send(ways[way], way) for way in (SHORT, PLAIN))
    mall.points.faults.clear()
    assert shown(short) == shown(plain)
    assert (short.status_code, short.get_json()["code"]) == (503, "redemption_in_doubt")
    mall.recover()
    mall.assert_settled()
