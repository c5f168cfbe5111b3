"""The short way of a posting or reading answers what the plain way through Flask answers: for good and bad requests."""

import json
from typing import Any
from unittest.mock import patch

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import Client, TestResponse

from common.http.app import Code
from common.http.lean import Lean, LeanRoute
from common.identity import HEADER, Identity, sign
from tests.points import Brand
from tests.property.test_flat import bodies
from tests.support import SECRET, Callers
from tests.thoroughness import examples

SHORT, PLAIN = 1, 2
#: What is new in every answer.
NEW = ("posting_id", "at", "as_of")

CALLERS = st.sampled_from(
    [
        *(("system", ("ledger",)),) * 12,
        ("service", ()),
        ("system", ("read",)),
        ("member", ()),
        ("staff", ("admin",)),
        None,
    ]
)
KEYS = st.sampled_from(["k", "k", "k2", "a key", "", "x" * 255, "x" * 256, "k\u00e9", None])
CONTENT_TYPES = st.sampled_from(
    [*("application/json",) * 12, "application/json; charset=utf-8", "text/plain", "application/problem+json", None]
)
HEADERS = st.fixed_dictionaries(
    {},
    optional={
        "Accept-Language": st.sampled_from(["zh", "en", "zh-CN,en;q=0.5"]),
        "X-Request-ID": st.sampled_from(["abc", "not one!", "x" * 65]),
    },
)
GOOD = st.fixed_dictionaries(
    {
        "member_id": st.integers(1, 3),
        "asset": st.sampled_from(["points", "points", "energy", "nothing"]),
        "kind": st.sampled_from(["earn", "earn", "spend"]),
        "amount": st.integers(1, 50),
    },
    optional={"reason": st.text(max_size=4), "validity": st.sampled_from([None, "30D", "9X"])},
)
RAW = st.sampled_from([b"", b"{", b"[]", b"\xff", b'{"member_id": NaN}', b'{"reason": "\\u0000"}', b"null", b'"x"'])
BODIES = st.one_of(GOOD, GOOD, GOOD, bodies(), RAW)
REQUESTS = st.lists(
    st.tuples(CALLERS, KEYS, CONTENT_TYPES, HEADERS, BODIES, st.sampled_from(["", "", "", "x=1"])),
    min_size=1,
    max_size=5,
)
READERS = st.sampled_from(
    [
        *(("system", ("read",)),) * 4,
        *(("member", ()),) * 4,
        ("service", ()),
        ("staff", ("finance",)),
        ("system", ("ledger",)),
        None,
    ]
)
PATHS = st.sampled_from(
    [
        *("/v1/accounts/points",) * 6,
        *("/v1/accounts",) * 3,
        "/v1/accounts/energy",
        "/v1/accounts/nothing",
        "/v1/accounts/Points",
        "/v1/accounts/",
        "/v1/accounts/points/more",
        "/v1/accounts/points\n",
    ]
)
QUERIES = st.sampled_from(
    [
        *("member_id=1",) * 4,
        *("",) * 4,
        *("member_id=5", "member_id=9", "member_id=007", "member_id=0", "member_id=-1", "member_id=1.0", "member_id="),
        *("member_id=1&member_id=2", "member_id=x", "member_id=%31", "member_id=1&x=2", "&", "x", "member_id=1&"),
        *(f"member_id={2**53 - 1}", f"member_id={2**53}", f"member_id={'9' * 30}", "member_id=%00", "member_id=\u0661"),
        *("member_id=1&as_of=2199-01-01T00:00:00Z", "member_id=1&as_of=2020-01-01T00:00:00%2B08:00", "as_of=now"),
    ]
)
READS = st.lists(st.tuples(READERS, PATHS, QUERIES, HEADERS), min_size=1, max_size=5)


@pytest.fixture
def ways(points: Callers, brand: Brand) -> dict[int, Client]:
    """A client of the short way, posting for one program, and one of the plain way, posting for another."""
    Brand(points, program_id=PLAIN).found()
    lean: Any = points.app.wsgi_app
    assert isinstance(lean, Lean)
    return {SHORT: Client(lean), PLAIN: Client(lean.plain)}


def send(client: Client, program_id: int, request: Any) -> TestResponse:
    caller, key, content_type, headers, body, query = request
    named = dict(headers)
    if caller is not None:
        kind, roles = caller
        identity = Identity(kind, program_id, "5" if kind == "member" else "shop", frozenset(roles))
        named[HEADER] = sign(identity, secret=SECRET)
    if key is not None:
        named["Idempotency-Key"] = key
    data = body if isinstance(body, bytes) else json.dumps(body, default=str).encode()
    return client.post("/v1/postings", data=data, headers=named, content_type=content_type, query_string=query)


def look(client: Client, program_id: int, request: Any) -> TestResponse:
    caller, path, query, headers = request
    named = dict(headers)
    if caller is not None:
        kind, roles = caller
        identity = Identity(kind, program_id, "5" if kind == "member" else "shop", frozenset(roles))
        named[HEADER] = sign(identity, secret=SECRET)
    return client.get(path, headers=named, query_string=query)


def shown(answer: TestResponse, asked_id: str | None) -> tuple[Any, ...]:
    """Everything of an answer but what is new in each."""
    body = {name: value for name, value in (answer.json or {}).items() if name not in NEW}
    headers = dict(answer.headers)
    del headers["Content-Length"]
    given_id = headers.pop("X-Request-ID")
    assert body.pop("request_id", given_id) == given_id
    assert asked_id is None or given_id == asked_id
    return answer.status, headers, list(answer.json or {}), body


@given(requests=REQUESTS)
@settings(max_examples=examples(150), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_both_ways_answer_alike(ways: dict[int, Client], requests: list[Any]) -> None:
    for request in requests:
        asked_id = request[3].get("X-Request-ID")
        asked_id = asked_id if asked_id == "abc" else None
        short, plain = (shown(send(ways[way], way, request), asked_id) for way in (SHORT, PLAIN))
        assert short == plain


@given(reads=READS)
@settings(max_examples=examples(150), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_both_ways_read_alike(ways: dict[int, Client], reads: list[Any]) -> None:
    for member in (1, 5):
        body = {"member_id": member, "asset": "points", "kind": "earn", "amount": 5}
        for way, program in ((SHORT, SHORT), (SHORT, PLAIN)):
            earned = (("system", ("ledger",)), f"first-{member}", "application/json", {}, body, "")
            assert send(ways[way], program, earned).status_code == 201
    for read in reads:
        asked_id = "abc" if read[3].get("X-Request-ID") == "abc" else None
        short, plain = (shown(look(ways[way], way, read), asked_id) for way in (SHORT, PLAIN))
        assert short == plain


@pytest.mark.parametrize(
    ("caller", "path", "query"),
    [
        (("member", ()), "/v1/accounts", ""),
        (("member", ()), "/v1/accounts/points", ""),
        (("member", ()), "/v1/accounts/points", "member_id=5"),
        (("system", ("read",)), "/v1/accounts/points", "member_id=7"),
    ],
)
def test_a_plain_reading_does_not_pass_through_flask(
    ways: dict[int, Client], caller: Any, path: str, query: str
) -> None:
    with patch("flask.Flask.full_dispatch_request", side_effect=AssertionError("through Flask")):
        assert look(ways[SHORT], SHORT, (caller, path, query, {})).status_code == 200


def test_a_reading_that_is_refused_is_worded_in_the_callers_language(ways: dict[int, Client]) -> None:
    chinese = {"Accept-Language": "zh"}
    for query in ("member_id=9", ""):
        kind = ("member", ()) if query else ("system", ("read",))
        short, plain = (
            look(ways[way], way, (kind, "/v1/accounts/points", query, chinese)).json or {} for way in (SHORT, PLAIN)
        )
        assert short["detail"] == plain["detail"]
        assert not short["detail"].isascii()


def test_a_short_way_hides_no_other_address() -> None:
    app = Flask("x")
    app.add_url_rule("/v1/things/<thing>", "thing", lambda thing: thing)
    app.add_url_rule("/v1/things/best", "best", lambda: "")
    view: Any = app.view_functions["thing"]
    view.lean = LeanRoute("GET", (), None, False, None, dict, 200, view)
    app.url_map.converters["code"] = Code
    Lean(app, "x", {}, 1)
    app.add_url_rule("/v1/goods/<code:good>", "good", view)
    app.add_url_rule("/v1/goods/best", "best good", lambda: "")
    with pytest.raises(AssertionError, match="hide another address"):
        Lean(app, "x", {}, 1)


RIGHT = (
    ("system", ("ledger",)),
    "k",
    "application/json",
    {},
    {"member_id": 1, "asset": "points", "kind": "earn", "amount": 5},
    "",
)


@pytest.mark.parametrize(
    ("place", "wrong"),
    [
        *((0, caller) for caller in (("service", ()), ("system", ("read",)), ("member", ()), None)),
        *((1, key) for key in ("x" * 255, "x" * 256, "a key", "", "k\u00e9", None)),
        *((2, kind) for kind in ("application/json; charset=utf-8", "text/plain", None)),
        *((3, {"X-Request-ID": given}) for given in ("abc", "x" * 65)),
        *((4, body) for body in (b"{", b"\xff", b'{"amount": NaN}', b"x" * 4_194_305, {"amount": 5}, {})),
        *((4, {**RIGHT[4], name: value}) for name, value in (("amount", 0), ("kind", "hold"), ("asset", "none"))),
        (5, "x=1"),
    ],
)
def test_one_thing_that_is_not_as_usual(ways: dict[int, Client], place: int, wrong: Any) -> None:
    request = (*RIGHT[:place], wrong, *RIGHT[place + 1 :])
    short, plain = (shown(send(ways[way], way, request), None) for way in (SHORT, PLAIN))
    assert short == plain


def test_a_plain_posting_does_not_pass_through_flask(ways: dict[int, Client]) -> None:
    with patch("flask.Flask.full_dispatch_request", side_effect=AssertionError("through Flask")):
        assert send(ways[SHORT], SHORT, RIGHT).status_code == 201
        replayed = send(ways[SHORT], SHORT, RIGHT)
    assert (replayed.status_code, replayed.headers["Idempotency-Replayed"]) == (201, "true")
    assert send(ways[SHORT], SHORT, (*RIGHT[:4], {"member_id": 1}, "")).status_code == 422


def test_what_nobody_expected_is_a_500_that_shows_nothing(
    ways: dict[int, Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(*_: Any) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr("services.points.ledger.teller.poster.submit", break_down)
    answers = [send(ways[way], way, RIGHT) for way in (SHORT, PLAIN)]
    assert [answer.status_code for answer in answers] == [500, 500]
    assert [answer.json["code"] for answer in answers if answer.json] == ["internal_error"] * 2
    assert not any("secret" in answer.get_data(as_text=True) for answer in answers)
