"""ZEN expressions: compiled once, exact decimals, no code. The only module that knows the engine.

A rule's context is `data` (the event's data) and `event` with `type`, `hour` (0-23), `weekday` (1 Monday - 7 Sunday)
and `day` (2026-05-03) in the program's time zone.
"""

import json
import re
from decimal import Decimal
from functools import lru_cache
from typing import Any

import zen

from common.errors import Refusal

LONGEST = 500
_NOT_OF_THE_EVENT = re.compile(r"\b(rand|d|date|time|dateString)\s*\(")


class BadExpression(Refusal):
    """The expression does not compile: `expression`, `reason`."""

    code = "bad_expression"


class Undecidable(Exception):
    """The expression met data it cannot work on, e.g. a missing field or text where a number belongs."""


def check(expression: str) -> str:
    """The expression itself when it compiles and depends on the event alone; raises `BadExpression`.

    A rule that draws lots or reads the clock could not be simulated, back-tested or explained (and a random reward for
    an invitation is forbidden: platform-rules, sharing and lottery).
    """
    drawn = _NOT_OF_THE_EVENT.search(expression)
    if drawn:
        raise BadExpression(expression=expression, reason=f"{drawn[1]}() does not depend on the event alone")
    try:
        _compiled(expression)
    except RuntimeError as error:
        raise BadExpression(expression=expression, reason=_reason(error)) from error
    return expression


def holds(condition: str, context: dict[str, Any]) -> bool:
    """Whether the condition is true; raises `Undecidable` when it is neither true nor false."""
    value = _value(condition, context)
    if not isinstance(value, bool):
        raise Undecidable(f"the condition gave {value!r}, not true or false")
    return value


def amount(formula: str, context: dict[str, Any]) -> int:
    """The formula's value rounded down, exactly; raises `Undecidable` when it is no number."""
    value = _value(f"string(floor({formula}))", context)
    try:
        return int(value)
    except (TypeError, ValueError) as error:
        raise Undecidable(f"the formula gave {value!r}, not a number") from error


def plain(value: Any) -> Any:
    """The value with decimals as the engine takes them: shortest text, which it reads back as the same decimal."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value


def _value(expression: str, context: dict[str, Any]) -> Any:
    try:
        return _compiled(expression).evaluate(context)
    except RuntimeError as error:
        raise Undecidable(_reason(error)) from error


@lru_cache(maxsize=4096)
def _compiled(expression: str) -> Any:
    return zen.compile_expression(expression)


def _reason(error: RuntimeError) -> str:
    """The engine's own sentence without its stack trace."""
    head = str(error).partition("\n")[0]
    try:
        return str(json.loads(head)["source"])
    except (ValueError, KeyError):
        return head
