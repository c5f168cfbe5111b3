"""Merging OpenAPI documents."""

from typing import Any

from gateway.documentation.domain import merge


def part(paths: dict[str, Any], **schemas: Any) -> dict[str, Any]:
    return {"openapi": "3.1.0", "paths": paths, "components": {"schemas": schemas}, "tags": [{"name": "x"}]}


def reading(schema: str, tag: str = "x") -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
    return {"get": {"tags": [tag], "responses": {"200": {"description": "OK", "content": content}}}}


def merged(reachable: bool = True, **parts: dict[str, Any]) -> dict[str, Any]:
    return merge(parts, reachable=lambda service, path: reachable and path != "/feed", url="http://door")


def schema_of(document: dict[str, Any], path: str) -> str:
    content = document["paths"][path]["get"]["responses"]["200"]["content"]
    return str(content["application/json"]["schema"]["$ref"]).rpartition("/")[2]


def test_equal_components_are_one_and_different_ones_keep_apart() -> None:
    same = {"type": "object"}
    document = merged(
        points=part({"/v1/a": reading("Same"), "/v1/b": reading("Entry")}, Same=same, Entry={"type": "string"}),
        levels=part({"/v1/c": reading("Same"), "/v1/d": reading("Entry")}, Same=same, Entry={"type": "integer"}),
    )
    assert document["components"]["schemas"] == {
        "Same": same,
        "PointsEntry": {"type": "string"},
        "LevelsEntry": {"type": "integer"},
    }
    assert [schema_of(document, path) for path in ("/v1/a", "/v1/b", "/v1/c", "/v1/d")] == [
        "Same",
        "PointsEntry",
        "Same",
        "LevelsEntry",
    ]


def test_what_refers_to_the_different_is_different() -> None:
    page = {"type": "array", "items": {"$ref": "#/components/schemas/Entry"}}
    outer = {"type": "object", "properties": {"page": {"$ref": "#/components/schemas/Page"}}}
    document = merged(
        points=part({"/v1/a": reading("Outer")}, Outer=outer, Page=page, Entry={"type": "string"}),
        levels=part({"/v1/b": reading("Outer")}, Outer=outer, Page=page, Entry={"type": "integer"}),
    )
    assert set(document["components"]["schemas"]) == {
        f"{service}{name}" for service in ("Points", "Levels") for name in ("Outer", "Page", "Entry")
    }
    assert document["components"]["schemas"]["LevelsPage"]["items"]["$ref"] == "#/components/schemas/LevelsEntry"


def test_the_unreachable_and_what_only_it_used_is_left_out() -> None:
    document = merged(points=part({"/feed": reading("Fact"), "/v1/a": reading("Entry")}, Fact={}, Entry={}))
    assert (set(document["paths"]), set(document["components"]["schemas"])) == ({"/v1/a"}, {"Entry"})
    assert merged(reachable=False, points=part({"/v1/a": reading("Entry")}, Entry={}))["paths"] == {}


def test_used_tags_stand_once() -> None:
    both = merged(points=part({"/v1/a": reading("E")}, E={}), levels=part({"/v1/b": reading("E")}, E={}))
    assert both["tags"] == [{"name": "x"}]
    assert merged(points=part({"/v1/a": reading("E", tag="y")}, E={}))["tags"] == []


def test_patterns_are_written_for_their_readers() -> None:
    pattern = {"type": "string", "pattern": r"^[a-z]+\Z"}
    properties = {"type": "object", "properties": {"pattern": {"type": "string"}}}
    document = merged(points=part({"/v1/a": reading("C"), "/v1/b": reading("P")}, C=pattern, P=properties))
    assert document["components"]["schemas"]["C"]["pattern"] == "^[a-z]+$"
    assert document["components"]["schemas"]["P"] == properties


def test_a_field_named_ref_is_no_reference() -> None:
    odd = {"type": "object", "properties": {"$ref": {"type": "string"}}}
    outside = {"$ref": "https://example.org/schema"}
    document = merged(points=part({"/v1/a": reading("Odd"), "/v1/b": reading("Out")}, Odd=odd, Out=outside))
    assert document["components"]["schemas"] == {"Odd": odd, "Out": outside}


def test_ways_to_prove_who_one_is_are_the_doors_own() -> None:
    own = part({"/v1/a": reading("E")}, E={})
    own["components"]["securitySchemes"] = {"basic": {"type": "http", "scheme": "basic"}}
    assert set(merged(points=own)["components"]["securitySchemes"]) == {"member", "staff", "system"}
