"""Laws of JSON at the door: what a database or a rule could not hold exactly is refused, and only as a ValueError."""

from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from common.http.json_provider import StrictJSON

APP = Flask("test")
JSON = StrictJSON(APP)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": 1}', {"a": 1}),
        ('{"金额": "积分"}', {"金额": "积分"}),
        ("9007199254740993", 9007199254740993),
        ("0.1", Decimal("0.1")),
        ("268.28000000000003", Decimal("268.28000000000003")),
        ("1e2", Decimal("1e2")),
        ("[true, false, null]", [True, False, None]),
        (r'"\u79ef\u5206"', "积分"),
        (r'"\ud83c\udf81"', "🎁"),
        (r'"\\u0000"', r"\u0000"),
        ('"🎁"', "🎁"),
    ],
)
def test_good_json_is_read_exactly(text: str, value: Any) -> None:
    read = JSON.loads(text)
    assert read == value
    assert type(read) is type(value)
    assert JSON.loads(text.encode()) == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "{'a': 1}",
        '{"a": 1,}',
        "NaN",
        "Infinity",
        "-Infinity",
        '{"a": NaN}',
        "1e401",
        "1e-401",
        "1e1000000000000000000",
        "0." + "1" * 400,
        "9" * 5000,
        '"\x00"',
        '"\n"',
        r'"\u0000"',
        r'{"\u0000": 1}',
        r'["a", {"b": ["c\u0000"]}]',
        r'"\ud800"',
        r'"\udc00\ud800"',
        r'{"\ud800": 1}',
    ],
)
def test_what_cannot_be_held_exactly_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        JSON.loads(text)
    with pytest.raises(ValueError):
        JSON.loads(text.encode())


@pytest.mark.parametrize(
    "raw",
    [
        b'"\xff"',
        b'{"a": "\xed\xa0\x80"}',
        b'"\xc0\x80"',
        '{"a": "\\u0000"}'.encode("utf-16"),
        '{"a": "\\u0000"}'.encode("utf-16-le"),
        '{"a": "\\ud800"}'.encode("utf-32"),
        '{"a": 1}'.encode("utf-16"),
    ],
)
def test_only_utf_8_is_json(raw: bytes) -> None:
    with pytest.raises(ValueError):
        JSON.loads(raw)


@pytest.mark.parametrize(
    ("opening", "closing", "depth"),
    [("[", "]", 100_000), ('{"a":', "}", 100_000), ("[", "]", 900), ('{"a":', "}", 480), ('{"a":', "}", 900)],
)
@pytest.mark.parametrize("inner", ["1", r'"\u0000"', r'"\u0041"'])
def test_absurd_nesting_is_refused_or_read_and_never_breaks(opening: str, closing: str, depth: int, inner: str) -> None:
    text = opening * depth + inner + closing * depth
    if depth > 10_000 or "0000" in inner:
        with pytest.raises(ValueError):
            JSON.loads(text)
    else:
        with suppress(ValueError):
            assert JSON.loads(text)


def plain() -> st.SearchStrategy[Any]:
    texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))
    leaves = st.none() | st.booleans() | st.integers(-(2**63), 2**63) | texts
    return st.recursive(leaves, lambda inner: st.lists(inner) | st.dictionaries(texts, inner), max_leaves=20)


@given(plain())
def test_what_is_written_is_read_back(value: Any) -> None:
    assert JSON.loads(JSON.dumps(value)) == value


@given(st.binary(max_size=60) | st.text(max_size=60).map(lambda text: f'"{text}"'.encode("utf-8", "surrogatepass")))
def test_no_bytes_break_it(raw: bytes) -> None:
    try:
        value = JSON.loads(raw)
    except ValueError:
        return
    assert "\x00" not in str(value)
    str(value).encode()


def test_answers_are_compact_and_keep_chinese_readable() -> None:
    assert JSON.dumps({"名": Decimal("0.10"), "b": [1]}) == '{"名":"0.10","b":[1]}'
