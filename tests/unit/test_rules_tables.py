"""Laws of decision tables: tiers × categories read as one expression, nothing but tables and expressions accepted."""

import json
from collections.abc import Callable
from typing import Any

import pytest
import zen
from hypothesis import given, settings
from hypothesis import strategies as st

from services.points.rules.domain import Membership
from services.points.rules.expressions import BadExpression
from services.points.rules.tables import LONGEST_DOCUMENT, MOST_NODES, MOST_ROWS, BadTable, formula_of
from tests.rules import decide, graph, published, table
from tests.thoroughness import examples

TIERS_BY_CATEGORIES = table(
    [
        ["'gold'", "'shoes', 'bags'", "data.paid_fen * 0.0029"],
        ["'gold'", "", "data.paid_fen / 100 * 2"],
        ["'silver'", "", "data.paid_fen / 100 * 1.5"],
        ["", "", "data.paid_fen / 100"],
    ]
)


def award(document: dict[str, Any], tier: str | None = None, **data: Any) -> tuple[int, str]:
    """What a rule with that table wants."""
    decision = decide(published(table=document), data={"paid_fen": 12_890, **data}, member=Membership(tier))[0]
    return decision.wanted, decision.reason


@pytest.mark.parametrize(
    ("tier", "category", "points"),
    [
        ("gold", "shoes", 37),
        ("gold", "bags", 37),
        ("gold", "books", 257),
        ("silver", "shoes", 193),
        ("bronze", "shoes", 128),
        (None, "shoes", 128),
        (None, None, 128),
    ],
)
def test_the_first_row_that_hits_gives_the_award_rounded_down(tier: str | None, category: str, points: int) -> None:
    assert award(TIERS_BY_CATEGORIES, tier, category=category) == (points, "awarded")


def test_a_cell_that_is_left_out_is_empty() -> None:
    document = table([["'gold'", "'shoes'", "5"]])
    (row,) = document["nodes"][1]["content"]["rules"]
    del row["i1"]
    assert award(document, "gold", category="bags") == (5, "awarded")
    del row["o"]
    with pytest.raises(BadTable, match="an expression is needed"):
        formula_of(document)


def test_no_row_gives_nothing() -> None:
    assert award(table([["'gold'", "", "5"]])) == (0, "nothing_to_award")


def test_the_condition_stands_before_the_table() -> None:
    assert (
        decide(published(table=TIERS_BY_CATEGORIES, condition="data.paid_fen > 99999"))[0].reason == "condition_false"
    )


CELLS: list[tuple[str, list[Any], list[Any]]] = [
    ("", [1, "x", None], []),
    ("5", [5], [4, "5", None]),
    ("'a'", ["a"], ["b", 5, None]),
    ("'a', 'b'", ["a", "b"], ["c", "a, b"]),
    ("'a,b'", ["a,b"], ["a", "b"]),
    ("1, 2, 7", [1, 2, 7], [3]),
    ("> 100", [101], [100, 99]),
    (">= 100 and < 500", [100, 499], [99, 500]),
    ("< 1 or > 5", [0, 6], [1, 5]),
    ("< 1, > 5", [0, 6], [1, 5]),
    ("[1..5]", [1, 5], [0, 6]),
    ("(1..5)", [2, 4], [1, 5]),
    ("[1..3], [7..9]", [1, 3, 7, 9], [4, 6, 10]),
    ("['a', 'b']", ["a"], ["c"]),
    ("not in ['a']", ["b"], ["a"]),
    ("in ['a']", ["a"], ["b"]),
    ("!= 'a'", ["b", None], ["a"]),
    ("== 7", [7], [8]),
    ("$ % 2 == 0", [2, 4], [3]),
    ("startsWith($, 'sh')", ["shoes"], ["bags"]),
    ("true", [True], [False, 1]),
    ("null", [None], [1, "x"]),
    ("> data.paid_fen", [12_891], [12_890]),
]


@pytest.mark.parametrize(("cell", "hits", "misses"), CELLS)
def test_a_cell_hits_what_it_says(cell: str, hits: list[Any], misses: list[Any]) -> None:
    document = table([[cell, "1"]], ["data.x"])
    assert [award(document, x=value) for value in hits] == [(1, "awarded")] * len(hits)
    assert [award(document, x=value) for value in misses] == [(0, "nothing_to_award")] * len(misses)


def test_a_cell_that_cannot_be_compared_makes_the_table_undecidable_and_says_so() -> None:
    for value in ("text", None, [], {}):
        assert award(table([["> 100", "1"], ["", "2"]], ["data.x"]), x=value)[1].startswith("undecidable: ")


def test_a_column_without_a_field_holds_whole_conditions() -> None:
    document = table([["data.paid_fen > 100 and member.tier == 'gold'", "3"], ["true", "1"]], [""])
    assert award(document, "gold")[0] == 3
    assert award(document)[0] == 1


def test_expressions_may_prepare_a_table_and_finish_it() -> None:
    rates = {
        "inputs": [{"id": "i", "field": "kind"}, {"id": "t", "field": "member.tier"}],
        "outputs": [{"id": "r", "field": "rate"}, {"id": "b", "field": "bonus"}],
        "rules": [
            {"i": "'shoe'", "t": "'gold'", "r": "0.29", "b": "5"},
            {"i": "'shoe'", "t": "", "r": "0.1", "b": "1"},
        ],
    }
    document = graph(
        ("expressionNode", {"expressions": [{"id": "1", "key": "kind", "value": "lower(data.category)"}]}),
        ("decisionTableNode", rates),
        ("expressionNode", {"expressions": [{"id": "2", "key": "award", "value": "data.paid_fen * rate + bonus"}]}),
    )
    assert award(document, "gold", category="SHOE") == (3743, "awarded")
    assert award(document, None, category="Shoe") == (1290, "awarded")
    assert award(document, "gold", category="Book")[1].startswith("undecidable: ")


def test_what_a_table_names_on_its_way_is_not_seen_by_other_rules() -> None:
    names = graph(("expressionNode", {"expressions": [{"id": "1", "key": "award", "value": "7"}]}))
    other = published("z", condition="award == 7", formula="1")
    assert [one.reason for one in decide(published("a", table=names), other)] == ["awarded", "condition_false"]


def without(path: str, value: Any = None) -> Callable[[dict[str, Any]], None]:
    """Set what the path names."""

    def change(document: dict[str, Any]) -> None:
        *steps, last = [int(step) if step.isdigit() else step for step in path.strip("/").split("/")]
        place: Any = document
        for step in steps:
            place = place[step]
        place[last] = value

    return change


def added(*nodes: dict[str, Any]) -> Callable[[dict[str, Any]], None]:
    """Add nodes."""
    return lambda document: document["nodes"].extend(nodes)


CONTENT = "/nodes/1/content"
HOPELESS: list[tuple[Callable[[dict[str, Any]], None], str]] = [
    (without("/nodes"), "/table"),
    (without("/edges", {}), "/table"),
    (lambda document: document.update(settings={}), "/table"),
    (added({"id": "f", "type": "functionNode", "content": {"source": "x"}}), "/table/nodes/3/type"),
    (added({"id": "f", "type": "customNode", "content": {}}), "/table/nodes/3/type"),
    (added({"id": "f", "type": "decisionNode", "content": {"key": "x"}}), "/table/nodes/3/type"),
    (added({"id": "f", "type": "switchNode", "content": {}}), "/table/nodes/3/type"),
    (added({"id": "f", "type": "httpNode"}), "/table/nodes/3/type"),
    (added({"id": "f"}), "/table/nodes/3/type"),
    (added({"type": "inputNode"}), "/table/nodes/3"),
    (added({"id": "n0", "type": "inputNode"}), "/table/nodes/3/id"),
    (added({"id": "b", "type": "inputNode"}), "/table/edges"),
    (added(*({"id": f"x{n}", "type": "inputNode"} for n in range(MOST_NODES))), "/table/nodes"),
    (without("/edges", []), "/table/edges"),
    (without("/edges/0/targetId", "ghost"), "/table/edges/0"),
    (without("/edges/0/targetId", []), "/table/edges/0"),
    (without("/edges/0", 5), "/table/edges/0"),
    (without("/edges/1/sourceId", "in"), "/table/edges/1"),
    (without("/edges/1/targetId", "n0"), "/table/edges"),
    (without(CONTENT), f"/table{CONTENT}"),
    (without(f"{CONTENT}/hitPolicy", "collect"), f"/table{CONTENT}/hitPolicy"),
    (without(f"{CONTENT}/executionMode", "loop"), f"/table{CONTENT}/executionMode"),
    (without(f"{CONTENT}/inputField", "data"), f"/table{CONTENT}/inputField"),
    (without(f"{CONTENT}/source", "code"), f"/table{CONTENT}/source"),
    (without(f"{CONTENT}/rules", []), f"/table{CONTENT}/rules"),
    (without(f"{CONTENT}/rules", [{}] * (MOST_ROWS + 1)), f"/table{CONTENT}/rules"),
    (without(f"{CONTENT}/rules/0", 5), f"/table{CONTENT}/rules"),
    (without(f"{CONTENT}/inputs/0/field", "a b"), f"/table{CONTENT}/inputs/0/field"),
    (without(f"{CONTENT}/inputs/0/id", 5), f"/table{CONTENT}/inputs/0/id"),
    (without(f"{CONTENT}/outputs/0/field", "data"), f"/table{CONTENT}/outputs/0/field"),
    (without(f"{CONTENT}/outputs/0/field", "points"), "/table/nodes"),
    (without(f"{CONTENT}/rules/0/i0", 5), f"/table{CONTENT}/rules/0/i0"),
    (without(f"{CONTENT}/rules/0/i0", False), f"/table{CONTENT}/rules/0/i0"),
    (without(f"{CONTENT}/rules/0/i0", "x" * 301), f"/table{CONTENT}/rules/0/i0"),
    (without(f"{CONTENT}/rules/0/i0", "> "), f"/table{CONTENT}/rules/0/i0"),
    (without(f"{CONTENT}/rules/0/i0", "> rand(5)"), f"/table{CONTENT}/rules/0/i0"),
    (without(f"{CONTENT}/rules/1/o", "year('now')"), f"/table{CONTENT}/rules/1/o"),
    (without(f"{CONTENT}/rules/1/o", ""), f"/table{CONTENT}/rules/1/o"),
    (without(f"{CONTENT}/rules/1/o", "1 +"), f"/table{CONTENT}/rules/1/o"),
    (without(f"{CONTENT}/rules/1/o", "x = 5"), f"/table{CONTENT}/rules/1/o"),
    (without("/nodes/0/name", "x" * LONGEST_DOCUMENT), "/table"),
]


@pytest.mark.parametrize(("change", "pointer"), HOPELESS)
def test_what_is_no_table_is_refused_where_it_is_wrong(change: Callable[[dict[str, Any]], None], pointer: str) -> None:
    document = table([["'gold'", "", "5"], ["", "", "1"]])
    formula_of(document)
    change(document)
    with pytest.raises((BadTable, BadExpression)) as refusal:
        formula_of(document)
    assert [fault.pointer for fault in refusal.value.faults] == [pointer]


def test_the_largest_table_is_still_read_and_decided() -> None:
    largest = table([[f"'t{row}'", f"'c{row}'", f"{row + 1}"] for row in range(MOST_ROWS)])
    assert award(largest, f"t{MOST_ROWS - 1}", category=f"c{MOST_ROWS - 1}") == (MOST_ROWS, "awarded")
    assert award(largest, "t0", category="c1") == (0, "nothing_to_award")


@pytest.mark.parametrize("kind", ["functionNode", "customNode", "decisionNode", "switchNode"])
def test_a_node_with_code_is_named_with_its_type(kind: str) -> None:
    document = graph(("decisionTableNode", {}), (kind, {"source": "export const handler = async () => 1"}))
    with pytest.raises(BadTable, match="bad_table") as refusal:
        formula_of(document)
    fault = refusal.value.faults[0]
    assert "n1" in fault.en
    assert kind in fault.en
    assert kind in fault.zh


@pytest.mark.parametrize(
    "given",
    [{"key": "data", "value": "1"}, {"key": "1x", "value": "1"}, {"key": "x", "value": "$root"}, {"key": "x"}, {}],
)
def test_expression_nodes_name_and_compute(given: dict[str, Any]) -> None:
    with pytest.raises(BadTable):
        formula_of(graph(("expressionNode", {"expressions": [{"id": "1", **given}]})))


_CELLS = {
    "member.tier": ["", "'gold'", "'gold', 'silver'", "!= 'gold'", "in ['silver']", "not in ['gold']", "null"],
    "data.category": ["", "'shoes'", "'shoes', 'bags'", "startsWith($, 's')", "$ == 'bags' or $ == 'books'"],
    "data.paid_fen": ["", "> 5000", ">= 100 and < 5000", "[0..5000]", "< 100, > 9000", "100"],
}
_ROWS = st.lists(
    st.tuples(
        *(st.sampled_from(cells) for cells in _CELLS.values()), st.sampled_from(["1", "2.9", "data.paid_fen / 3"])
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=examples(60), deadline=None)
@given(
    rows=_ROWS,
    tier=st.sampled_from(["gold", "silver", None]),
    category=st.sampled_from(["shoes", "bags", "books"]),
    paid_fen=st.integers(0, 20_000),
)
def test_a_table_gives_what_the_engine_itself_would_give(
    rows: list[tuple[str, ...]], tier: str | None, category: str, paid_fen: int
) -> None:
    document = table(rows, list(_CELLS))
    context = {
        "data": {"category": category, "paid_fen": paid_fen},
        "member": {"tier": tier, "tags": []},
        "event": {"type": "order.paid"},
    }
    engines = zen.ZenEngine().create_decision(json.dumps(document)).evaluate(context)["result"].get("award", 0)
    assert award(document, tier, category=category, paid_fen=paid_fen)[0] == int(engines)
