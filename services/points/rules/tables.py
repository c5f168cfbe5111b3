"""Decision tables (tiers × categories) as ZEN JDM documents, read as one expression. Pure.

The engine's own run of a document takes a thread's round trip (0.9 ms here), gives decimals as floats, and passes over
rows that it cannot read in silence. So a document is checked here cell by cell and read as one expression over the
rule's context, with which everything about formulas holds: exact decimals, one call for all rules, a reason when it
cannot be decided. A property test compares both readings.

Of JDM is accepted: one path input → (decision table | expression)… → output; tables whose first hit counts. A cell is
empty (anything), alternatives by comma, a comparison (`>= 100 and < 500`, `not in ['a']`), a range or list to be in,
a value to equal, or any expression that names the input as `$`. The last node gives `award`; no row gives nothing.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from common.errors import FieldFault, FieldsRefused
from services.points.rules import expressions

LONGEST_DOCUMENT = 65_536
MOST_NODES = 12
MOST_ROWS = 200
MOST_COLUMNS = 12
LONGEST_CELL = 300

_KNOWN = ("inputNode", "outputNode", "decisionTableNode", "expressionNode")
_NAME = re.compile(r"^[a-z][A-Za-z0-9_]{0,63}\Z")
_TAKEN = ("data", "event", "member", "true", "false", "null", "and", "or", "not", "in")
_FIELD = re.compile(r"^[A-Za-z_][\w.]{0,127}\Z")
_COMPARED = re.compile(r"^(==|!=|<=?|>=?|in\b|not\s+in\b)")
_NEXT_COMPARED = re.compile(r"\b(and|or)\s+(?=[<>=!]|in\b|not\s+in\b)")
_LISTED = re.compile(r"^[\[(].*[\])]\Z", re.DOTALL)
_PLAIN = {
    "decisionTableNode": {"hitPolicy", "inputs", "outputs", "rules", "passThrough", "executionMode"},
    "expressionNode": {"expressions", "passThrough", "executionMode"},
}
_SWITCHES = {
    "inputField": (None, ""),
    "outputPath": (None, ""),
    "executionMode": (None, "single"),
    "hitPolicy": (None, "first"),
}


class BadTable(FieldsRefused):
    """The document is no decision table of the accepted kind; one fault a place."""

    code = "bad_table"


def formula_of(document: Mapping[str, Any]) -> str:
    """The one expression that a document says; raises `BadTable` naming the node and the cell."""
    if len(json.dumps(document, ensure_ascii=False, default=str)) > LONGEST_DOCUMENT:
        raise _bad("", f"it is longer than {LONGEST_DOCUMENT} characters", f"长度超过 {LONGEST_DOCUMENT} 个字符")
    path = _path(document)
    steps = [(node["type"], _content(place, node), f"{place}/content") for place, node in path]
    if len(steps) == 1 and steps[0][0] == "decisionTableNode":
        columns, rows = _rows(steps[0][1], steps[0][2])
        if [name for _, name in columns] == ["award"]:
            return _ladder([(when, outputs[0]) for when, outputs in rows], "0")
    statements: list[str] = []
    named: set[str] = set()
    for number, (kind, content, place) in enumerate(steps):
        reading = _table_statements(number, content, place) if kind == "decisionTableNode" else _named(content, place)
        for name, statement in reading:
            named.add(name)
            statements.append(statement)
    if "award" not in named:
        raise _bad("/nodes", "no node gives `award`", "没有节点输出 award")
    return f"({'; '.join(statements)}; award ?? 0)"


def _path(document: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """The nodes between input and output, in their order, each with its place in the document."""
    nodes, edges = document.get("nodes"), document.get("edges")
    if not isinstance(nodes, list) or not isinstance(edges, list) or set(document) - {"nodes", "edges", "contentType"}:
        raise _bad("", "it needs `nodes` and `edges`, and nothing else", "只能包含 nodes 与 edges")
    if len(nodes) > MOST_NODES:
        raise _bad("/nodes", f"there are more than {MOST_NODES} nodes", f"节点超过 {MOST_NODES} 个")
    by_id = _by_id(nodes)
    after: dict[str, str] = {}
    for number, edge in enumerate(edges):
        ends = [str(edge.get(end)) for end in ("sourceId", "targetId")] if isinstance(edge, dict) else []
        if not ends or not by_id.keys() >= set(ends) or ends[0] in after:
            raise _bad(f"/edges/{number}", "it does not continue one path between known nodes", "未连成唯一路径")
        after[ends[0]] = ends[1]
    at = next((name for name, (_, node) in by_id.items() if node["type"] == "inputNode"), None)
    path: list[tuple[str, Mapping[str, Any]]] = []
    seen: set[str] = set()
    while at is not None and at not in seen:
        seen.add(at)
        path.append(by_id[at])
        at = after.get(at)
    kinds = [node["type"] for _, node in path]
    inside = path[1:-1]
    if kinds[:1] != ["inputNode"] or kinds[-1:] != ["outputNode"] or len(path) != len(nodes) or not inside:
        raise _bad(
            "/edges",
            "all nodes must lie on one path from an input node over tables and expressions to an output node",
            "所有节点须连成一条从输入到输出的路径",
        )
    return inside


def _by_id(nodes: list[Any]) -> dict[str, tuple[str, Mapping[str, Any]]]:
    by_id: dict[str, tuple[str, Mapping[str, Any]]] = {}
    for number, node in enumerate(nodes):
        place = f"/nodes/{number}"
        if not isinstance(node, dict) or not isinstance(node.get("id"), str) or not 0 < len(node["id"]) <= 128:
            raise _bad(place, "every node needs an `id`", "每个节点都需要 id")
        kind = str(node.get("type"))[:64]
        if kind not in _KNOWN:
            raise _bad(
                f"{place}/type",
                f"node {node['id']} is a {kind}; only tables and expressions are allowed, no code",
                f"节点 {node['id']} 的类型 {kind} 不允许,只能使用决策表与表达式,不能含代码",
            )
        if node["id"] in by_id:
            raise _bad(f"{place}/id", f"node {node['id']} is there twice", f"节点 {node['id']} 重复")
        by_id[node["id"]] = (place, node)
    return by_id


def _content(place: str, node: Mapping[str, Any]) -> Mapping[str, Any]:
    content = node.get("content")
    if not isinstance(content, dict):
        raise _bad(f"{place}/content", "the node has no content", "节点没有内容")
    for name, value in content.items():
        if name in _SWITCHES:
            if value not in _SWITCHES[name]:
                raise _bad(
                    f"{place}/content/{name}", "only the default is allowed: first hit, run once", "只允许默认值"
                )
        elif name not in _PLAIN[node["type"]]:
            raise _bad(f"{place}/content/{name[:64]}", "this setting is not known", "未知设置")
    return content


def _table_statements(number: int, content: Mapping[str, Any], place: str) -> Iterator[tuple[str, str]]:
    """The row that hits, as an object, and its columns as names that later nodes see."""
    columns, rows = _rows(content, place)
    objects = [
        (when, "{" + ", ".join(f"{name}: {cell}" for (_, name), cell in zip(columns, outputs, strict=True)) + "}")
        for when, outputs in rows
    ]
    row = f"row_{number}"
    yield row, f"{row} = {_ladder(objects, '{}')}"
    for _, name in columns:
        yield name, f"{name} = {row}.{name}"


def _named(content: Mapping[str, Any], place: str) -> Iterator[tuple[str, str]]:
    for number, one in enumerate(_list(content.get("expressions"), f"{place}/expressions", MOST_ROWS)):
        at = f"{place}/expressions/{number}"
        value = _expression(one.get("value"), f"{at}/value")
        if "$" in value:
            raise _bad(f"{at}/value", "$ has no meaning here; use the name", "此处不能使用 $,请使用名称")
        yield (name := _name(one.get("key"), f"{at}/key")), f"{name} = ({value})"


def _rows(content: Mapping[str, Any], place: str) -> tuple[list[tuple[str, str]], list[tuple[str, list[str]]]]:
    """A table's output columns (id, name), and its rows: when a row hits, and its output cells in that order."""
    inputs = _list(content.get("inputs"), f"{place}/inputs", MOST_COLUMNS)
    outputs = _list(content.get("outputs"), f"{place}/outputs", MOST_COLUMNS)
    asked: list[tuple[str, str]] = []
    for number, one in enumerate(inputs):
        field = one.get("field") or ""
        if field and not (isinstance(field, str) and _FIELD.match(field)):
            raise _bad(f"{place}/inputs/{number}/field", "it must name a field, e.g. member.tier", "必须是字段名")
        asked.append((_column_id(one, f"{place}/inputs/{number}"), field))
    given = [
        (_column_id(one, f"{place}/outputs/{number}"), _name(one.get("field"), f"{place}/outputs/{number}/field"))
        for number, one in enumerate(outputs)
    ]
    rows = []
    for number, row in enumerate(_list(content.get("rules"), f"{place}/rules", MOST_ROWS)):
        at = f"{place}/rules/{number}"
        tests = [_test(field, _cell(row, column, at), f"{at}/{column}") for column, field in asked]
        cells = [f"({_expression(_cell(row, column, at), f'{at}/{column}')})" for column, _ in given]
        rows.append((" and ".join(test for test in tests if test) or "true", cells))
    return given, rows


def _test(field: str, cell: str, place: str) -> str:
    """The condition that one input cell says of its field; empty when it takes anything."""
    if not cell:
        return ""
    tests = []
    for part in _alternatives(cell) if field else [cell]:
        if not field:
            test = part
        elif "$" in part:
            test = part.replace("$", field)
        elif _COMPARED.match(part):
            test = f"{field} {_NEXT_COMPARED.sub(lambda found: f'{found[1]} {field} ', part)}"
        elif _LISTED.match(part):
            test = f"{field} in {part}"
        else:
            test = f"{field} == ({part})"
        tests.append(f"({_expression(test, place)})")
    return tests[0] if len(tests) == 1 else f"({' or '.join(tests)})"


def _alternatives(cell: str) -> list[str]:
    """The cell cut at the commas that stand outside of quotes and brackets."""
    parts, depth, quote, begin = [], 0, "", 0
    for at, character in enumerate(cell):
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'`":
            quote = character
        elif character in "([{":
            depth += 1
        elif character in ")]}":
            depth -= 1
        elif character == "," and depth == 0:
            parts.append(cell[begin:at].strip())
            begin = at + 1
    return [*parts, cell[begin:].strip()]


def _ladder(rungs: list[tuple[str, str]], otherwise: str) -> str:
    """The first rung whose condition holds."""
    return "(" + " : ".join([*(f"{when} ? {then}" for when, then in rungs), otherwise]) + ")"


def _expression(text: Any, place: str) -> str:
    if not isinstance(text, str) or not text:
        raise _bad(place, "an expression is needed", "需要表达式")
    return expressions.check(text, f"/table{place}")


def _cell(row: Mapping[str, Any], column: str, place: str) -> str:
    cell = row.get(column)
    if cell is None:
        return ""
    if not isinstance(cell, str) or len(cell) > LONGEST_CELL:
        raise _bad(f"{place}/{column}", f"a cell is text of at most {LONGEST_CELL} characters", "单元格须为文本")
    return cell.strip()


def _column_id(column: Mapping[str, Any], place: str) -> str:
    name = column.get("id")
    if not isinstance(name, str) or not 0 < len(name) <= 128:
        raise _bad(f"{place}/id", "every column needs an `id`", "每一列都需要 id")
    return name


def _name(name: Any, place: str) -> str:
    if not isinstance(name, str) or not _NAME.match(name) or name in _TAKEN:
        raise _bad(
            place, "a name of letters, digits and _ is needed that is not taken, e.g. award", "名称无效或已被占用"
        )
    return name


def _list(value: Any, place: str, most: int) -> list[Mapping[str, Any]]:
    if not isinstance(value, list) or not 1 <= len(value) <= most or not all(isinstance(one, dict) for one in value):
        raise _bad(place, f"a list of 1 to {most} objects is needed", f"需要 1 至 {most} 项")
    return value


def _bad(place: str, en: str, zh: str) -> BadTable:
    fault = FieldFault(f"/table{place}", f"The table cannot be used: {en}.", f"决策表无法使用:{zh}。")
    return BadTable([fault], reason=en)
