"""ZEN expressions: compiled once, exact decimals, no code. This module and `tables` alone know the engine.

What expressions see: `data` (the event's data); `event` with `type`, `hour` (0-23), `weekday` (1 Monday - 7 Sunday),
`day` (2026-05-03) and `month_day` (1-31) in the program's time zone; `member` with `tier` (null: none) and `tags`.
"""

import json
import re
from collections.abc import Iterable, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any

import zen

from common.errors import FieldFault, FieldsRefused

LONGEST = 500
# Whatever parses a date takes "now" for one, also from an event's data.
_NOT_OF_THE_EVENT = re.compile(
    r"\b(rand|d|date|time|dateString|year|dayOf\w+|weekOfYear|monthOfYear|monthString|weekdayString|startOf|endOf)\s*\("
)
_QUOTED = re.compile(r""""[^"]*"|'[^']*'""")
_ASSIGNMENT = re.compile(r"(?<![=!<>])=(?!=)|;")
_PLAIN = (int, str, bool, type(None))
_ROOT = re.compile(r"\b(data|event|member)\b(?:\.([A-Za-z_]\w*))?")
#: After so many askings, rules that were asked alone are asked together with the others again.
_FORGIVEN_AFTER = 1_000


class BadExpression(FieldsRefused):
    """The expression in one field does not compile, or depends on more than the event: `expression`, `reason`."""

    code = "bad_expression"


class Undecidable(Exception):
    """The expression met data it cannot work on, e.g. a missing field or text where a number belongs."""


def check(expression: str, field: str = "/formula") -> str:
    """The expression itself when it compiles and depends on the event alone; raises `BadExpression`.

    A rule that draws lots or reads the clock could not be simulated, back-tested or explained (and a random reward for
    an invitation is forbidden: platform-rules, sharing and lottery). One that assigns could change what the others see.
    """
    if drawn := _NOT_OF_THE_EVENT.search(expression):
        raise _bad(expression, field, f"{drawn[1]}() does not depend on the event alone")
    if _ASSIGNMENT.search(_QUOTED.sub("''", expression)):
        raise _bad(expression, field, "nothing may be assigned; compare with ==")
    try:
        _compiled(expression)
    except RuntimeError as error:
        raise _bad(expression, field, reason_of(error)) from error
    return expression


def holds(condition: str, context: dict[str, Any]) -> bool:
    """Whether the condition is true; raises `Undecidable` when it is neither true nor false."""
    value = _value(condition, context)
    if not isinstance(value, bool):
        raise Undecidable(f"the condition gave {value!r}, not true or false")
    return value


def amount(formula: str, context: dict[str, Any]) -> int:
    """The formula's value rounded down, exactly; raises `Undecidable` when it is no number."""
    return whole(_value(f"string(floor({formula}))", context))


def whole(value: Any) -> int:
    """The integer that the engine gave as text, which alone is exact; raises `Undecidable` when it is none."""
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


class Names:
    """Which of `data`, `event` and `member` some expressions name.

    To hand the engine a value costs more than to compute with it, so they are given nothing else.
    """

    def __init__(self, expressions: Sequence[str]) -> None:
        named: dict[str, set[str]] = {"data": set(), "event": set(), "member": set()}
        everything = False
        for expression in expressions:
            everything = everything or "$" in expression
            for root, field in _ROOT.findall(expression):
                named[root].add(field)
        self.event, self.member = everything or bool(named["event"]), everything or bool(named["member"])
        #: The fields of `data`, None for all of them: `data` stands alone somewhere, as in `keys(data)`.
        self.data = None if everything or "" in named["data"] else tuple(sorted(named["data"]))

    def of(self, data: dict[str, Any]) -> dict[str, Any]:
        """What the expressions see of an event's data."""
        named = data if self.data is None else self.data
        return {name: value if type(value := data[name]) in _PLAIN else plain(value) for name in named if name in data}


#: An award's condition and formula.
Question = tuple[str, str]
#: What came of a question: the amount, None when its condition is false, or why it cannot be decided.
Answer = int | None | Undecidable


class Jury:
    """Questions about the same event, asked together: one call of the engine instead of two a question.

    When one of them cannot be decided the engine decides none, so that all are asked alone, and those that failed stay
    apart for a while. The answers are the same either way.
    """

    def __init__(self, questions: Sequence[Question]) -> None:
        self._questions = tuple(questions)
        # Whose answer does not depend on the event, and nobody's answer yet for all the others.
        self._certain: list[Answer] = [int(given[1]) if _certain(given) else None for given in questions]
        # What assigns names on its way (a table of several steps) must not lend them to its neighbours.
        self._loners = frozenset(number for number, (_, formula) in enumerate(questions) if ";" in formula)
        self._asked = 0
        self._part(self._loners)

    def ask(self, context: dict[str, Any]) -> list[Answer]:
        """The answer to each question, in their order. Never raises on data."""
        self._asked += 1
        if self._asked > _FORGIVEN_AFTER:
            self._asked = 0
            self._part(self._loners)
        answers = self._certain.copy()
        together, expression, apart = self._parted
        if expression is not None:
            try:
                for number, value in zip(together, expression.evaluate(context), strict=True):
                    if value is not False:
                        answers[number] = _whole_or_why(value)
            except RuntimeError:
                self._ask_alone(together, context, answers)
                self._part(apart | {number for number in together if isinstance(answers[number], Undecidable)})
        if apart:
            self._ask_alone(apart, context, answers)
        return answers

    def _ask_alone(self, numbers: Iterable[int], context: dict[str, Any], answers: list[Answer]) -> None:
        for number in numbers:
            answers[number] = alone(self._questions[number], context)

    def _part(self, apart: frozenset[int]) -> None:
        """From now on ask these alone, and the others together."""
        together = [
            number for number in range(len(self._questions)) if self._certain[number] is None and number not in apart
        ]
        joined = _joined([self._questions[number] for number in together])
        # One value, so that a thread never sees half of a change.
        self._parted = together, _compiled(joined) if together else None, apart


def alone(question: Question, context: dict[str, Any]) -> Answer:
    """The answer to one question."""
    condition, formula = question
    try:
        return amount(formula, context) if holds(condition, context) else None
    except Undecidable as error:
        return error


def reason_of(error: RuntimeError) -> str:
    """The engine's own sentence without its stack trace."""
    head = str(error).partition("\n")[0]
    try:
        return str(json.loads(head)["source"])
    except (ValueError, KeyError):
        return head


def _whole_or_why(value: Any) -> Answer:
    try:
        return whole(value)
    except Undecidable as error:
        return error


def _certain(question: Question) -> bool:
    condition, formula = question
    return condition == "true" and formula.isascii() and formula.isdigit()


def _joined(questions: Iterable[Question]) -> str:
    each = (f"(({condition}) ? string(floor({formula})) : false)" for condition, formula in questions)
    return f"[{','.join(each)}]"


def _value(expression: str, context: dict[str, Any]) -> Any:
    try:
        return _compiled(expression).evaluate(context)
    except RuntimeError as error:
        raise Undecidable(reason_of(error)) from error


@lru_cache(maxsize=4096)
def _compiled(expression: str) -> Any:
    return zen.compile_expression(expression)


def _bad(expression: str, field: str, reason: str) -> BadExpression:
    fault = FieldFault(
        field, f"It cannot be used: {reason}. Correct the expression.", f"无法使用:{reason}。请修改表达式。"
    )
    return BadExpression([fault], expression=expression, reason=reason)
