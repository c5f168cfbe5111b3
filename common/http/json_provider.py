"""Strict JSON in and plain JSON out: what PostgreSQL or the rules could not hold is refused at the door."""

import json
import re
from decimal import Decimal, InvalidOperation
from typing import Any

from flask.json.provider import JSONProvider

from common.json_text import encoder

_MOST_CHARACTERS = 400
_MOST_PLACES = 400
_text = encoder(default=str)
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class UnstorableText(ValueError):
    """Good JSON whose text PostgreSQL (NUL) or UTF-8 (half a surrogate pair) cannot hold; `pointer` says where."""

    def __init__(self, pointer: str) -> None:
        super().__init__(f"the text at {pointer} contains NUL or half a surrogate pair")
        self.pointer = pointer


class StrictJSON(JSONProvider):
    """Refuses NaN, Infinity, NUL and lone surrogates, absurd numbers and nesting; reads fractions as exact decimals."""

    def dumps(self, obj: Any, **kwargs: Any) -> str:
        """Compact, readable Chinese, decimals as strings."""
        if not kwargs:
            return _text(obj)
        return json.dumps(obj, ensure_ascii=False, separators=(",", ":"), default=str, **kwargs)

    def loads(self, s: str | bytes, **_: Any) -> Any:
        """Raises `UnstorableText` (the edge answers 422), and for what is no JSON any other ValueError (400)."""
        # JSON on the wire is UTF-8 (RFC 8259); left to itself, json.loads also takes UTF-16, -32 and bare surrogates.
        text = s if isinstance(s, str) else s.decode("utf-8")
        try:
            value = json.loads(text, parse_constant=_refuse, parse_float=_decimal)
            if "\\u" in text:
                _check_text(value)
        except RecursionError as error:
            raise ValueError("too deeply nested") from error
        return value


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def _decimal(text: str) -> Decimal:
    try:
        value = Decimal(text)
    except InvalidOperation as error:
        raise ValueError("number out of range") from error
    if len(text) > _MOST_CHARACTERS or abs(value.adjusted()) > _MOST_PLACES:
        raise ValueError("number out of range")
    return value


def _check_text(value: Any) -> None:
    """Escapes can smuggle NUL, which PostgreSQL cannot store, and lone surrogates, which UTF-8 cannot say.

    A member's bad name is told of the object around it.
    """
    open_: list[tuple[str, Any]] = [("", value)]
    while open_:
        pointer, inner = open_.pop()
        if isinstance(inner, dict):
            if any(map(_UNSTORABLE.search, inner)):
                raise UnstorableText(pointer or "/")
            open_ += [(f"{pointer}/{key.replace('~', '~0').replace('/', '~1')}", item) for key, item in inner.items()]
        elif isinstance(inner, list):
            open_ += [(f"{pointer}/{place}", item) for place, item in enumerate(inner)]
        elif isinstance(inner, str) and _UNSTORABLE.search(inner):
            raise UnstorableText(pointer or "/")
