"""Strict JSON in and plain JSON out: what PostgreSQL or the rules could not hold is refused at the door."""

import json
from decimal import Decimal, InvalidOperation
from typing import Any

from flask.json.provider import JSONProvider

_MOST_CHARACTERS = 400
_MOST_PLACES = 400


class StrictJSON(JSONProvider):
    """Refuses NaN, Infinity, NUL and lone surrogates, absurd numbers and nesting; reads fractions as exact decimals."""

    def dumps(self, obj: Any, **kwargs: Any) -> str:
        """Compact, readable Chinese, decimals as strings."""
        return json.dumps(obj, ensure_ascii=False, separators=(",", ":"), default=str, **kwargs)

    def loads(self, s: str | bytes, **_: Any) -> Any:
        """Raises ValueError (the edge answers 400) for anything but well-formed, storable JSON."""
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
    """Escapes can smuggle NUL, which PostgreSQL cannot store, and lone surrogates, which UTF-8 cannot say."""
    whole = json.dumps(value, ensure_ascii=False, default=str)
    if "\\u0000" in whole and _has_nul(value):
        raise ValueError("text contains NUL")
    whole.encode("utf-8")  # raises UnicodeEncodeError, a ValueError, on a lone surrogate


def _has_nul(value: Any) -> bool:
    if isinstance(value, str):
        return "\x00" in value
    if isinstance(value, dict):
        return any(_has_nul(key) or _has_nul(item) for key, item in value.items())
    return isinstance(value, list) and any(map(_has_nul, value))
