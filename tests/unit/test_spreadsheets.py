"""Laws of CSV answers: Excel reads them as UTF-8, numbers stay numbers, and nothing that somebody wrote is run."""

import csv
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from flask import Flask

from common.http.spreadsheets import Heading, csv_answer, wants_csv

COLUMNS = {"name": Heading("name", "名称"), "amount": Heading("amount", "数量")}
app = Flask(__name__)


def sheet(rows: list[dict[str, Any]], language: str = "en") -> list[list[str]]:
    with app.test_request_context(headers={"Accept-Language": language}):
        text = csv_answer("told", COLUMNS, rows).get_data(as_text=True)
    assert text[0] == "\ufeff"
    return list(csv.reader(StringIO(text[1:], newline="")))


def test_headings_and_words_come_in_the_readers_language() -> None:
    rows = [{"name": Heading("earn", "获得"), "amount": 5}]
    assert sheet(rows) == [["name", "amount"], ["earn", "5"]]
    assert sheet(rows, "zh-CN,en;q=0.5") == [["名称", "数量"], ["获得", "5"]]
    assert sheet(rows, "fr") == sheet(rows)


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20"])
def test_what_would_be_run_is_quoted_and_everything_else_is_left_alone(start: str) -> None:
    assert sheet([{"name": f"{start}cmd|' /C calc'!A0", "amount": 0}])[1][0] == f"'{start}cmd|' /C calc'!A0"
    assert sheet([{"name": f"a{start}1", "amount": 0}])[1][0] == f"a{start}1"


def test_numbers_stay_numbers_and_nothing_is_an_empty_cell() -> None:
    assert sheet([{"name": None, "amount": -5}])[1] == ["", "-5"]


def test_commas_quotes_and_lines_stay_in_their_cell() -> None:
    assert sheet([{"name": 'a,"b"\nc', "amount": 1}])[1] == ['a,"b"\nc', "1"]


def test_rows_are_not_held_together_in_memory() -> None:
    made = 0

    def rows() -> Iterator[dict[str, Any]]:
        nonlocal made
        for made in range(1, 2_001):
            yield {"name": "x", "amount": made}

    with app.test_request_context():
        chunks = csv_answer("told", COLUMNS, rows()).iter_encoded()
        first = next(chunks).count(b"\n")
        assert made == 500
        assert first + sum(chunk.count(b"\n") for chunk in chunks) == 2_001


@pytest.mark.parametrize(
    ("accept", "wanted"),
    [("text/csv", True), ("*/*", False), ("application/json", False), ("text/csv;q=0.1, application/json", False)],
)
def test_json_unless_csv_is_preferred(accept: str, wanted: bool) -> None:
    with app.test_request_context(headers={"Accept": accept}):
        assert wants_csv() is wanted
    with app.test_request_context():
        assert not wants_csv()
