"""Laws of expressions: exact decimals, rounding down, and one kind of error for whatever the data may be."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.points.rules import expressions
from services.points.rules.expressions import BadExpression, Undecidable


def context(**data: Any) -> dict[str, Any]:
    """What an expression sees."""
    return {"data": data, "event": {"type": "t", "hour": 8, "weekday": 7, "day": "2026-05-03"}}


@pytest.mark.parametrize(
    "expression", ["true", "data.a / 3", "data.items[0] == 'x'", "event.hour in [7..9]", "sum(map(data.lines, #.fen))"]
)
def test_what_compiles_is_given_back(expression: str) -> None:
    assert expressions.check(expression) == expression


@pytest.mark.parametrize("expression", ["", " ", "(1", "1 +", "1; 2", "a b", "1 // note", "now()", "1)) + string((2"])
def test_what_does_not_compile_is_refused_with_the_reason_and_without_a_stack_trace(expression: str) -> None:
    with pytest.raises(BadExpression) as refusal:
        expressions.check(expression)
    assert refusal.value.facts["expression"] == expression
    reason = str(refusal.value.facts["reason"])
    assert reason
    assert "\n" not in reason
    assert "backtrace" not in reason.lower()
    assert not reason.startswith("{")


def test_an_error_that_is_no_json_is_shown_by_its_first_line() -> None:
    assert expressions.reason_of(RuntimeError("out of luck\nstack")) == "out of luck"
    assert expressions.reason_of(RuntimeError('{"type": "x"}\nstack')) == '{"type": "x"}'


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("data.a == 0.3", True),
        ("data.a > 0.3", False),
        ("0.1 + 0.2 == data.a", True),
        ("event.hour == 8 and event.weekday == 7 and event.day == '2026-05-03'", True),
        ("not (event.type == 't')", False),
    ],
)
def test_a_condition_holds_or_not_and_decimals_are_exact(condition: str, holds: bool) -> None:
    assert expressions.holds(condition, context(a=0.3)) is holds


@pytest.mark.parametrize("condition", ["1", "data.a", "'true'", "null", "data.missing", "[true]"])
def test_only_true_and_false_are_conditions(condition: str) -> None:
    with pytest.raises(Undecidable, match="not true or false"):
        expressions.holds(condition, context(a=5))


@pytest.mark.parametrize("expression", ["data.a > 1", "data.a + 1", "data.a.b.c * 2", "matches(data.a, '(')"])
def test_data_that_an_expression_cannot_work_on_makes_it_undecidable(expression: str) -> None:
    for value in ("x", None, [], {}, True):
        with pytest.raises(Undecidable):
            expressions.holds(expression, context(a=value))


@pytest.mark.parametrize(
    ("formula", "amount"),
    [
        ("5", 5),
        ("5.999999999", 5),
        ("0 - 0.5", -1),
        ("data.fen / 100", 128),
        ("data.fen * 0.29", 3738),
        ("(0.1 + 0.2) * 10", 3),
        ("1.1 * 1.1 * 100", 121),
        ("data.fen * 268.28000000000003", 3458129),
        ("10 ^ 20", 10**20),
        ("max([data.fen, 20000])", 20000),
        ("number('17.5')", 17),
        ("data.fen > 100 ? 10 : 1", 10),
    ],
)
def test_an_amount_is_rounded_down_from_the_exact_value(formula: str, amount: int) -> None:
    assert expressions.amount(formula, context(fen=12890)) == amount


@pytest.mark.parametrize(
    "formula", ["1 / 0", "'5'", "null", "true", "[1]", "data.none", "10 ^ 40", "data.big * data.big"]
)
def test_what_is_no_number_is_no_amount(formula: str) -> None:
    with pytest.raises(Undecidable):
        expressions.amount(formula, context(big=2**53 - 1))


def test_text_from_the_engine_that_is_no_integer_is_no_amount(monkeypatch: pytest.MonkeyPatch) -> None:
    for value in (None, "1e30", ""):
        monkeypatch.setattr(expressions, "_value", lambda *_, value=value: value)
        with pytest.raises(Undecidable, match="not a number"):
            expressions.amount("5", {})


@given(fen=st.integers(0, 2**53 - 1), tenths=st.integers(1, 1000))
def test_rates_of_money_are_floored_exactly(fen: int, tenths: int) -> None:
    rate = str(Decimal(tenths) / 10)
    assert expressions.amount(f"data.fen * {rate} / 100", context(fen=fen)) == fen * tenths // 1000


@given(
    digits=st.integers(-(10**15) + 1, 10**15 - 1),
    places=st.integers(0, 15),
)
def test_a_decimal_of_fifteen_digits_reaches_the_engine_exactly(digits: int, places: int) -> None:
    value = Decimal(digits).scaleb(-places)
    seen = expressions.plain({"list": [{"x": value}]})
    assert expressions.amount("data.x * 10 ^ 9", context(x=seen["list"][0]["x"])) == int(
        (value * 10**9).to_integral_value("ROUND_FLOOR")
    )


def test_all_but_decimals_stays_as_it_is() -> None:
    value = {"a": [1, "x", None, True, {"b": 2}], "c": {}}
    assert expressions.plain(value) == value
    assert expressions.plain(Decimal("0.29")) == 0.29


@pytest.mark.parametrize(
    "expression",
    [
        "rand(100)",
        "data.paid_fen + rand (9)",
        "d().hour() > 8",
        'date("now") > 0',
        "date('today') > 0",
        "year('now') > 2025",
        "dayOfWeek(data.text) == 1",
        "startOf('now', 'd') > 0",
        "dateString('now') > '2026'",
        "weekOfYear ('now') > 1",
    ],
)
def test_a_rule_neither_draws_lots_nor_reads_the_clock(expression: str) -> None:
    with pytest.raises(BadExpression, match="bad_expression") as refused:
        expressions.check(expression)
    assert "does not depend on the event alone" in str(refused.value.facts["reason"])


def test_names_that_only_look_like_it_are_fine() -> None:
    assert expressions.check("data.brand == 'now' and data.d > 3") == "data.brand == 'now' and data.d > 3"


@pytest.mark.parametrize("expression", ["a = 1", "data.a = 5", "(a = 1; a)", "(data.paid_fen = 5; data.paid_fen) > 1"])
def test_a_rule_assigns_nothing_that_others_could_see(expression: str) -> None:
    with pytest.raises(BadExpression) as refused:
        expressions.check(expression, "/condition")
    assert [fault.pointer for fault in refused.value.faults] == ["/condition"]


@pytest.mark.parametrize(
    "expression", ["data.a == 1", "data.a != 1", "data.a >= 1", "data.a <= 1", "data.a == 'x = y; z'"]
)
def test_comparing_is_not_assigning(expression: str) -> None:
    assert expressions.check(expression) == expression


QUESTIONS = [
    ("data.a > 1", "data.a"),
    ("true", "7"),
    ("data.a", "1"),
    ("data.b == 'x'", "data.missing"),
    ("true", "data.a / 0"),
    ("data.a < 1", "data.a"),
    ("true", "(row = {n: 5}; row.n)"),
    ("row.n == 5", "1"),
]


@pytest.mark.parametrize("data", [{}, {"a": 5}, {"a": 0, "b": "x"}, {"a": "text"}, {"a": True}, {"b": "x"}])
def test_rules_asked_together_answer_as_if_asked_alone(data: dict[str, Any]) -> None:
    jury = expressions.Jury(QUESTIONS)
    for _ in range(3):  # the first time nobody stands apart yet
        together = [str(answer) for answer in jury.ask({"data": data})]
        assert together == [str(expressions.alone(question, {"data": data})) for question in QUESTIONS]


def test_those_that_failed_are_asked_alone_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expressions, "_FORGIVEN_AFTER", 3)
    asked: list[int] = []
    monkeypatch.setattr(expressions, "alone", lambda *_: asked.append(1))
    jury = expressions.Jury([("data.a > 1", "1"), ("data.b > 1", "2"), ("true", "3")])
    jury._part(frozenset({0}))
    for _ in range(3):
        jury.ask({"data": {"a": 1, "b": 1}})
    assert len(asked) == 3
    jury.ask({"data": {"a": 1, "b": 1}})
    assert len(asked) == 3


@pytest.mark.parametrize(
    ("texts", "fields", "event", "member"),
    [
        (["data.a > data.b.c"], ("a", "b"), False, False),
        (["len(keys(data)) > 1"], None, False, False),
        (["data['a']"], None, False, False),
        (["$root.data.a"], None, True, True),
        (["event.hour > 3", "member.tier == 'gold'"], (), True, True),
        (["true", "5"], (), False, False),
    ],
)
def test_expressions_are_given_what_they_name(texts: list[str], fields: Any, event: bool, member: bool) -> None:
    names = expressions.Names(texts)
    assert (names.data, names.event, names.member) == (fields, event, member)
    data = {"a": Decimal("0.5"), "z": 1}
    assert names.of(data) == ({"a": 0.5, "z": 1} if fields is None else {"a": 0.5} if "a" in fields else {})


def test_what_the_engine_gives_together_that_is_no_integer_is_no_amount(monkeypatch: pytest.MonkeyPatch) -> None:
    class Odd:
        def evaluate(self, _: object) -> list[str]:
            return ["1e30", "7"]

    monkeypatch.setattr(expressions, "_compiled", lambda _: Odd())
    first, second = expressions.Jury([("data.a", "1"), ("data.b", "2")]).ask({})
    assert (str(first), second) == ("the formula gave '1e30', not a number", 7)
