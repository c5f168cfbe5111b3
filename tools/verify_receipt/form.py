"""The one form in which each field is written, and the refusal of every other."""

import re
import struct
from datetime import datetime, timedelta, timezone


class Invalid(Exception):
    """What is wrong, in English and Chinese."""


def check_fields(value, names, where):
    """An object with exactly these fields."""
    if not isinstance(value, dict):
        raise malformed(where or "receipt")
    for name in names:
        if name not in value:
            raise Invalid(f"`{where}{name}` is missing.", f"缺少 `{where}{name}`。")
    for name in value:
        if name not in names:
            raise Invalid(f"`{where}{name}` does not belong there.", f"多出 `{where}{name}`。")


def check_number(value, where, low=0):
    """A whole number that fits into 64 bits."""
    if type(value) is not int or not low <= value < 2**63:
        raise malformed(where)


def check_hex(value, size, where):
    """So many bytes in lower-case hexadecimal."""
    if not isinstance(value, str) or not re.fullmatch(f"[0-9a-f]{{{2 * size}}}", value):
        raise malformed(where)


def check_path(path):
    """A list of hashes, as many as a tree can be high."""
    if not isinstance(path, list) or len(path) > 128:
        raise malformed("path")
    for step in path:
        check_hex(step, 32, "path")


def malformed(where):
    """The refusal of a field that has not its form."""
    return Invalid(f"`{where}` is malformed.", f"`{where}` 格式不正确。")


def pack(form, *values):
    """Big-endian bytes. A number out of its range is no number that we ever sealed."""
    try:
        return struct.pack(f">{form}", *values)
    except struct.error:
        raise Invalid("A number is out of its range.", "数值超出范围。") from None


def instant(microseconds):
    """Microseconds since 1970 as an instant."""
    try:
        return datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(microseconds=microseconds)  # noqa: UP017 - datetime.UTC is new in Python 3.11
    except OverflowError:
        raise malformed("at_us") from None
