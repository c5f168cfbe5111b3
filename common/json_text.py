"""JSON text of many small values: one encoder for all of them.

`json.dumps` with any option set makes a new encoder a call, which costs three times as much as encoding a small
object; the standard library's own C encoder can be kept.
"""

from collections.abc import Callable
from json.encoder import c_make_encoder, encode_basestring  # type: ignore[attr-defined]  # not in typeshed
from typing import Any


def encoder(*, sort_keys: bool = False, default: Callable[[Any], Any] = float) -> Callable[[Any], str]:
    """A function to compact JSON text, not escaped to ASCII; `default` turns what JSON does not know, e.g. decimals."""
    encode = c_make_encoder(None, default, encode_basestring, None, ":", ",", sort_keys, False, False)

    def text(value: Any) -> str:
        return "".join(encode(value, 0))

    return text
