"""Strict JSON in and plain JSON out: what PostgreSQL or the rules could not hold is refused at the door."""

import json
from decimal import Decimal
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
        try:
            value = json.loads(s, parse_constant=_refuse, parse_float=_decimal)
        except RecursionError as error:
            raise ValueError("too deeply nested") from error
        raw = s if isinstance(s, bytes) else s.encode()
        if b"\\u" in raw:
            _check_text(value)
        return value


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def _decimal(text: str) -> Decimal:
    value = Decimal(text)
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
