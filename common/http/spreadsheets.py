"""Tables for people: CSV that a spreadsheet opens as it is meant, in the reader's language, and runs nothing of it."""

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from typing import Any

from flask import Response, request

#: A text cell that begins with one of these would be run as a formula; the full-width ones too, in some languages.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
#: Without it, spreadsheets read UTF-8 as the machine's old code page, and Chinese as noise.
_BYTE_ORDER_MARK = "\ufeff"
_ROWS_A_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Heading:
    """A column's name, or a cell's words, in each language."""

    en: str
    zh: str


def wants_csv() -> bool:
    """Whether this request's Accept header prefers `text/csv` to JSON."""
    return request.accept_mimetypes.best_match(("application/json", "text/csv")) == "text/csv"


def csv_answer(name: str, columns: Mapping[str, Heading], rows: Iterable[Mapping[str, Any]]) -> Response:
    """Stream the rows as `name`.csv: the columns in their order, headed in the language of Accept-Language.

    Numbers stay numbers, None is an empty cell, and text that a spreadsheet would run gets a leading apostrophe.
    """
    chinese = request.accept_languages.best_match(("en", "zh", "zh-CN"), default="en").startswith("zh")
    head = [_cell(heading, chinese) for heading in columns.values()]
    body = _lines(head, ([_cell(row[column], chinese) for column in columns] for row in rows))
    answer = Response(body, content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    answer.headers["Vary"] = "Accept, Accept-Language"
    return answer


def _lines(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    text = StringIO(_BYTE_ORDER_MARK)
    text.seek(0, 2)
    write = csv.writer(text).writerow
    write(head)
    for number, row in enumerate(rows, 1):
        write(row)
        if number % _ROWS_A_CHUNK == 0:
            yield text.getvalue()
            text.seek(0)
            text.truncate()
    yield text.getvalue()


def _cell(value: Any, chinese: bool) -> Any:
    if isinstance(value, Heading):
        value = value.zh if chinese else value.en
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return value
